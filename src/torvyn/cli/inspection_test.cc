#include "torvyn/cli/inspection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace torvyn::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Inspection fetcher() {
  Inspection inspection{.file = "fetch.wasm",
                        .grant_name = "fetch",
                        .size_bytes = 2048,
                        .info = {},
                        .contents = {},
                        .needs = {},
                        .path = "typed",
                        .path_reason = "for a reason",
                        .engine = "wasmtime 48.0.8",
                        .obstacles = {}};
  inspection.info.stages = {{contracts::Role::source, contracts::Contract::element, "torvyn:streaming/source@0.1.0"}};
  inspection.info.imports = {{"wasi:http/outgoing-handler@0.2.0", "instance", {"handle"}},
                             {"wasi:clocks/monotonic-clock@0.2.0", "instance", {}},
                             {"wasi:http/types@0.2.0", "instance", {}},
                             {"wasi:io/streams@0.2.0", "instance", {}}};
  inspection.contents.language = "Rust";
  inspection.contents.memories = {{.initial_bytes = 131072, .maximum_bytes = 1048576}};
  inspection.contents.sections = {{"code", 1024}, {"data", 512}, {"a", 200}, {"b", 200}, {"c", 100}, {"d", 12}};
  inspection.contents.producers = {{"processed-by", "rustc", "1.96.0"}};
  inspection.needs = needs_of(inspection.info);
  return inspection;
}

TEST(Needs, GroupImportsByCapability) {
  const auto needs = fetcher().needs;
  ASSERT_EQ(needs.size(), 2U);
  EXPECT_EQ(needs[0].name, "clocks");
  EXPECT_FALSE(needs[0].needs_grant) << "every component has a clock";
  EXPECT_EQ(needs[1].name, "http-client");
  EXPECT_THAT(needs[1].interfaces, ElementsAre("wasi:http/outgoing-handler@0.2.0", "wasi:http/types@0.2.0"));
  EXPECT_TRUE(needs[1].needs_grant);
}

TEST(GrantsBlock, IsAPieceOfAManifest) {
  const std::string block = grants_block("fetch", fetcher().needs);
  EXPECT_THAT(block, HasSubstr("\n[security.grants.fetch]\ncapabilities = [\n"));
  EXPECT_THAT(block, HasSubstr("\"http-client:example.com:443\",  # whom it may send requests to; "
                               "wasi:http/outgoing-handler, wasi:http/types\n]\n"));
  EXPECT_THAT(block, Not(HasSubstr("clocks")));
  EXPECT_THAT(grants_block("upper", {}), StartsWith("# upper needs no grants"));
}

TEST(Inspection, IsDrawnInParts) {
  const std::string text = draw_inspection(fetcher(), Palette(), false);
  EXPECT_THAT(text, StartsWith("fetch.wasm: a source in Rust, 2 KiB\n"));
  EXPECT_THAT(text, HasSubstr(" path      typed: for a reason\n"));
  EXPECT_THAT(text, HasSubstr("wasi, capability http-client\n"));
  EXPECT_THAT(text, HasSubstr(" memory    128 KiB at first, at most 1 MiB\n"));
  EXPECT_THAT(text, HasSubstr("… 1 smaller with --verbose"));
  EXPECT_THAT(text, HasSubstr(" made by   processed-by: rustc 1.96.0\n"));
  EXPECT_THAT(text, HasSubstr("\n[security.grants.fetch]\n"));
  EXPECT_THAT(draw_inspection(fetcher(), Palette(), true), HasSubstr("wasi:http/outgoing-handler@0.2.0 (handle)"));
}

TEST(Inspection, ShowsOnePartAlone) {
  const Inspection inspection = fetcher();
  EXPECT_EQ(draw_section(inspection, "memory"), "128 KiB at first, at most 1 MiB\n");
  EXPECT_EQ(draw_section(inspection, "producers"), "processed-by: rustc 1.96.0\n");
  EXPECT_THAT(draw_section(inspection, "sizes"), HasSubstr("d"));
  EXPECT_EQ(draw_section(inspection, "exports"), "none\n");
  EXPECT_EQ(draw_section(inspection, "grants"), grants_block("fetch", inspection.needs));
}

TEST(Inspection, WritesOutWhatWouldSteerATerminal) {
  Inspection inspection = fetcher();
  inspection.contents.producers = {{"processed-by", "\x1b[2Jevil", ""}};
  inspection.contents.sections = {{"custom \x1b[31m", 10}};
  inspection.contents.modules = {{.name = "\x07", .size_bytes = 1, .code_bytes = 1, .data_bytes = 0, .functions = 1}};
  const std::string text = draw_inspection(inspection, Palette(), true);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\x07")));
}

}  // namespace
}  // namespace torvyn::cli
