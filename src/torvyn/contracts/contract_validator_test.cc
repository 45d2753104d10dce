#include "torvyn/contracts/contract_validator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "torvyn/contracts/test_wit.h"
#include "torvyn/types/file.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Validator : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "torvyn-wit-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const fs::path& name, std::string_view text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  // The contract's packages, as `torvyn init` puts them there.
  void vendor() const {
    for (const WitFile& file : builtin_packages())
      write("deps" / fs::path(file.path).lexically_relative("wit"), file.text);
  }
  void change(const fs::path& name, std::string_view from, std::string_view to) const {
    const auto bytes = read_file(folder_ / name);
    ASSERT_TRUE(bytes.has_value());
    std::string text(bytes->begin(), bytes->end());
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos);
    write(name, text.replace(at, from.size(), to));
  }

  static const ContractValidator& validator() {
    static const ContractValidator made = [] {
      Result<ContractValidator> result = ContractValidator::create();
      TORVYN_ASSERT(result.has_value(), "the contract's own packages are right");
      return *std::move(result);
    }();
    return made;
  }
  FolderReport check() const { return validator().check_folder(folder_); }

  // "world.wit:3:5 E0101"
  std::vector<std::string> places(const std::vector<Error>& errors) const {
    std::vector<std::string> texts;
    for (const Error& error : errors) {
      const ErrorDetail& detail = error.detail();
      texts.push_back(fs::path(detail.file).lexically_relative(folder_).string() + ":" + std::to_string(detail.line) +
                      ":" + std::to_string(detail.column) + " " + code_string(error.code()));
    }
    return texts;
  }

  static ComponentReport check_component(const std::string& file) {
    const auto bytes = read_file(fs::path(TORVYN_TEST_COMPONENTS_DIR) / file);
    EXPECT_TRUE(bytes.has_value()) << bytes.error().to_string();
    const auto model = read_component(*bytes, file);
    EXPECT_TRUE(model.has_value()) << model.error().to_string();
    return validator().check_component(*model, file);
  }

  fs::path folder_;
};

TEST_F(Validator, FindsTheRolesOfAProjectsWorlds) {
  write("world.wit", R"(package my:app@1.0.0;
world shout {
  include torvyn:streaming/managed-transform@0.1.0;
}
world feed {
  include torvyn:batching/batch-data-source@0.1.0;
}
)");
  vendor();
  const FolderReport report = check();
  EXPECT_THAT(places(report.errors), IsEmpty());
  EXPECT_THAT(report.warnings, IsEmpty());
  ASSERT_THAT(report.worlds, SizeIs(2));
  EXPECT_EQ(report.worlds[0].name, "my:app/shout@1.0.0");
  ASSERT_THAT(report.worlds[0].roles, SizeIs(1));
  EXPECT_EQ(report.worlds[0].roles[0].role, Role::processor);
  EXPECT_EQ(report.worlds[0].roles[0].contract, Contract::element);
  EXPECT_THAT(report.worlds[0].exports, Contains("torvyn:streaming/lifecycle@0.1.0"));
  EXPECT_EQ(report.worlds[1].roles[0].role, Role::source);
  EXPECT_EQ(report.worlds[1].roles[0].contract, Contract::batch);
  EXPECT_THAT(report.packages, Contains("torvyn:streaming@0.1.0"));
}

TEST_F(Validator, NeedsNoCopyOfTheContract) {
  write("world.wit", "package my:app;\nworld shout {\n  include torvyn:streaming/transform@0.1.0;\n}\n");
  const FolderReport report = check();
  EXPECT_THAT(places(report.errors), IsEmpty());
  EXPECT_THAT(report.worlds, SizeIs(1));
}

TEST_F(Validator, TellsASyntaxErrorOfEachFile) {
  write("a.wit", "package my:app;\ninterface a {\n  f: func(;\n}\n");
  write("b.wit", "interface b {\n  g: fun();\n}\n");
  write("deps/other/other.wit", "package other:other;\ninterface {\n}\n");
  const FolderReport report = check();
  EXPECT_THAT(places(report.errors),
              ElementsAre("a.wit:3:11 E0100", "b.wit:2:6 E0100", "deps/other/other.wit:2:11 E0100"));
  EXPECT_EQ(report.errors[0].detail().source_line, "  f: func(;");
}

TEST_F(Validator, TellsEveryUnknownNameOfAPackage) {
  write("a.wit", "package my:app;\ninterface a {\n  f: func() -> nothing;\n  g: func(x: list<nobody>);\n}\n");
  const FolderReport report = check();
  EXPECT_THAT(places(report.errors), ElementsAre("a.wit:3:16 E0101", "a.wit:4:19 E0101"));
  EXPECT_THAT(report.errors[1].message(), HasSubstr("nobody"));
}

