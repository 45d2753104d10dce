#include "torvyn/contracts/build.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "torvyn/contracts/bridge_values.h"
#include "torvyn/contracts/embedded.h"
#include "torvyn/contracts/files.h"
#include "torvyn/contracts/folder_lock.h"
#include "torvyn/contracts/language_builder.h"
#include "torvyn/contracts/wasm_file.h"
#include "torvyn/contracts/worlds.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

// To be raised when the same inputs would give another component.
constexpr std::string_view builder_revision = "3";

constexpr std::array<std::string_view, 1> any_file = {""};
constexpr std::array left_out_folders = {"target", "node_modules", "vendor", "__pycache__"};

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

fs::path full_path(const fs::path& path) { return fs::absolute(path).lexically_normal(); }

// The sources directly in `folder` that `language` builds.
std::vector<fs::path> sources_in(const fs::path& folder, Language language) {
  std::vector<fs::path> sources;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const auto of_file = language_of_file(at->path());
    if (of_file == language || (language == Language::cpp && of_file == Language::c)) sources.push_back(at->path());
  }
  std::ranges::sort(sources);
  return sources;
}

Result<BuildPlan> plan_build(const BuildRequest& request, const WorldCatalog& catalog) {
  if (request.sources.empty()) return fail(ErrorCode::usage, "nothing to build was named", "torvyn build SOURCE");
  BuildPlan plan{.request = request,
                 .catalog = catalog,
                 .language = request.language,
                 .sources = {},
                 .folder = {},
                 .name = {},
                 .output = {},
                 .work_dir = {},
                 .cache_dir = {}};
  fs::path first = request.sources.front();
  const bool of_folder = request.sources.size() == 1 && is_folder(first);
  const bool is_module = request.sources.size() == 1 && !of_folder && first.extension() == ".wasm";
  if (!request.command.empty() || is_module) {
    plan.language.reset();
    std::error_code error;
    if (!fs::exists(first, error)) return fail(not_there(first, error));
  } else if (!plan.language) {
    TORVYN_LET(plan.language, detect_language(request.sources));
  }
  if (of_folder) {
    if (!first.has_filename()) first = first.parent_path();
    plan.folder = first;
    plan.name = full_path(first).filename().string();
    plan.sources = plan.language ? sources_in(first, *plan.language) : std::vector{first};
  } else {
    plan.folder = first.parent_path();
    plan.name = first.stem().string();
    plan.sources = request.sources;
  }
  if (plan.folder.empty()) plan.folder = ".";
  const std::string_view ending = is_module ? ".component.wasm" : ".wasm";
  plan.output =
      request.output.empty() ? (plan.folder / (plan.name + std::string(ending))).lexically_normal() : request.output;
  plan.work_dir = request.work_dir.empty() ? (plan.folder / "target" / plan.name) : request.work_dir;
  plan.work_dir = full_path(plan.work_dir);
  plan.cache_dir = full_path(request.cache_dir.empty() ? plan.work_dir / "cache" : request.cache_dir);
  return plan;
}

// A core module that somebody else's tools have made.
class ModuleBuilder final : public LanguageBuilder {
 public:
  using LanguageBuilder::LanguageBuilder;

  void add_to_key(Hash&) const override {}
  Result<std::uint64_t> find_tools() override { return 0; }

  Result<Made> make() override {
    const fs::path& path = plan_.sources.front();
    Made made{.wasm = {}, .world = {}, .inputs = {FileState::of(fs::absolute(path))}};
    TORVYN_LET(made.wasm, read_file(path));
    const WasmKind kind = classify_wasm({reinterpret_cast<const std::uint8_t*>(made.wasm.data()), made.wasm.size()});
    if (kind == WasmKind::component)
      return fail(ErrorCode::usage, fmt::format("`{}` is a component already", path.string()),
                  "it can be run as it is");
    if (kind != WasmKind::core_module) return fail(not_a_component(path.string(), kind));
    if (plan_.request.world.empty()) return made;
    TORVYN_LET(const WorldCatalog::Entry* const world, plan_.catalog.require(plan_.request.world));
    made.world = world->full_name;
    Result<std::string> embedded = embed_world(made.wasm, plan_.catalog.files(), world->full_name);
    if (!embedded) return fail(std::move(embedded).error().at_file(path.string()));
    made.wasm = *std::move(embedded);
    return made;
  }
};

// A command of the author's own. Only it knows what it depends on, so it is run every time.
class CommandBuilder final : public LanguageBuilder {
 public:
  using LanguageBuilder::LanguageBuilder;

  void add_to_key(Hash&) const override {}
  Result<std::uint64_t> find_tools() override { return 0; }

