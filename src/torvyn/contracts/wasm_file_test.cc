#include "torvyn/contracts/wasm_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

namespace torvyn::contracts {
namespace {

using namespace std::string_view_literals;
using testing::HasSubstr;

WasmKind kind_of(std::string_view bytes) {
  return classify_wasm({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

TEST(WasmKind, TellsComponentsFromCoreModules) {
  EXPECT_EQ(kind_of("\0asm\x0d\0\1\0"sv), WasmKind::component);
  EXPECT_EQ(kind_of("\0asm\1\0\0\0"sv), WasmKind::core_module);
  EXPECT_EQ(kind_of("\0asm\2\0\0\0"sv), WasmKind::unknown_version);
}

TEST(WasmKind, SeesThatAFileIsCutOff) {
  EXPECT_EQ(kind_of(""sv), WasmKind::empty);
  EXPECT_EQ(kind_of("\0as"sv), WasmKind::truncated_header);
  EXPECT_EQ(kind_of("\0asm\x0d\0\1"sv), WasmKind::truncated_header);
}

TEST(WasmKind, KnowsTextFromOtherBytes) {
  EXPECT_EQ(kind_of("#include <stdio.h>\n"sv), WasmKind::text);
  EXPECT_EQ(kind_of("gr\xc3\xbc\xc3\x9f\n"sv), WasmKind::text);
  EXPECT_EQ(kind_of("\n  (module\n)"sv), WasmKind::wat);
  EXPECT_EQ(kind_of("(component)"sv), WasmKind::wat);
  EXPECT_EQ(kind_of("\x7f"
                    "ELF\2\1\1"sv),
            WasmKind::other);
}

TEST(NotAComponent, SaysWhatTheFileIsAndWhatToDo) {
  const Error module = not_a_component("x.wasm", WasmKind::core_module);
  EXPECT_EQ(module.code(), ErrorCode::not_a_component);
  EXPECT_THAT(module.message(), HasSubstr("core module"));
  EXPECT_THAT(module.hint(), HasSubstr("torvyn build x.wasm"));
  EXPECT_THAT(not_a_component("x.wasm", WasmKind::text).message(), HasSubstr("text file"));
  EXPECT_THAT(not_a_component("x.wasm", WasmKind::component, "unexpected end").message(), HasSubstr("unexpected end"));
}

}  // namespace
}  // namespace torvyn::contracts
