#include "torvyn/connectors/connectors.h"

#include <set>

#include "torvyn/connectors/test_stages.h"

namespace torvyn::connectors {
namespace {

using testing::HasSubstr;

class MakeBuiltin : public StageTest {
 protected:
  Error error_of(Position position, std::string_view component, std::vector<Setting> settings = {}) {
    const auto stage = try_make(position, component, std::move(settings));
    if (stage) {
      ADD_FAILURE() << "made " << component;
      std::abort();
    }
    return stage.error();
  }
};

TEST(Builtins, AreFoundByNameWithAndWithoutPrefix) {
  for (const BuiltinInfo& info : builtins()) {
    EXPECT_EQ(find_builtin(info.name), &info);
    EXPECT_EQ(find_builtin("builtin:" + std::string(info.name)), &info);
  }
  EXPECT_EQ(find_builtin("builtin"), nullptr);
  EXPECT_EQ(find_builtin(""), nullptr);
}

TEST(Builtins, DescribeEverySettingOnce) {
  for (const BuiltinInfo& info : builtins()) {
    EXPECT_FALSE(info.summary.empty()) << info.name;
    std::set<std::string_view> keys;
    for (const SettingInfo& setting : info.settings) {
      EXPECT_TRUE(keys.insert(setting.key).second) << info.name << " " << setting.key;
      EXPECT_FALSE(setting.type.empty() || setting.help.empty()) << info.name << " " << setting.key;
      EXPECT_TRUE((info.positions.source && setting.positions.source) ||
                  (info.positions.sink && setting.positions.sink));
    }
  }
}

TEST_F(MakeBuiltin, MakesEveryStageInEveryPositionItCanTake) {
  for (const BuiltinInfo& info : builtins()) {
    std::vector<Setting> settings;
    if (info.name == "file") settings = {{"path", "name"}};
    for (const Position position : {Position::source, Position::sink}) {
      const auto stage = try_make(position, info.name, settings);
      EXPECT_EQ(stage.has_value(), info.positions.contains(position)) << info.name;
      if (stage) {
        EXPECT_EQ((*stage)->path(), "builtin");
        EXPECT_EQ((*stage)->copies()[0].copies, 0U);
      } else {
        EXPECT_EQ(stage.error().code(), ErrorCode::graph_invalid);
      }
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_)) << "nothing is opened before start";
}

TEST_F(MakeBuiltin, NamesTheNearestStage) {
  const Error error = error_of(Position::sink, "builtin:stdou");
  EXPECT_EQ(error.code(), ErrorCode::component_not_found);
  EXPECT_THAT(error.message(), HasSubstr("did you mean `stdout`?"));
}

TEST_F(MakeBuiltin, NamesTheNearestSettingAndItsPlace) {
  const Error error = error_of(Position::source, "file", {{"", "in"}, {"chnk", "4KiB"}});
  EXPECT_EQ(error.code(), ErrorCode::unknown_key);
  EXPECT_EQ(error.message(), "unknown key `chnk`, did you mean `chunk`?");
  EXPECT_THAT(error.hint(), HasSubstr("path, long_lines, chunk"));
  EXPECT_EQ(error.detail().file, "<pipeline>");
  EXPECT_EQ(error.detail().column, 20U);
}

TEST_F(MakeBuiltin, RefusesAWordWhereAStageTakesNone) {
  const Error error = error_of(Position::sink, "stdout", {{"", "out.txt"}});
  EXPECT_EQ(error.code(), ErrorCode::usage);
  EXPECT_THAT(error.message(), HasSubstr("`out.txt`"));
}

TEST_F(MakeBuiltin, RefusesASettingOfTheOtherPosition) {
  EXPECT_EQ(error_of(Position::source, "file", {{"", "a"}, {"append", "true"}}).code(), ErrorCode::usage);
  EXPECT_EQ(error_of(Position::sink, "file", {{"", "a"}, {"chunk", "1"}}).code(), ErrorCode::usage);
}

TEST_F(MakeBuiltin, RefusesASettingGivenTwiceInEitherSpelling) {
  EXPECT_THAT(error_of(Position::source, "file", {{"", "a"}, {"path", "b"}}).message(), HasSubstr("given twice"));
  EXPECT_THAT(error_of(Position::source, "generate", {{"rate", "1"}, {"rate", "1"}}).message(),
              HasSubstr("given twice"));
  EXPECT_THAT(error_of(Position::source, "generate", {{"", "1"}, {"", "1"}}).message(), HasSubstr("given twice"));
}

TEST_F(MakeBuiltin, RefusesValuesOutOfRange) {
  context_.max_buffer_bytes = 4096;
  const std::vector<std::pair<std::string, std::vector<Setting>>> cases = {
      {"generate", {{"", "many"}}},
      {"generate", {{"", "-1"}}},
      {"generate", {{"", ""}}},
      {"generate", {{"count", "1.5"}}},
      {"generate", {{"rate", "0"}}},
      {"generate", {{"rate", "-2"}}},
      {"generate", {{"rate", "nan"}}},
      {"generate", {{"rate", "inf"}}},
      {"generate", {{"rate", "1e10"}}},
      {"generate", {{"size", "4097"}}},
      {"generate", {{"size", "big"}}},
      {"generate", {{"text", std::string(4097, 'x')}}},
      {"stdin", {{"chunk", "0"}}},
      {"stdin", {{"chunk", "4097"}}},
      {"stdin", {{"long_lines", "drop"}}},
      {"file", {{"", "a"}, {"chunk", "x"}}},
      {"file", {{"path", {"a\0b", 3}}}}};
  for (const auto& [component, settings] : cases) {
    const Error error = error_of(Position::source, component, settings);
    EXPECT_EQ(error.code(), ErrorCode::out_of_range) << component << " " << settings.back().second;
    EXPECT_EQ(error.detail().line, 1U);
  }
  EXPECT_EQ(error_of(Position::sink, "file", {{"", "a"}, {"append", "yes"}}).code(), ErrorCode::out_of_range);
  EXPECT_TRUE(try_make(Position::source, "stdin", {{"chunk", "4096"}}));
  EXPECT_TRUE(try_make(Position::source, "generate", {{"text", std::string(4096, 'x')}}));
}

TEST_F(MakeBuiltin, RefusesLongLinesBesideChunk) {
  EXPECT_EQ(error_of(Position::source, "stdin", {{"chunk", "1"}, {"long_lines", "split"}}).code(), ErrorCode::usage);
}

TEST_F(MakeBuiltin, AsksForTheMissingPath) {
  for (const std::vector<Setting>& settings : {std::vector<Setting>{}, std::vector<Setting>{{"", ""}}}) {
    const Error error = error_of(Position::source, "file", settings);
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_THAT(error.message(), HasSubstr("needs a path"));
    EXPECT_EQ(error.detail().file, "<pipeline>");
  }
}

TEST_F(MakeBuiltin, TakesAManifestsConfigTextAsTheMainSetting) {
  write_file("in", "a\n");
  config::NodeConfig node;
  node.component = "builtin:file";
  node.config = "in";
  const auto stage = make_builtin(node, Position::source, context_);
  ASSERT_TRUE(stage);
  ASSERT_TRUE((*stage)->start());
  EXPECT_THAT(pull_all(**stage), testing::ElementsAre("a\n"));
}

TEST_F(MakeBuiltin, NullTakesEverything) {
  const auto sink = started(Position::sink, "null");
  auto run = run_of({"a", "", "b"});
  const auto outcome = sink->push(run);
  EXPECT_EQ(outcome.status, reactor::StageStatus::ok);
  EXPECT_EQ(outcome.done, 3U);
  EXPECT_TRUE(sink->complete());
}

}  // namespace
}  // namespace torvyn::connectors
