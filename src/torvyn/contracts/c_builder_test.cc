#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "torvyn/contracts/bridge_values.h"
#include "torvyn/contracts/build.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view drops_all = R"(#include "torvyn/transform.h"
bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  torvyn_streaming_types_buffer_drop_borrow(input->payload);
  torvyn_streaming_types_flow_context_drop_borrow(input->context);
  torvyn_string_free(&input->meta.content_type);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_DROP;
  return true;
}
)";

class ComponentBuilder : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "torvyn-build-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const fs::path& name, std::string_view text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  static std::string read(const fs::path& path) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  Result<BuildOutput> build(BuildRequest request) {
    request.on_output = [this](std::string_view text) { compiler_output_ += text; };
    return build_component(request);
  }
  Result<BuildOutput> build(const fs::path& source) {
    BuildRequest request;
    request.sources = {source};
    return build(std::move(request));
  }
  // The component's imports and exports; "" and a failed test if it is none.
  static std::string describe(const fs::path& component) {
    const std::string bytes = read(component);
    tvb_string json{};
    tvb_failure failure{};
    if (tvb_wasm_describe(view_of(bytes), &json, &failure) == TVB_OK) return take(json);
    ADD_FAILURE() << take_error(failure, ErrorCode::not_a_component).to_string();
    return {};
  }

  fs::path folder_;
  std::string compiler_output_;
};

TEST_F(ComponentBuilder, MakesAComponentOfCWithoutWasi) {
  const auto output = build(write("drop.c", drops_all));
  ASSERT_TRUE(output.has_value()) << output.error().to_string() << compiler_output_;
  EXPECT_EQ(output->component, folder_ / "drop.wasm");
  EXPECT_EQ(output->world, "torvyn:streaming/transform@0.1.0");
  EXPECT_EQ(output->size_bytes, fs::file_size(output->component));
  EXPECT_FALSE(output->up_to_date);
  EXPECT_EQ(compiler_output_, "");
  const std::string described = describe(output->component);
  EXPECT_THAT(described, HasSubstr("torvyn:streaming/processor@0.1.0"));
  EXPECT_THAT(described, Not(HasSubstr("wasi:")));
  EXPECT_THAT(described, Not(HasSubstr("torvyn:capabilities"))) << "an unused import does not appear";
}

TEST_F(ComponentBuilder, MakesAComponentOfOrdinaryCppWithoutWasi) {
  const auto source = write("app/count.cpp", R"(#include "torvyn/data_sink.h"
#include <cassert>
#include <cstdio>
#include <map>
#include <string>
#include <vector>
static std::map<std::string, int> types;
bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config, exports_torvyn_streaming_lifecycle_process_error_t*) {
  torvyn_string_free(config);
  return true;
}
void exports_torvyn_streaming_lifecycle_teardown() {}
bool exports_torvyn_streaming_sink_push(exports_torvyn_streaming_sink_stream_element_t* element,
                                        exports_torvyn_streaming_sink_backpressure_signal_t* result,
                                        exports_torvyn_streaming_sink_process_error_t*) {
  types[std::string(reinterpret_cast<char*>(element->meta.content_type.ptr), element->meta.content_type.len)]++;
  assert(!types.empty());
  torvyn_string_free(&element->meta.content_type);
  torvyn_streaming_types_buffer_drop_borrow(element->payload);
  torvyn_streaming_types_flow_context_drop_borrow(element->context);
  *result = TORVYN_STREAMING_TYPES_BACKPRESSURE_SIGNAL_READY;
  return true;
}
bool exports_torvyn_streaming_sink_complete(exports_torvyn_streaming_sink_process_error_t*) {
  char text[64];
  const int size = std::snprintf(text, sizeof text, "%zu types", types.size());
  torvyn_string_t lent{reinterpret_cast<uint8_t*>(text), static_cast<size_t>(size)};
  torvyn_diagnostics_log_log(TORVYN_DIAGNOSTICS_LOG_LEVEL_INFO, &lent);
  return true;
}
)");
  const auto output = build(source.parent_path());
  ASSERT_TRUE(output.has_value()) << output.error().to_string() << compiler_output_;
  EXPECT_EQ(output->component, source.parent_path() / "app.wasm") << "a folder's component is named after it";
  const std::string described = describe(output->component);
  EXPECT_THAT(described, HasSubstr("torvyn:streaming/sink@0.1.0"));
  EXPECT_THAT(described, HasSubstr("torvyn:diagnostics/log@0.1.0"));
  EXPECT_THAT(described, Not(HasSubstr("wasi:")));
}

