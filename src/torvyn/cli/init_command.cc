// `torvyn init`: ask what is not said, render a template, write it.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/cli/commands.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/cli/project_template.h"
#include "torvyn/cli/text.h"
#include "torvyn/config/nearest.h"
#include "torvyn/contracts/run_command.h"

namespace torvyn::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* default_template = "transform";

// Asks until the answer passes. An empty line takes the default, where there is one; the end of input ends the command.
template <class Check>
Status ask(const Session& session, std::string_view question, std::string& answer, Check check) {
  for (;;) {
    session.screen.print(answer.empty() ? fmt::format("{}: ", question) : fmt::format("{} [{}]: ", question, answer));
    std::string line;
    if (!std::getline(std::cin, line))
      return fail(ErrorCode::usage, "the questions were not answered", "nothing was written");
    const std::string given = line.empty() ? answer : line;
    const Status status = check(given);
    if (status) {
      answer = given;
      return {};
    }
    session.screen.print(fmt::format("  {}\n", status.error().message()));
    if (!status.error().hint().empty()) session.screen.print(fmt::format("  {}\n", status.error().hint()));
  }
}

Result<contracts::Language> read_language(std::string_view name) {
  if (const auto language = contracts::find_language(name)) return *language;
  std::vector<std::string_view> names;
  for (const contracts::Language language : contracts::languages()) names.push_back(contracts::language_name(language));
  const std::string_view near = config::nearest(name, names);
  return fail(
      ErrorCode::usage,
      fmt::format("there is no language `{}`{}", name, near.empty() ? "" : fmt::format(", did you mean `{}`?", near)),
      fmt::format("the languages are {}", fmt::join(names, ", ")));
}

// The last part of where the project goes.
std::string name_of(const fs::path& directory) {
  const fs::path full = fs::absolute(directory.empty() ? "." : directory).lexically_normal();
  return (full.has_filename() ? full : full.parent_path()).filename().string();
}

Status ask_for_all(InitOptions& options, const Session& session) {
  if (isatty(STDIN_FILENO) == 0)
    return fail(ErrorCode::usage, "`--interactive` asks on a terminal, and there is none",
                "name it all: torvyn init NAME --language rust --template transform");
  std::string name = options.directory.empty() ? "" : name_of(options.directory);
  const bool named = !name.empty();
  TORVYN_TRY(ask(session, "name of the project", name, check_project_name));
  if (!named || name != name_of(options.directory)) options.directory = options.directory.parent_path() / name;
  if (options.language.empty()) options.language = "rust";
  const auto is_language = [](const std::string& given) -> Status {
    const auto language = read_language(given);
    return language ? Status() : fail(language.error());
  };
  TORVYN_TRY(ask(session, "language (c, cpp, rust, go, python, javascript)", options.language, is_language));
  if (options.template_name.empty()) options.template_name = default_template;
  for (const TemplateInfo& info : project_templates())
    session.screen.print(fmt::format("  {:<14} {}\n", info.name, info.summary));
  return ask(session, "template", options.template_name, [&options](const std::string& given) -> Status {
    TORVYN_LET(const contracts::Language language, read_language(options.language));
    return check_template(given, language, contracts::embedded_files());
  });
}

Result<NewProject> check_options(const InitOptions& options) {
  NewProject project{
      .name = name_of(options.directory),
      .language = contracts::Language::rust,
      .template_name = options.template_name.empty() ? default_template : options.template_name,
      .contract_version = options.contract_version.empty() ? std::string(contract_version()) : options.contract_version,
      .example = !options.no_example};
  TORVYN_TRY(check_project_name(project.name));
  if (options.language.empty())
    return fail(ErrorCode::usage, "`init` has to know the language",
                fmt::format("torvyn init {} --language c, cpp, rust, go, python or javascript; --interactive asks",
                            project.name));
  TORVYN_LET(project.language, read_language(options.language));
  TORVYN_TRY(check_template(project.template_name, project.language, contracts::embedded_files()));
  if (project.contract_version != contract_version())
    return fail(ErrorCode::version_incompatible,
                fmt::format("this torvyn has no contract of version {}", project.contract_version),
                fmt::format("leave --contract-version out to get {}", contract_version()));
  return project;
}

bool is_in_repository(const fs::path& directory) {
  for (fs::path at = fs::absolute(directory).lexically_normal();; at = at.parent_path()) {
    std::error_code ignored;
    if (fs::exists(at / ".git", ignored)) return true;
    if (at == at.root_path()) return false;
  }
}

// A repository is a courtesy: a project without one is whole.
bool make_repository(const fs::path& directory) {
  if (is_in_repository(directory)) return false;
  const auto git = contracts::find_on_path("git");
  if (!git) return false;
  const std::array<std::string, 4> command = {*git, "init", "--quiet", "."};
  const auto made = contracts::run_command(command, {.directory = directory, .environment = {}});
  return made && made->ok();
}

std::string draw(const CreatedProject& created, const fs::path& directory, const Session& session) {
  const Palette& palette = session.screen.palette();
  std::string text =
      fmt::format("{} {}: {} in {}, {} files{}\n", palette.good("created"), printable(created.directory),
                  created.template_name, contracts::language_title(*contracts::find_language(created.language)),
                  created.files.size(), created.repository ? ", a git repository" : "");
  std::vector<std::string> steps;
  if (directory != ".") steps.push_back("cd " + printable(created.directory));
  if (created.template_name != "empty") {
    steps.emplace_back("torvyn build");
    if (created.example) steps.emplace_back("torvyn run");
  }
  for (const std::string& step : steps) text += fmt::format("  {}\n", palette.strong(step));
  return text;
}

Result<CreatedProject> create(InitOptions options, const Session& session) {
  if (options.interactive) TORVYN_TRY(ask_for_all(options, session));
  TORVYN_LET(const NewProject project, check_options(options));
  const fs::path directory = options.directory.empty() ? "." : options.directory;
  const std::vector<ProjectFile> files = render_project(project, contracts::embedded_files());
  TORVYN_TRY(write_project(directory, files, options.force));
  CreatedProject created{.name = project.name,
                         .directory = directory.string(),
                         .language = std::string(contracts::language_name(project.language)),
                         .template_name = project.template_name,
                         .repository = !options.no_git && make_repository(directory),
                         .example = project.example,
                         .files = {}};
  for (const ProjectFile& file : files) created.files.push_back(file.path);
  return created;
}

}  // namespace

int init_project(const InitOptions& options, const Session& session) {
  const Result<CreatedProject> created = create(options, session);
  if (!created) {
    const bool failed = created.error().code() == ErrorCode::version_incompatible;
    return report_failure(session, "init", created.error(), failed ? exit_usage : exit_code_of(created.error()));
  }
  if (session.json()) return print_result(session, init_json({.command = "init"}, *created));
  if (session.chatty()) session.screen.print(draw(*created, created->directory, session));
  return exit_success;
}

}  // namespace torvyn::cli
