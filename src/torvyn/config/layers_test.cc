#include "torvyn/config/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/config/schema.h"

namespace torvyn::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view project = R"([torvyn]
name = "x"
version = "0.1.0"
contract_version = "0.1.0"
[flow.main.nodes.lines]
component = "builtin:stdin"
[flow.main.nodes.upper]
component = "upper.wasm"
config = { pattern = "a", deep = { k = 1 } }
)";  // 9 lines

class Layers : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "torvyn-layers-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    sources_.machine_file = folder_ / "machine.toml";
    sources_.user_file = folder_ / "user.toml";
    sources_.project_file = folder_ / "Torvyn.toml";
    write_project("");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static void write(const std::filesystem::path& path, std::string_view text) { std::ofstream(path) << text; }
  void write_project(std::string_view rest) { write(sources_.project_file, std::string(project) + std::string(rest)); }
  void write_user(std::string_view text) { write(sources_.user_file, text); }
  void write_machine(std::string_view text) { write(sources_.machine_file, text); }

  Configuration loaded() {
    Result<Configuration> configuration = load_configuration(sources_);
    EXPECT_TRUE(configuration.has_value()) << (configuration ? "" : configuration.error().to_string());
    return configuration.value_or(Configuration{});
  }
  Error refused() {
    const Result<Configuration> configuration = load_configuration(sources_);
    EXPECT_FALSE(configuration.has_value());
    return configuration ? Error(ErrorCode::internal_error, "was read") : configuration.error();
  }
  EffectiveValue value_of(std::string_view path) {
    const Configuration configuration = loaded();
    const auto found = std::ranges::find(configuration.values, path, &EffectiveValue::path);
    return found == configuration.values.end() ? EffectiveValue{.path = "absent"} : *found;
  }
  std::string origin_of(std::string_view path) {
    std::string text = origin_text(value_of(path).origin);
    if (const std::size_t folder = text.find(folder_.string() + "/"); folder == 0)
      text.erase(0, folder_.string().size() + 1);
    return text;
  }

  std::filesystem::path folder_;
  ConfigurationSources sources_;
};

TEST_F(Layers, StrongerOnesHold) {
  EXPECT_EQ(loaded().manifest.runtime.max_batch, 64U);
  EXPECT_EQ(origin_of("runtime.max_batch"), "default");
  write_machine("[runtime]\nmax_batch = 1\n");
  EXPECT_EQ(loaded().manifest.runtime.max_batch, 1U);
  EXPECT_EQ(origin_of("runtime.max_batch"), "machine.toml:2:13");
  write_user("\n[runtime]\nmax_batch = 2\n");
  EXPECT_EQ(loaded().manifest.runtime.max_batch, 2U);
  EXPECT_EQ(origin_of("runtime.max_batch"), "user.toml:3:13");
  write_project("[runtime]\nmax_batch = 3\n");
  EXPECT_EQ(loaded().manifest.runtime.max_batch, 3U);
  EXPECT_EQ(origin_of("runtime.max_batch"), "Torvyn.toml:11:13");
  sources_.environment = {{"TORVYN_RUNTIME_MAX_BATCH", "4"}};
  EXPECT_EQ(loaded().manifest.runtime.max_batch, 4U);
  EXPECT_EQ(origin_of("runtime.max_batch"), "TORVYN_RUNTIME_MAX_BATCH");
  sources_.assignments = {"runtime.max_batch=5", "runtime.max_batch=6"};
  EXPECT_EQ(loaded().manifest.runtime.max_batch, 6U);
  EXPECT_EQ(origin_of("runtime.max_batch"), "--set");
}

TEST_F(Layers, JoinTablesKeyByKeyAndReplaceLists) {
  write_user("[runtime.pools]\nsmall_pool_size = 1\nlarge_pool_size = 2\n[security]\ndefault_grants = [\"clocks\"]\n");
  write_project("[runtime.pools]\nsmall_pool_size = 3\n[security]\ndefault_grants = [\"random\"]\n");
  const Manifest manifest = loaded().manifest;
  EXPECT_EQ(manifest.runtime.pools.small_pool_size, 3U);
  EXPECT_EQ(manifest.runtime.pools.large_pool_size, 2U);
  EXPECT_THAT(manifest.security.default_grants, ElementsAre(Capability{"random", ""}));
}