TEST_F(ComponentBuilder, BringsTheAdapterWhereWasiIsUsed) {
  std::string text(drops_all);
  text.insert(0, "#include <stdio.h>\n");
  text.insert(text.find("  result->tag"), "  puts(\"dropped\");\n");
  const auto output = build(write("loud.c", text));
  ASSERT_TRUE(output.has_value()) << output.error().to_string() << compiler_output_;
  EXPECT_THAT(describe(output->component), HasSubstr("wasi:cli/stdout"));
}

TEST_F(ComponentBuilder, DoesNothingWhileNothingChanges) {
  const auto header = write("detail.h", "#pragma once\n");
  const auto source = write("drop.c", "#include \"detail.h\"\n" + std::string(drops_all));
  ASSERT_TRUE(build(source).has_value()) << compiler_output_;
  const auto built = fs::last_write_time(folder_ / "drop.wasm");

  const auto second = build(source);
  ASSERT_TRUE(second.has_value());
  EXPECT_TRUE(second->up_to_date);
  EXPECT_EQ(second->world, "torvyn:streaming/transform@0.1.0");
  EXPECT_EQ(fs::last_write_time(folder_ / "drop.wasm"), built);
}

TEST_F(ComponentBuilder, BuildsAgainWhenAHeaderAFlagOrTheOutputChanges) {
  const auto header = write("detail.h", "#pragma once\n");
  const auto source = write("drop.c", "#include \"detail.h\"\n" + std::string(drops_all));
  BuildRequest request;
  request.sources = {source};
  ASSERT_TRUE(build(request).has_value()) << compiler_output_;

  write("detail.h", "#pragma once\nenum { something = 1 };\n");
  auto output = build(request);
  ASSERT_TRUE(output.has_value());
  EXPECT_FALSE(output->up_to_date);

  request.flags = {"-DSOMETHING"};
  output = build(request);
  ASSERT_TRUE(output.has_value());
  EXPECT_FALSE(output->up_to_date);

  fs::remove(output->component);
  output = build(request);
  ASSERT_TRUE(output.has_value());
  EXPECT_FALSE(output->up_to_date);
  EXPECT_TRUE(fs::exists(output->component));
}

TEST_F(ComponentBuilder, GivesTheSameBytesInAnyFolder) {
  const auto first = build(write("one/drop.c", drops_all));
  const auto second = build(write("two/deeper/drop.c", drops_all));
  ASSERT_TRUE(first.has_value() && second.has_value()) << compiler_output_;
  EXPECT_EQ(read(first->component), read(second->component));
  EXPECT_THAT(read(first->component), Not(HasSubstr(folder_.string())));
}

TEST_F(ComponentBuilder, KeepsFunctionNamesAndDropsLineTablesInARelease) {
  BuildRequest request;
  request.sources = {write("drop.c", drops_all)};
  const auto debug = build(request);
  ASSERT_TRUE(debug.has_value()) << compiler_output_;
  EXPECT_THAT(read(debug->component), HasSubstr(".debug_line"));
  request.release = true;
  const auto release = build(request);
  ASSERT_TRUE(release.has_value()) << compiler_output_;
  EXPECT_THAT(read(release->component), Not(HasSubstr(".debug_line")));
  EXPECT_THAT(read(release->component), HasSubstr("exports_torvyn_streaming_processor_process"));
}

TEST_F(ComponentBuilder, PassesTheCompilersWordsOnAndPlacesTheFirstError) {
  const auto source = write("bad.c", "#include \"torvyn/transform.h\"\nint x = ;\n");
  const auto output = build(source);
  ASSERT_FALSE(output.has_value());
  EXPECT_EQ(output.error().code(), ErrorCode::build_failed);
  EXPECT_EQ(output.error().detail().file, source.string());
  EXPECT_EQ(output.error().detail().line, 2U);
  EXPECT_EQ(output.error().detail().column, 9U);
  EXPECT_THAT(output.error().message(), HasSubstr("expected expression"));
  EXPECT_THAT(compiler_output_, HasSubstr("error: expected expression\n    2 | int x = ;"));
  EXPECT_FALSE(fs::exists(folder_ / "bad.wasm"));
}

TEST_F(ComponentBuilder, KeepsTheLastComponentWhenABuildFails) {
  const auto source = write("drop.c", drops_all);
  const auto good = build(source);
  ASSERT_TRUE(good.has_value()) << compiler_output_;
  const std::string before = read(good->component);
  write("drop.c", "#include \"torvyn/transform.h\"\n#error no\n");
  EXPECT_FALSE(build(source).has_value());
  EXPECT_EQ(read(good->component), before);
}