  Result<Made> make() override {
    const fs::path result = plan_.work_dir / "built.wasm";
    std::error_code ignored;
    fs::remove(result, ignored);
    const std::array<std::string, 3> command = {"/bin/sh", "-c", plan_.request.command};
    TORVYN_LET(const CommandResult done,
               run(command, {.directory = plan_.folder, .environment = {"TORVYN_OUTPUT=" + result.string()}}));
    if (!done.ok())
      return fail(ErrorCode::build_failed,
                  fmt::format("`{}` ended with code {}", plan_.request.command, done.exit_code));
    Made made;
    Result<std::string> wasm = read_file(result);
    if (!wasm)
      return fail(ErrorCode::build_failed, fmt::format("`{}` left no component", plan_.request.command),
                  "a build_command writes a component or a core module to the file that $TORVYN_OUTPUT names");
    made.wasm = *std::move(wasm);
    return made;
  }
};

std::unique_ptr<LanguageBuilder> make_builder(const BuildPlan& plan) {
  if (!plan.request.command.empty()) return std::make_unique<CommandBuilder>(plan);
  if (!plan.language) return std::make_unique<ModuleBuilder>(plan);
  switch (*plan.language) {
    case Language::c:
    case Language::cpp:
      return make_c_builder(plan);
    case Language::rust:
      return make_rust_builder(plan);
    case Language::go:
      return make_go_builder(plan);
    case Language::python:
      return make_python_builder(plan);
    case Language::javascript:
      return make_javascript_builder(plan);
  }
  return nullptr;
}

std::uint64_t key_of(const BuildPlan& plan, const LanguageBuilder& builder) {
  const BuildRequest& request = plan.request;
  Hash hash;
  hash.add(builder_revision).add(request.world).add(request.release ? "release" : "debug");
  hash.add(plan.language ? language_name(*plan.language) : "");
  for (const WitFile& file : plan.catalog.files()) hash.add(file.package).add(file.path).add(file.text);
  for (const fs::path& source : plan.sources) hash.add(full_path(source).string());
  for (const std::string& flag : request.flags) hash.add("flag").add(flag);
  hash.add(full_path(plan.output).string());
  builder.add_to_key(hash);
  return hash.value();
}

// `what`: the source, as messages name it.
Result<std::string> componentize(std::string_view module, const std::string& what, bool is_core_module) {
  tvb_string component{};
  tvb_failure failure{};
  if (tvb_componentize(view_of(module), &component, &failure) == TVB_OK) return take(component);
  Error error = take_error(failure, ErrorCode::not_a_component);
  error.detail().message = fmt::format("no component can be made of `{}`: {}", what, error.message());
  if (!is_core_module) return fail(std::move(error));
  return fail(
      std::move(error).with_hint("build the module with bindings of a Torvyn world; for one that only lacks the type: "
                                 "torvyn build MODULE --world WORLD"));
}

Result<std::string> as_component(Made& made, const BuildPlan& plan) {
  const WasmKind kind = classify_wasm({reinterpret_cast<const std::uint8_t*>(made.wasm.data()), made.wasm.size()});
  if (kind == WasmKind::component) return std::move(made.wasm);
  const std::string what = plan.request.sources.front().string();
  if (kind == WasmKind::core_module) return componentize(made.wasm, what, !plan.language);
  return fail(ErrorCode::build_failed, fmt::format("`{}` was built, and what came of it is no WebAssembly", what));
}

// Where the world is known, making a component of the module has held it to that. Where only the SDK knows, it has to be a stage at least.
Status check_component(const std::string& component, const Made& made, const BuildPlan& plan) {
  // What others' tools have made is taken as it is: it may be for another host.
  if (!made.world.empty() || !plan.language) return {};
  tvb_string json{};
  tvb_failure failure{};
  if (tvb_wasm_describe(view_of(component), &json, &failure) != TVB_OK)
    return fail(take_error(failure, ErrorCode::not_a_component));
  std::vector<std::string> exported;
  const auto description = nlohmann::json::parse(take(json));
  for (const auto& item : description.at("exports")) exported.push_back(item.at("name").get<std::string>());
  const bool is_stage = std::ranges::any_of(exported, [](const std::string& name) {
    return find_stage_interface(split_interface_name(name).name) != nullptr;
  });
  if (is_stage) return {};
  const std::string what = plan.request.sources.front().string();
  return fail(ErrorCode::no_torvyn_interface,
              exported.empty() ? fmt::format("`{}` was built, and exports nothing", what)
                               : fmt::format("`{}` was built, and exports no interface of a stage: {}", what,
                                             fmt::join(exported, ", ")),
              "register a source, processor, filter, router, aggregator or sink with the SDK");
}

std::vector<fs::path> paths_of(const std::vector<FileState>& files) {
  std::vector<fs::path> paths;
  for (const FileState& file : files) paths.push_back(file.path);
  return paths;
}

