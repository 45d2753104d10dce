#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/cli/commands.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/cli/project_build.h"
#include "torvyn/cli/text.h"
#include "torvyn/config/nearest.h"
#include "torvyn/config/units.h"
#include "torvyn/engine/engine.h"

namespace torvyn::cli {
namespace {

using contracts::BuildRequest;

// One thing to build, and what to call it meanwhile.
struct Task {
  std::string name;
  BuildRequest request;
};

Result<std::vector<Task>> tasks_of_manifest(const BuildOptions& options, const Session& session) {
  TORVYN_LET(const auto manifest, find_manifest(session));
  if (!manifest) return fail(manifest_needed("or name sources: torvyn build upper.c -o upper.wasm"));
  std::vector<Task> tasks;
  std::vector<std::string_view> names;
  for (const config::ComponentConfig& component : manifest->components) {
    names.push_back(component.name);
    if (options.component.empty() || options.component == component.name)
      tasks.push_back({component.name, request_for(*manifest, component)});
  }
  if (!tasks.empty()) return tasks;
  if (names.empty())
    return fail(ErrorCode::usage, fmt::format("`{}` has no component to build", manifest->path.string()),
                "a component is a section [[component]] with name and path");
  const std::string_view near = config::nearest(options.component, names);
  return fail(ErrorCode::component_not_found,
              fmt::format("there is no component `{}`{}", options.component,
                          near.empty() ? "" : fmt::format(", did you mean `{}`?", near)),
              fmt::format("`{}` has {}", manifest->path.string(), fmt::join(names, ", ")));
}

Result<std::vector<Task>> tasks_of(const BuildOptions& options, const Session& session) {
  std::vector<Task> tasks;
  if (options.sources.empty()) {
    TORVYN_LET(tasks, tasks_of_manifest(options, session));
  } else {
    BuildRequest request;
    request.sources = options.sources;
    request.output = options.output;
    request.work_dir = options.work_dir;
    request.world = options.world;
    request.wit_dir = options.wit_dir;
    tasks.push_back({options.sources.front().string(), std::move(request)});
  }
  for (Task& task : tasks) {
    task.request.release = options.release;
    task.request.flags = options.flags;
  }
  return tasks;
}

// The way the engine will call it; "" where it is no stage here. Leaves compiled code in the cache, so that its first run starts at once.
std::string path_of(engine::Engine& engine, const std::filesystem::path& file) {
  const auto component = engine.load(file);
  return component ? std::string((*component)->path()) : std::string();
}

std::string draw(const BuiltComponent& built, const Palette& palette) {
  std::vector<std::string> facts;
  if (!built.world.empty()) facts.push_back(built.world.substr(0, built.world.find('@')));
  facts.push_back(config::format_size(built.size_bytes));
  facts.push_back(built.path.empty() ? "not a stage" : built.path);
  return fmt::format("{} {}: {}\n", built.up_to_date ? "up to date" : palette.good("built"), printable(built.component),
                     printable(fmt::format("{}", fmt::join(facts, ", "))));
}

// Builds one after the other; `done` holds those that were built when one fails.
Status build_all(std::vector<Task> tasks, const Session& session, std::vector<BuiltComponent>& done) {
  std::unique_ptr<engine::Engine> engine;
  // Only who is told the path has to wait for the engine.
  if (session.json() || session.chatty()) {
    TORVYN_LET(engine, engine::WasmEngine::create(
                           {.max_instances = 0, .cache_directory = cache_directory(), .events = nullptr}));
  }
  for (Task& task : tasks) {
    TORVYN_LET(const contracts::BuildOutput output, build_on_screen(std::move(task.request), task.name, session));
    done.push_back({.name = task.name,
                    .language = output.language ? std::string(contracts::language_name(*output.language)) : "",
                    .component = output.component.string(),
                    .world = output.world,
                    .path = engine == nullptr ? std::string() : path_of(*engine, output.component),
                    .size_bytes = output.size_bytes,
                    .up_to_date = output.up_to_date});
    if (session.chatty()) session.screen.print(draw(done.back(), session.screen.palette()));
  }
  return {};
}

}  // namespace

int build_components(const BuildOptions& options, const Session& session) {
  Result<std::vector<Task>> tasks = tasks_of(options, session);
  if (!tasks) return report_failure(session, "build", tasks.error());
  std::vector<BuiltComponent> done;
  const Status status = build_all(*std::move(tasks), session, done);
  if (!session.json()) return status ? exit_success : report_failure(session, "build", status.error());
  JsonHead head{.command = "build"};
  if (!status) {
    head.exit_code = exit_code_of(status.error());
    head.errors = {&status.error(), 1};
  }
  const int printed = print_result(session, build_json(head, done));
  return printed == exit_success ? head.exit_code : printed;
}

}  // namespace torvyn::cli