TEST_F(ComponentBuilder, NamesTheFunctionThatAWorldAsksFor) {
  const auto output = build(write("empty.c", "#include \"torvyn/transform.h\"\n"));
  ASSERT_FALSE(output.has_value());
  EXPECT_EQ(output.error().code(), ErrorCode::build_failed);
  EXPECT_THAT(output.error().message(), HasSubstr("exports_torvyn_streaming_processor_process"));
  EXPECT_THAT(
      output.error().message(),
      HasSubstr("does not define `exports_torvyn_streaming_processor_process`, which its world `transform` asks for"));
}

TEST_F(ComponentBuilder, ListsTheWorldsWhereNoneIsIncluded) {
  const auto output = build(write("plain.c", "int x;\n"));
  ASSERT_FALSE(output.has_value());
  EXPECT_EQ(output.error().code(), ErrorCode::usage);
  EXPECT_THAT(output.error().hint(), HasSubstr("managed-transform"));
  EXPECT_THAT(output.error().hint(), HasSubstr("batch-data-sink"));
}

TEST_F(ComponentBuilder, RefusesTwoWorlds) {
  const auto output = build(write("two.c", "#include \"torvyn/transform.h\"\n#include \"torvyn/data_sink.h\"\n"));
  ASSERT_FALSE(output.has_value());
  EXPECT_EQ(output.error().code(), ErrorCode::usage);
  EXPECT_THAT(output.error().message(), HasSubstr("`transform`"));
  EXPECT_THAT(output.error().message(), HasSubstr("`data-sink`"));
}

TEST_F(ComponentBuilder, RefusesAHeaderThatIsNoWorlds) {
  const auto output = build(write("typo.c", "#include \"torvyn/tranform.h\"\n"));
  ASSERT_FALSE(output.has_value());
  EXPECT_EQ(output.error().code(), ErrorCode::usage);
  EXPECT_THAT(output.error().message(), HasSubstr("torvyn/tranform.h"));
}

TEST_F(ComponentBuilder, BuildsForAWorldOfTheProjectsOwnWit) {
  write("wit/app.wit",
        "package app:app;\n"
        "interface dictionary {\n  look-up: func(word: string) -> option<string>;\n}\n"
        "world translator {\n  include torvyn:streaming/transform@0.1.0;\n  import dictionary;\n}\n");
  // A copy of the contract, as other tools want it, changes nothing.
  write("wit/deps/streaming/types.wit", "package torvyn:streaming@0.1.0;\n");
  std::string text(drops_all);
  text.replace(0, text.find('\n'), "#include \"torvyn/translator.h\"");
  text.insert(text.find("  result->tag"),
              "  torvyn_string_t word, found;\n  torvyn_string_set(&word, \"w\");\n"
              "  if (app_app_dictionary_look_up(&word, &found)) torvyn_string_free(&found);\n");
  BuildRequest request;
  request.sources = {write("translate.c", text)};
  request.wit_dir = folder_ / "wit";
  const auto output = build(request);
  ASSERT_TRUE(output.has_value()) << output.error().to_string() << compiler_output_;
  EXPECT_EQ(output->world, "app:app/translator");
  EXPECT_THAT(describe(output->component), HasSubstr("app:app/dictionary"));
}

TEST_F(ComponentBuilder, FreesTheListsInTypesOfEveryPackage) {
  // The contract has a list<u8> of its own, and the second interface has all that the first has: the bindings define each once.
  write("wit/app.wit",
        "package app:app;\n"
        "interface store {\n"
        "  record pair { key: list<u8>, value: option<list<u8>> }\n"
        "  variant found { one(list<u8>), many(list<list<u8>>) }\n"
        "  first: func() -> pair;\n  find: func(key: list<u8>) -> found;\n}\n"
        "interface other-store {\n"
        "  record rows { rows: list<list<u8>>, best: option<list<u8>>, cell: tuple<list<u8>, u32> }\n"
        "  all: func() -> rows;\n}\n"
        "world storing {\n  include torvyn:streaming/transform@0.1.0;\n  import store;\n  import other-store;\n}\n");
  std::string text(drops_all);
  text.replace(0, text.find('\n'), "#include \"torvyn/storing.h\"");
  BuildRequest request;
  request.sources = {write("store.c", text)};
  request.wit_dir = folder_ / "wit";
  const auto output = build(request);
  ASSERT_TRUE(output.has_value()) << output.error().to_string() << compiler_output_;
  const std::string bindings = read(folder_ / "target" / "store" / "bindings" / "torvyn.c");
  for (const char* freed : {"torvyn_list_u8_free(&ptr->key);", "torvyn_option_list_u8_free(&ptr->value);",
                            "torvyn_list_u8_free(&ptr->val.one);", "torvyn_list_list_u8_free(&ptr->val.many);",
                            "torvyn_list_list_u8_free(&ptr->rows);", "torvyn_option_list_u8_free(&ptr->best);",
                            "torvyn_tuple2_list_u8_u32_free(&ptr->cell);"})
    EXPECT_THAT(bindings, HasSubstr(freed));
}