TEST_F(Layers, NeedNoProject) {
  sources_.project_file.clear();
  write_user("[runtime]\nmax_batch = 2\n");
  const Configuration configuration = loaded();
  EXPECT_FALSE(configuration.has_project);
  EXPECT_EQ(configuration.manifest.runtime.max_batch, 2U);
  for (const EffectiveValue& value : configuration.values)
    EXPECT_FALSE(value.path.starts_with("torvyn.")) << value.path;
}

TEST_F(Layers, SetAProjectsKeysOnlyWhereThereIsAProject) {
  sources_.project_file.clear();
  for (const char* assignment :
       {"torvyn.name=y", "flow.main.timeout=1s", "capabilities.torvyn.max-memory=1MiB", "component=x"}) {
    sources_.assignments = {assignment};
    const Error error = refused();
    EXPECT_EQ(error.code(), ErrorCode::manifest_not_found) << assignment;
    EXPECT_EQ(error.detail().column, 1U) << assignment;
  }
  sources_.assignments = {"runtime.max_batch=5"};
  EXPECT_EQ(loaded().manifest.runtime.max_batch, 5U);
}

TEST_F(Layers, WantTheProjectThatWasNamed) {
  std::filesystem::remove(sources_.project_file);
  EXPECT_EQ(refused().code(), ErrorCode::manifest_not_found);
}

TEST_F(Layers, SayWhereAMistakeIs) {
  write_user("[runtime]\nmax_batsch = 2\n");
  Error error = refused();
  EXPECT_EQ(error.message(), "unknown key `max_batsch`, did you mean `max_batch`?");
  EXPECT_EQ(error.detail().file, sources_.user_file.string());
  EXPECT_EQ(error.detail().line, 2U);

  // Of the sections, those that such a file may have.
  write_user("[flwo]\n");
  EXPECT_THAT(refused().hint(), testing::Not(HasSubstr("flow")));
  EXPECT_THAT(refused().message(), HasSubstr("in a settings file"));

  write_user("[runtime\n");
  EXPECT_EQ(refused().code(), ErrorCode::manifest_not_toml);
  std::filesystem::remove(sources_.user_file);
  std::filesystem::create_directory(sources_.user_file);
  EXPECT_EQ(refused().code(), ErrorCode::io_failed);
}

TEST_F(Layers, KeepProjectsOutOfSettingsFiles) {
  for (const char* text : {"[flow.main]\n", "[torvyn]\nname = 'x'\n", "[[component]]\n", "[capabilities.torvyn]\n"}) {
    write_user(text);
    const Error error = refused();
    EXPECT_EQ(error.code(), ErrorCode::unknown_key) << text;
    EXPECT_THAT(error.message(), HasSubstr("belongs to a project")) << text;
    EXPECT_EQ(error.detail().line, 1U) << text;
  }
}

TEST_F(Layers, TakeCeilingsFromTheMachineAlone) {
  write_user("[ceilings]\nmax_memory = '1GiB'\n");
  EXPECT_THAT(refused().message(), HasSubstr("`[ceilings]` is for the machine's configuration alone"));
  write_user("");
  write_project("[ceilings]\nmax_memory = '1GiB'\n");
  EXPECT_THAT(refused().message(), HasSubstr("`[ceilings]` is for the machine's configuration alone"));
  write_project("");
  sources_.assignments = {"ceilings.max_memory=1GiB"};
  EXPECT_THAT(refused().message(), HasSubstr("`[ceilings]` is for the machine's configuration alone"));
}