bool holds(const fs::path& path, std::string_view bytes) {
  const Result<std::string> there = read_file(path);
  return there && *there == bytes;
}

}  // namespace

Result<CommandResult> LanguageBuilder::run(std::span<const std::string> command, const CommandPlace& place) const {
  TORVYN_LET(CommandResult result, run_command(command, place));
  if (!result.output.empty() && plan_.request.on_output) plan_.request.on_output(result.output);
  return result;
}

std::string component_wit(const WorldCatalog::Entry& world) {
  return fmt::format(
      "package torvyn:build;\n"
      "world component {{\n"
      "  include {};\n"
      "  import torvyn:diagnostics/log@0.1.0;\n"
      "  import torvyn:capabilities/capability-query@0.1.0;\n"
      "}}\n",
      world.full_name);
}

Result<std::string> embed_world(std::string_view module, std::span<const WitFile> wit, std::string_view world) {
  const std::vector<tvb_wit_file> raw = bridge_files(wit);
  tvb_string out{};
  tvb_failure failure{};
  if (tvb_embed_world(view_of(module), raw.data(), raw.size(), view_of(world), &out, &failure) != TVB_OK)
    return fail(take_error(failure, ErrorCode::not_a_component));
  return take(out);
}

void add_embedded(Hash& key, std::string_view folder) {
  for (const EmbeddedFile& file : embedded_files(folder)) key.add(file.path).add(file.text);
}

Status write_if_changed(const fs::path& path, std::string_view text) {
  if (holds(path, text)) return {};
  TORVYN_TRY(make_folder(path.parent_path()));
  return replace_file(path, text);
}

Status write_embedded(std::string_view from, const fs::path& to) {
  for (const EmbeddedFile& file : embedded_files(from))
    TORVYN_TRY(write_if_changed(to / file.path.substr(from.size()), file.text));
  return {};
}

std::vector<fs::path> files_below(const fs::path& folder, std::span<const std::string_view> endings) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    if (at->is_directory(ignored)) {
      const bool left_out =
          name.starts_with('.') || std::ranges::find(left_out_folders, name) != left_out_folders.end();
      if (left_out) at.disable_recursion_pending();
    } else if (std::ranges::any_of(endings, [&name](std::string_view ending) { return name.ends_with(ending); })) {
      files.push_back(at->path());
    }
  }
  std::ranges::sort(files);
  return files;
}

std::uint64_t identity_of_program(const fs::path& program) {
  const FileState state = FileState::glance(program);
  return Hash().add(state.path.string()).add(fmt::format("{} {}", state.size_bytes, state.modified_ns)).value();
}

Result<BuildOutput> build_component(const BuildRequest& request) {
  TORVYN_LET(const WorldCatalog catalog, WorldCatalog::load(request.wit_dir));
  TORVYN_LET(BuildPlan plan, plan_build(request, catalog));
  TORVYN_TRY(make_folder(plan.work_dir));
  TORVYN_LET(const FolderLock lock, FolderLock::take(plan.work_dir));

  const std::unique_ptr<LanguageBuilder> builder = make_builder(plan);
  // What was built stays usable where no compiler is installed.
  const Result<std::uint64_t> tools = builder->find_tools();
  const fs::path stamp_path = plan.work_dir / "stamp";
  const std::uint64_t key = key_of(plan, *builder);
  if (const auto last = BuildStamp::read(stamp_path)) {
    const bool same_tools = !tools || last->compiler == *tools;
    if (last->key == key && same_tools && last->files_unchanged()) {
      return BuildOutput{.component = plan.output,
                         .world = last->world,
                         .language = plan.language,
                         .size_bytes = static_cast<std::uint64_t>(last->output.size_bytes),
                         .up_to_date = true,
                         .inputs = paths_of(last->inputs)};
    }
  }
  if (!tools) return fail(tools.error());

  TORVYN_LET(Made made, builder->make());
  TORVYN_LET(const std::string component, as_component(made, plan));
  TORVYN_TRY(check_component(component, made, plan));
  if (plan.output.has_parent_path()) TORVYN_TRY(make_folder(plan.output.parent_path()));
  // A command that knew that nothing had changed.
  const bool same = !request.command.empty() && holds(plan.output, component);
  if (!same) TORVYN_TRY(replace_file(plan.output, component));
  const BuildStamp stamp{key, *tools, made.world, FileState::of(full_path(plan.output)), std::move(made.inputs)};
  TORVYN_TRY(stamp.write(stamp_path));
  return BuildOutput{.component = plan.output,
                     .world = made.world,
                     .language = plan.language,
                     .size_bytes = component.size(),
                     .up_to_date = same,
                     .inputs = request.command.empty() ? paths_of(stamp.inputs) : files_below(plan.folder, any_file)};
}

}  // namespace torvyn::contracts
