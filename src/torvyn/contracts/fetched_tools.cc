#include "torvyn/contracts/fetched_tools.h"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <vector>

#include "torvyn/contracts/files.h"
#include "torvyn/contracts/folder_lock.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

Error python_missing() {
  return {ErrorCode::tool_missing, "python3 of 3.9 or later, with its venv module, was not found",
          "apt-get install python3 python3-venv"};
}

}  // namespace

Result<fs::path> cached_tool(const BuildPlan& plan, std::string_view name, std::string_view what,
                             const std::function<Status(const fs::path& folder)>& fill) {
  const fs::path tools = plan.cache_dir / "tools";
  fs::path folder = tools / name;
  const fs::path complete = folder / "complete";
  if (is_there(complete)) return folder;
  TORVYN_TRY(make_folder(tools));
  TORVYN_LET(const FolderLock lock,
             FolderLock::take(tools, [&plan] { plan.note("waiting for another build that fetches tools"); }));
  if (is_there(complete)) return folder;
  plan.note(fmt::format("fetching {} into {}, once", what, tools.string()));
  // What a build that was killed has left is no use.
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  TORVYN_TRY(make_folder(folder));
  if (Status filled = fill(folder); !filled) {
    fs::remove_all(folder, ignored);
    return fail(std::move(filled).error());
  }
  TORVYN_TRY(write_file(complete, what));
  return folder;
}

Result<std::string> find_python() {
  for (const char* const name : {"python3", "/usr/bin/python3"}) {
    const auto python = *name == '/' ? std::optional<std::string>(name) : find_on_path(name);
    if (!python || ::access(python->c_str(), X_OK) != 0) continue;
    const std::string command[] = {*python, "-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))"};
    if (const auto result = run_command(command); result && result->ok()) return *python;
  }
  return fail(python_missing());
}

Status fetched(const BuildPlan& plan, const Result<CommandResult>& result, std::string_view what, const char* hint) {
  if (!result) return fail(result.error());
  if (result->ok()) return {};
  if (plan.request.on_output) plan.request.on_output(result->output);
  return fail(ErrorCode::tool_missing, fmt::format("{} could not be fetched", what), hint);
}

namespace {

Result<fs::path> empty_venv(const fs::path& folder) {
  TORVYN_LET(const std::string python, find_python());
  const std::string command[] = {python, "-m", "venv", folder.string()};
  TORVYN_LET(const CommandResult made, run_command(command));
  if (!made.ok()) return fail(python_missing());
  return folder / "bin" / "python";
}

Status pip_install(const BuildPlan& plan, const fs::path& python, const fs::path& requirements, std::string_view what,
                   const std::vector<std::string>& more) {
  std::vector<std::string> command = {python.string(),
                                      "-m",
                                      "pip",
                                      "install",
                                      "--quiet",
                                      "--disable-pip-version-check",
                                      "--no-deps",
                                      "--only-binary",
                                      ":all:",
                                      "--require-hashes",
                                      "-r",
                                      requirements.string()};
  command.insert(command.end(), more.begin(), more.end());
  return fetched(plan, run_command(command), what, "look at the network, or name another index in PIP_INDEX_URL");
}

}  // namespace

Status make_venv(const BuildPlan& plan, const fs::path& folder, const fs::path& requirements, std::string_view what) {
  TORVYN_LET(const fs::path python, empty_venv(folder));
  return pip_install(plan, python, requirements, what, {});
}

Status fetch_python_packages(const BuildPlan& plan, const fs::path& folder, const fs::path& requirements,
                             std::string_view what) {
  // The machine's Python may come without pip; a virtual environment has it.
  const fs::path helper = folder / "venv";
  TORVYN_LET(const fs::path python, empty_venv(helper));
  TORVYN_TRY(pip_install(plan, python, requirements, what, {"--no-compile", "--target", folder.string()}));
  std::error_code ignored;
  fs::remove_all(helper, ignored);
  return {};
}

}  // namespace torvyn::contracts