TEST_F(Layers, RefuseWhatIsBeyondACeilingWithBothPlaces) {
  write_machine(
      "[ceilings]\nmax_memory_per_component = '32MiB'\ninvocation_timeout = '500ms'\nmax_cpu = 0.5\n"
      "capabilities = ['clocks', 'filesystem-read:/data']\n");
  const std::pair<const char*, const char*> cases[] = {
      {"[runtime]\nmax_memory_per_component = '64MiB'\n",
       "`max_memory_per_component` is 64 MiB, and this machine allows 32 MiB at most"},
      {"[capabilities.torvyn]\nmax-memory = '33MiB'\n",
       "`max-memory` is 33 MiB, and this machine allows 32 MiB at most"},
      {"[flow.b.nodes.n]\ncomponent = 'c'\nmax_memory = '1GiB'\n", "`max_memory` is 1 GiB, and this machine"},
      {"[flow.b.nodes.n]\ncomponent = 'c'\ntimeout_ms = 501\n", "`timeout` is 501 ms, and this machine allows 500 ms"},
      {"[runtime]\nmax_cpu = 0.75\n", "`max_cpu` is 0.75, and this machine allows 0.5 at most"},
      {"[security]\ndefault_grants = ['clocks', 'random']\n", "`random` may not be granted on this machine"},
      {"[security.grants.c]\ncapabilities = ['filesystem-read:/etc']\n", "`filesystem-read:/etc` may not be granted"},
      {"[flow.b.nodes.n]\ncomponent = 'c'\ngrants = ['environment']\n", "`environment` may not be granted"},
  };
  for (const auto& [text, message] : cases) {
    write_project(text);
    const Error error = refused();
    EXPECT_EQ(error.code(), ErrorCode::beyond_ceiling) << text;
    EXPECT_THAT(error.message(), HasSubstr(message)) << text;
    EXPECT_EQ(error.detail().file, sources_.project_file.string()) << text;
    EXPECT_GT(error.detail().line, 9U) << text;
    EXPECT_THAT(error.hint(), HasSubstr(sources_.machine_file.string() + ":")) << text;
  }
  write_project("");
  sources_.environment = {{"TORVYN_RUNTIME_INVOCATION_TIMEOUT", "2s"}};
  EXPECT_EQ(refused().code(), ErrorCode::beyond_ceiling);
  EXPECT_EQ(refused().detail().source_line, "TORVYN_RUNTIME_INVOCATION_TIMEOUT=2s");
}

TEST_F(Layers, LowerDefaultsToCeilings) {
  write_machine(
      "[ceilings]\nmax_memory_per_component = '32MiB'\nmax_memory = '1GiB'\nmax_handles = 9999\n"
      "capabilities = ['random']\n");
  const Configuration configuration = loaded();
  EXPECT_EQ(configuration.manifest.runtime.max_memory_per_component_bytes, 32 * mib);
  EXPECT_EQ(configuration.manifest.runtime.max_memory_bytes, gib);
  EXPECT_EQ(configuration.manifest.runtime.max_handles, 4096U);
  EXPECT_THAT(configuration.manifest.security.default_grants, ElementsAre(Capability{"random", ""}));
  EXPECT_TRUE(value_of("runtime.max_memory_per_component").origin.is_ceiling);
  EXPECT_EQ(origin_of("runtime.max_memory_per_component"), "machine.toml:2:28");
  EXPECT_EQ(origin_of("runtime.max_handles"), "default");
  EXPECT_EQ(origin_of("flow.main.nodes.upper.max_memory"), "machine.toml:2:28");
}

TEST_F(Layers, AcceptTheExamplesOfCeilings) {
  std::string text = "[ceilings]\n";
  for (const KeySchema& key : manifest_schema().find("ceilings")->table->keys) text += std::string(key.example) + "\n";
  write_machine(text);
  EXPECT_EQ(loaded().manifest.runtime.max_memory_bytes, 8 * gib);
}

TEST_F(Layers, AllowWhatIsWithinACeiling) {
  write_machine("[ceilings]\nmax_memory_per_component = '32MiB'\ncapabilities = ['filesystem-read:/data']\n");
  write_project(
      "[runtime]\nmax_memory_per_component = '32MiB'\n[security]\ndefault_grants = []\n"
      "[security.grants.'upper.wasm']\ncapabilities = ['filesystem-read:/data/in']\n");
  EXPECT_THAT(loaded().manifest.security.default_grants, IsEmpty());
}