TEST_F(Validator, TellsPackagesThatAreNotThereOfEachPackageThatUsesThem) {
  write("a.wit", "package my:app;\ninterface a {\n  use far:away/types.{t};\n}\n");
  write("deps/other/other.wit", "package other:other;\ninterface o {\n  use also:gone/types.{t};\n}\n");
  write("deps/third/third.wit", "package third:third;\ninterface o {\n  use other:other/o.{t};\n}\n");
  const FolderReport report = check();
  EXPECT_THAT(places(report.errors),
              testing::UnorderedElementsAre("a.wit:3:7 E0101", "deps/other/other.wit:3:7 E0101"));
}

TEST_F(Validator, DoesNotBlameAPackageForTheSyntaxOfAnother) {
  write("a.wit", "package my:app;\ninterface a {\n  use other:other/o.{t};\n}\n");
  write("deps/other/other.wit", "package other:other;\ninterface o {\n  type t == u8;\n}\n");
  EXPECT_THAT(places(check().errors), ElementsAre("deps/other/other.wit:3:11 E0100"));
}

TEST_F(Validator, WantsAPackageName) {
  write("a.wit", "interface a {\n}\n");
  const FolderReport report = check();
  EXPECT_THAT(places(report.errors), ElementsAre("a.wit:0:0 E0100"));
  EXPECT_THAT(report.errors[0].message(), HasSubstr("package"));
}

TEST_F(Validator, WantsAWorldThatMakesAStage) {
  write("a.wit", "package my:app;\ninterface a {\n  f: func();\n}\nworld greeter {\n  export a;\n}\n");
  const FolderReport report = check();
  EXPECT_THAT(places(report.errors), ElementsAre("a.wit:5:7 E0102"));
  EXPECT_THAT(report.errors[0].message(), HasSubstr("`my:app/a`"));
  EXPECT_EQ(report.errors[0].detail().caret_length, 7U);
}

TEST_F(Validator, WarnsOfAWorldThatMakesNoStageBesideOneThatDoes) {
  write("a.wit",
        "package my:app;\ninterface a {\n  f: func();\n}\nworld greeter {\n  export a;\n}\n"
        "world part {\n  import torvyn:diagnostics/log@0.1.0;\n}\n"
        "world shout {\n  include torvyn:streaming/transform@0.1.0;\n  include part;\n}\n");
  const FolderReport report = check();
  EXPECT_THAT(report.errors, IsEmpty());
  EXPECT_THAT(places(report.warnings), ElementsAre("a.wit:5:7 E0102"));
}

TEST_F(Validator, ShowsWhereACopyOfTheContractWasChanged) {
  vendor();
  change("deps/torvyn-streaming/types.wit", "    timestamp-ns: u64,\n", "");
  const FolderReport report = check();
  ASSERT_THAT(report.errors, SizeIs(1));
  const Error& error = report.errors[0];
  EXPECT_EQ(error.code(), ErrorCode::interfaces_incompatible);
  EXPECT_THAT(error.detail().file, testing::EndsWith("deps/torvyn-streaming/types.wit"));
  EXPECT_THAT(error.detail().source_line, HasSubstr("record element-meta"));
  EXPECT_THAT(error.message(), HasSubstr("this Torvyn has:\n    record element-meta {\n        sequence: u64,\n        "
                                         "timestamp-ns: u64,"));
}

TEST_F(Validator, RefusesACopyOfAnotherVersion) {
  write("world.wit", "package my:app;\nworld shout {\n  include torvyn:streaming/transform@0.1.0;\n}\n");
  write("deps/streaming-0.2/types.wit", "package torvyn:streaming@0.2.0;\ninterface types {\n  type x = u8;\n}\n");
  const FolderReport report = check();
  ASSERT_THAT(places(report.errors), ElementsAre("deps/streaming-0.2/types.wit:2:11 E0201"));
  EXPECT_THAT(report.errors[0].message(), HasSubstr("version 0.2.0"));
}

TEST_F(Validator, WarnsOfWhatIsDeprecated) {
  write("deps/old/old.wit", R"(package old:old@1.0.0;
@since(version = 1.0.0)
@deprecated(version = 1.2.0)
interface gone {
  f: func();
}
interface types {
  @since(version = 1.0.0)
  @deprecated(version = 1.1.0)
  type t = u8;
}
)");
  write("a.wit", R"(package my:app;
interface a {
  use old:old/types@1.0.0.{t};
  f: func(x: t);
}
world shout {
  include torvyn:streaming/transform@0.1.0;
  import old:old/gone@1.0.0;
}
)");
  const FolderReport report = check();
  EXPECT_THAT(places(report.errors), IsEmpty());
  EXPECT_THAT(places(report.warnings), testing::UnorderedElementsAre("a.wit:6:7 E0110", "a.wit:4:3 E0110"));
  EXPECT_THAT(report.warnings[0].message(), HasSubstr("deprecated since 1.2.0"));
}