TEST_F(ComponentBuilder, PlacesAnErrorInTheProjectsWit) {
  const auto wit = write("wit/app.wit", "package app:app;\nworld w {\n  import nowhere;\n}\n");
  BuildRequest request;
  request.sources = {write("drop.c", drops_all)};
  request.wit_dir = folder_ / "wit";
  const auto output = build(request);
  ASSERT_FALSE(output.has_value());
  EXPECT_EQ(output.error().code(), ErrorCode::wit_unresolved);
  EXPECT_EQ(output.error().detail().file, wit.string());
  EXPECT_EQ(output.error().detail().line, 3U);
}

TEST_F(ComponentBuilder, MakesAComponentOfACoreModule) {
  ASSERT_TRUE(build(write("drop.c", drops_all)).has_value()) << compiler_output_;
  const fs::path module = folder_ / "target" / "drop" / "drop.wasm";
  const auto output = build(module);
  ASSERT_TRUE(output.has_value()) << output.error().to_string();
  EXPECT_EQ(output->component.filename(), "drop.component.wasm");
  EXPECT_EQ(read(output->component), read(folder_ / "drop.wasm"));
  EXPECT_TRUE(build(module)->up_to_date);
}

TEST_F(ComponentBuilder, SaysWhatACoreModuleLacks) {
  const auto module = write("bare.wasm", std::string_view("\0asm\1\0\0\0", 8));
  const auto output = build(module);
  ASSERT_FALSE(output.has_value());
  EXPECT_EQ(output.error().code(), ErrorCode::not_a_component);
  EXPECT_THAT(output.error().message(), HasSubstr("carries no component type"));
  EXPECT_THAT(output.error().hint(), HasSubstr("--world"));
}

TEST_F(ComponentBuilder, SaysWhatAModuleLacksForTheWorldItIsGiven) {
  BuildRequest request;
  request.sources = {write("bare.wasm", std::string_view("\0asm\1\0\0\0", 8))};
  request.world = "transform";
  const auto output = build(request);
  ASSERT_FALSE(output.has_value());
  EXPECT_EQ(output.error().code(), ErrorCode::not_a_component);
  EXPECT_THAT(output.error().message(), HasSubstr("torvyn:streaming/processor@0.1.0"));
}

TEST_F(ComponentBuilder, RefusesTextAndComponentsAsCoreModules) {
  const auto text = build(write("text.wasm", "hello\n"));
  ASSERT_FALSE(text.has_value());
  EXPECT_EQ(text.error().code(), ErrorCode::not_a_component);
  EXPECT_THAT(text.error().message(), HasSubstr("text file"));

  const auto component = build(write("done.wasm", std::string_view("\0asm\x0d\0\1\0", 8)));
  ASSERT_FALSE(component.has_value());
  EXPECT_EQ(component.error().code(), ErrorCode::usage);
  EXPECT_THAT(component.error().message(), HasSubstr("a component already"));
}

TEST_F(ComponentBuilder, RefusesWhatItCannotBuild) {
  EXPECT_EQ(build(folder_ / "nowhere.c").error().code(), ErrorCode::io_failed);
  EXPECT_EQ(build(write("notes.txt", "hello\n")).error().code(), ErrorCode::usage);
  fs::create_directory(folder_ / "empty");
  EXPECT_EQ(build(folder_ / "empty").error().code(), ErrorCode::usage);
}

TEST_F(ComponentBuilder, NamesTheToolThatIsMissing) {
  const auto source = write("drop.c", drops_all);
  ASSERT_EQ(::setenv("TORVYN_CLANG", "/bin/false", 1), 0);
  const auto output = build(source);
  ::unsetenv("TORVYN_CLANG");
  ASSERT_FALSE(output.has_value());
  EXPECT_EQ(output.error().code(), ErrorCode::tool_missing);
  EXPECT_THAT(output.error().hint(), HasSubstr("apt-get install"));
}

}  // namespace
}  // namespace torvyn::contracts