TEST_F(Layers, ReadEveryKindOfValueFromTheEnvironment) {
  sources_.environment = {
      {"TORVYN_RUNTIME_WORKER_THREADS", "7"},
      {"TORVYN_RUNTIME_COMPILE_CACHE", "false"},
      {"TORVYN_RUNTIME_MAX_MEMORY_PER_COMPONENT", "128MiB"},
      {"TORVYN_RUNTIME_MAX_LOG_BYTES", "512"},
      {"TORVYN_RUNTIME_COMPONENT_INIT_TIMEOUT_MS", "1500"},
      {"TORVYN_RUNTIME_BACKPRESSURE_LOW_WATERMARK_RATIO", "0.25"},
      {"TORVYN_RUNTIME_BACKPRESSURE_BACKPRESSURE_POLICY", "drop-oldest"},
      {"TORVYN_OBSERVABILITY_SAMPLE_RATE", "1"},
      {"TORVYN_OBSERVABILITY_LISTEN", "0.0.0.0:9464"},
      {"TORVYN_API_SOCKET_MODE", "0660"},
      {"TORVYN_REGISTRY_DEFAULT", "registry.example.org"},
      {"TORVYN_RUNTIME_MAX_BATCH", ""},
      {"PATH", "/bin"},
  };
  const Configuration configuration = loaded();
  const Manifest& manifest = configuration.manifest;
  EXPECT_EQ(manifest.runtime.worker_threads, 7U);
  EXPECT_FALSE(manifest.runtime.compile_cache);
  EXPECT_EQ(manifest.runtime.max_memory_per_component_bytes, 128 * mib);
  EXPECT_EQ(manifest.runtime.max_log_bytes_per_s, 512U);
  EXPECT_EQ(manifest.runtime.component_init_timeout_ns, 1'500 * ms_in_ns);
  EXPECT_EQ(manifest.runtime.backpressure.low_watermark_ratio, 0.25);
  EXPECT_EQ(manifest.runtime.backpressure.full_policy, FullPolicy::drop_oldest);
  EXPECT_EQ(manifest.observability.sample_rate, 1.0);
  EXPECT_EQ(manifest.observability.listen, "0.0.0.0:9464");
  EXPECT_EQ(manifest.api.socket_mode, 0660U);
  EXPECT_EQ(manifest.registry.default_registry, "registry.example.org");
  EXPECT_EQ(manifest.runtime.max_batch, 64U);
}

TEST_F(Layers, PointIntoAVariable) {
  sources_.environment = {{"TORVYN_RUNTIME_COMPILE_CACHE", "yes"}};
  const Error error = refused();
  EXPECT_EQ(error.code(), ErrorCode::wrong_type);
  EXPECT_THAT(error.message(), HasSubstr("`compile_cache` wants true or false, not text"));
  EXPECT_EQ(error.detail().file, "<environment>");
  EXPECT_EQ(error.detail().column, 30U);
  EXPECT_EQ(error.detail().source_line, "TORVYN_RUNTIME_COMPILE_CACHE=yes");
}

TEST_F(Layers, WarnOfVariablesThatSetNothing) {
  sources_.environment = {{"TORVYN_RUNTIME_MAX_BATSCH", "1"},
                          {"TORVYN_PORT_8080_TCP_ADDR", "10.0.0.1"},
                          {"TORVYN_SECURITY_DEFAULT_GRANTS", "spawn"},
                          {"TORVYN_SECURITY_GRANTS_UPPER", "spawn"},
                          {"TORVYN_TORVYN_NAME", "y"},
                          {"TORVYN_LOG", "debug"},
                          {"TORVYN_HOME", "/home"},
                          {"TORVYN_STATE_DIR", "/run"},
                          {"TORVYN_CACHE_DIR", "/cache"},
                          {"TORVYN_CLANG", "clang"}};
  const Configuration configuration = loaded();
  std::vector<std::string> messages;
  for (const Notice& notice : configuration.notices) {
    EXPECT_EQ(notice.code, "W0701");
    EXPECT_NE(notice.hint, "");
    messages.push_back(notice.message);
  }
  EXPECT_THAT(messages,
              ElementsAre(HasSubstr("`TORVYN_RUNTIME_MAX_BATSCH` sets nothing that torvyn knows, did you mean "
                                    "`TORVYN_RUNTIME_MAX_BATCH`?"),
                          HasSubstr("TORVYN_PORT_8080_TCP_ADDR"),
                          HasSubstr("`TORVYN_SECURITY_DEFAULT_GRANTS` is not taken from the environment"),
                          HasSubstr("`TORVYN_SECURITY_GRANTS_UPPER` is not taken from the environment"),
                          HasSubstr("TORVYN_TORVYN_NAME")));
  EXPECT_EQ(configuration.manifest.security, SecurityConfig{});
  EXPECT_EQ(configuration.manifest.name, "x");
}

TEST(EnvironmentNames, AreAllDifferent) {
  std::set<std::string> names;
  for (const auto& [name, path] : environment_names()) {
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_TRUE(name.starts_with("TORVYN_")) << name;
    EXPECT_EQ(path.find("grants"), std::string::npos) << path;
  }
  EXPECT_GT(names.size(), 60U);
}

TEST_F(Layers, SetAnyKeyFromTheCommandLine) {
  sources_.assignments = {"flow.main.nodes.upper.timeout=250ms",
                          "flow.main.nodes.upper.on_error.internal=skip",
                          "flow.main.nodes.upper.config.pattern=b c",
                          "flow.main.nodes.upper.config.deep.k=2",
                          "flow.main.nodes.upper.config.list=[1, 2]",
                          "flow.main.description='quoted'",
                          "security.default_grants=clocks, environment:HOME",
                          "security.grants.\"upper.wasm\".capabilities=[\"stdio\"]",
                          "capabilities.required.clocks=true",
                          "runtime.invocation_timeout_ms=7",
                          "torvyn.authors=Ada,Grace"};
  const Manifest manifest = loaded().manifest;
  const NodeConfig& upper = manifest.flows.at(0).nodes.at(1);
  EXPECT_EQ(upper.timeout_ns, 250 * ms_in_ns);
  EXPECT_EQ(upper.on_error.internal, ErrorAction::skip);
  EXPECT_EQ(upper.config, R"({"pattern":"b c","deep":{"k":2},"list":[1,2]})");
  EXPECT_EQ(upper.component, "upper.wasm");
  EXPECT_EQ(manifest.flows[0].description, "quoted");
  EXPECT_THAT(manifest.security.default_grants,
              ElementsAre(Capability{"clocks", ""}, Capability{"environment", "HOME"}));
  ASSERT_EQ(manifest.security.grants.size(), 1U);
  EXPECT_EQ(manifest.security.grants[0].component, "upper.wasm");
  EXPECT_THAT(manifest.required_capabilities, ElementsAre(Capability{"clocks", ""}));
  EXPECT_EQ(manifest.runtime.invocation_timeout_ns, 7 * ms_in_ns);
  EXPECT_THAT(manifest.authors, ElementsAre("Ada", "Grace"));
}

TEST_F(Layers, PointIntoAnAssignment) {
  struct Case {
    const char* assignment;
    ErrorCode code;
    std::uint32_t column;
    const char* message;
  };
  const Case cases[] = {
      {"runtime.max_batch=0", ErrorCode::out_of_range, 19, "`max_batch` is 0"},
      {"runtime.max_batch=many", ErrorCode::wrong_type, 19, "`max_batch` wants a whole number, not text"},
      {"runtime.max_batsch=1", ErrorCode::unknown_key, 9, "did you mean `max_batch`?"},
      {"runtme.max_batch=1", ErrorCode::unknown_key, 1, "did you mean `runtime`?"},
      {"runtime=5", ErrorCode::wrong_type, 9, "`runtime` wants a table, not text"},
      {"flow.man.timeout=1s", ErrorCode::unknown_flow_or_node, 6, "did you mean `main`?"},
      {"flow.main.nodes.uper.timeout=1s", ErrorCode::unknown_flow_or_node, 17, "did you mean `upper`?"},
      {"flow.main.edges.from=a", ErrorCode::wrong_type, 11, "`edges` wants a list of tables"},
      {"security.default_grants=clock", ErrorCode::out_of_range, 25, "did you mean `clocks`?"},
  };
  for (const Case& bad : cases) {
    sources_.assignments = {bad.assignment};
    const Error error = refused();
    EXPECT_EQ(error.code(), bad.code) << bad.assignment << error.to_string();
    EXPECT_THAT(error.message(), HasSubstr(bad.message)) << bad.assignment;
    EXPECT_EQ(error.detail().file, "<--set>") << bad.assignment;
    EXPECT_EQ(error.detail().column, bad.column) << bad.assignment;
    EXPECT_EQ(error.detail().source_line, bad.assignment);
  }
}

TEST_F(Layers, RefuseWhatIsNoAssignment) {
  for (const char* text :
       {"", "=", "=1", "runtime", "runtime.", "runtime..x=1", ".x=1", "a b=1", "'open=1", "runtime.max_batch"}) {
    sources_.assignments = {text};
    const Error error = refused();
    EXPECT_EQ(error.code(), ErrorCode::usage) << text;
    EXPECT_NE(error.hint(), "") << text;
  }
  sources_.assignments = {std::string("runtime.max_batch=\0001", 20)};
  EXPECT_EQ(refused().code(), ErrorCode::usage);
  std::string deep = "a";
  for (int i = 0; i < 100; ++i) deep += ".a";
  sources_.assignments = {deep + "=1"};
  EXPECT_EQ(refused().code(), ErrorCode::usage);
}

TEST_F(Layers, WarnOfEachSettingThatHasNoEffect) {
  write_user("[observability]\nsample_rate = 0.5\n");
  write_project(
      "[runtime]\nmax_batch = 1\nmax_cpu = 0.5\nfuel_per_invocation = 5\n[security.grants.'a.wasm']\ncapabilities = "
      "['clocks']\n");
  const Configuration configuration = loaded();
  std::vector<std::string> messages;
  for (const Notice& notice : configuration.notices) {
    EXPECT_EQ(notice.code, "W0700");
    EXPECT_NE(notice.where.line, 0U);
    messages.push_back(notice.message.substr(0, notice.message.find(" has no effect")));
  }
  EXPECT_THAT(messages, testing::UnorderedElementsAre("`observability.sample_rate`", "`runtime.fuel_per_invocation`"));
}

TEST_F(Layers, ShowSettingsInTheirExactForm) {
  write_project("[runtime]\ncomponent_init_timeout_ms = 5000\nmax_log = 1500\nmax_memory_per_component = '0.5GiB'\n");
  EXPECT_EQ(value_of("runtime.component_init_timeout").value, "\"5s\"");
  EXPECT_EQ(value_of("runtime.max_log").value, "\"1500B/s\"");
  EXPECT_EQ(value_of("runtime.max_memory_per_component").value, "\"512MiB\"");
  EXPECT_EQ(value_of("runtime.max_memory").value, "null");
  EXPECT_EQ(value_of("flow.main.nodes.upper.config").value, R"({"pattern":"a","deep":{"k":1}})");
  EXPECT_EQ(value_of("flow.main.weight").value, "1");
  const EffectiveValue timeout = value_of("flow.main.nodes.upper.timeout");
  EXPECT_EQ(timeout.value, "\"1s\"");
  EXPECT_EQ(timeout.inherited_from, "runtime.invocation_timeout");
}

TEST_F(Layers, ShowTheMemoryLimitThatHolds) {
  write_project("[runtime]\nmax_memory_per_component = '64MiB'\n[capabilities.torvyn]\nmax-memory = '32MiB'\n");
  EXPECT_EQ(value_of("runtime.max_memory_per_component").value, "\"32MiB\"");
  EXPECT_EQ(origin_of("runtime.max_memory_per_component"), "Torvyn.toml:13:14");
}

class UserConfigFile : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"TORVYN_HOME", "XDG_CONFIG_HOME", "HOME"}) {
      const char* const value = std::getenv(name);
      before_.emplace_back(name, value == nullptr ? "" : value);
      unsetenv(name);
    }
  }
  void TearDown() override {
    for (const auto& [name, value] : before_)
      value.empty() ? unsetenv(name.c_str()) : setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  std::vector<std::pair<std::string, std::string>> before_;
};

TEST_F(UserConfigFile, FollowsTorvynHomeThenXdgThenHome) {
  EXPECT_EQ(user_config_file(), "");
  setenv("HOME", "/home/ada", 1);
  EXPECT_EQ(user_config_file(), "/home/ada/.config/torvyn/config.toml");
  setenv("XDG_CONFIG_HOME", "relative", 1);
  EXPECT_EQ(user_config_file(), "/home/ada/.config/torvyn/config.toml");
  setenv("XDG_CONFIG_HOME", "/configs", 1);
  EXPECT_EQ(user_config_file(), "/configs/torvyn/config.toml");
  setenv("TORVYN_HOME", "/own", 1);
  EXPECT_EQ(user_config_file(), "/own/config.toml");
}

}  // namespace
}  // namespace torvyn::config