TEST_F(Validator, RefusesAFolderThatIsNotThere) {
  const FolderReport report = validator().check_folder(folder_ / "nowhere");
  ASSERT_THAT(report.errors, SizeIs(1));
  EXPECT_EQ(report.errors[0].code(), ErrorCode::io_failed);
}

TEST_F(Validator, TakesComponentsOfTheContract) {
  const ComponentReport upper = check_component("upper.wasm");
  EXPECT_THAT(upper.errors, IsEmpty());
  EXPECT_THAT(upper.mismatches, IsEmpty());
  ASSERT_THAT(upper.roles, SizeIs(1));
  EXPECT_EQ(upper.roles[0].role, Role::processor);
  EXPECT_EQ(upper.roles[0].interface, "torvyn:streaming/processor@0.1.0");
  EXPECT_THAT(check_component("upper-batch.wasm").errors, IsEmpty());
  EXPECT_THAT(check_component("rust/grep.wasm").errors, IsEmpty());
}

TEST_F(Validator, ShowsBothSidesOfATypeThatAComponentWasBuiltAgainst) {
  const ComponentReport report = check_component("../tests/components/drifted-sink.wasm");
  ASSERT_THAT(report.errors, SizeIs(1));
  EXPECT_EQ(report.errors[0].code(), ErrorCode::interfaces_incompatible);
  EXPECT_THAT(report.errors[0].message(),
              HasSubstr("`push` is not what this Torvyn calls\n"
                        "type `element-meta` of torvyn:streaming/types\n"
                        "  the component has:\n"
                        "    record element-meta {\n        sequence: u64,\n        content-type: string,\n    }\n"
                        "  this Torvyn has:\n"
                        "    record element-meta {\n        sequence: u64,\n        timestamp-ns: u64,\n"));
  ASSERT_THAT(report.mismatches, SizeIs(1));
  EXPECT_THAT(report.mismatches[0].exporters_lack, ElementsAre("push"));
  ASSERT_THAT(report.roles, SizeIs(1));
  EXPECT_EQ(report.roles[0].interface, "torvyn:streaming/sink@0.1.9");
}

TEST_F(Validator, ShowsBothSidesOfAFunctionThatAComponentCalls) {
  const ComponentReport report = check_component("../tests/components/drifted-transform.wasm");
  std::string all;
  for (const Error& error : report.errors) all += error.message();
  EXPECT_THAT(all, HasSubstr("`allocate` is not what this Torvyn provides"));
  EXPECT_THAT(all, HasSubstr("    allocate: func(capacity-hint: u32) -> result<mutable-buffer, buffer-error>\n"
                             "  this Torvyn has:\n"
                             "    allocate: func(capacity-hint: u64) -> result<mutable-buffer, buffer-error>\n"));
}

TEST_F(Validator, NamesTheVersionThatAComponentSpeaks) {
  const ComponentReport report = check_component("../tests/components/other-version.wasm");
  ASSERT_THAT(report.errors, SizeIs(1));
  EXPECT_EQ(report.errors[0].code(), ErrorCode::version_incompatible);
  EXPECT_THAT(report.errors[0].message(), HasSubstr("torvyn:streaming/processor@0.2.0"));
  EXPECT_THAT(report.roles, IsEmpty());
}

TEST_F(Validator, WarnsOfADeprecatedFunctionThatAComponentCalls) {
  std::vector<std::string> texts;
  for (const WitFile& file : builtin_packages()) texts.emplace_back(file.text);
  std::vector<WitFile> packages(builtin_packages().begin(), builtin_packages().end());
  for (std::size_t i = 0; i < packages.size(); ++i) {
    const std::size_t at = texts[i].find("    read-all: func()");
    if (at != std::string::npos) texts[i].insert(at, "    @since(version = 0.1.0)\n    @deprecated(version = 0.1.0)\n");
    packages[i].text = texts[i];
  }
  const auto later = ContractValidator::create(packages);
  ASSERT_TRUE(later.has_value()) << later.error().to_string();
  const auto bytes = read_file(fs::path(TORVYN_TEST_COMPONENTS_DIR) / "upper.wasm");
  const auto model = read_component(*bytes, "upper.wasm");
  const ComponentReport report = later->check_component(*model, "upper.wasm");
  EXPECT_THAT(report.errors, IsEmpty());
  ASSERT_THAT(report.warnings, SizeIs(1));
  EXPECT_THAT(report.warnings[0].message(), HasSubstr("`buffer.read-all`"));
}

}  // namespace
}  // namespace torvyn::contracts
