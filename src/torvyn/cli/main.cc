// The torvyn binary, as a table of contents: read the command line, go to the folder it names, run the command.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <string>
#include <variant>
#include <vector>

#include "torvyn/cli/commands.h"
#include "torvyn/cli/options.h"
#include "torvyn/cli/screen.h"
#include "torvyn/cli/session.h"
#include "torvyn/types/file.h"

namespace torvyn::cli {
namespace {

// Where a standard stream is closed, the next file that is opened would take its place and get what is meant for it. What is put there
// instead cannot be used in the stream's direction, so using it fails as it should.
void hold_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

template <class... Commands>
struct Overloaded : Commands... {
  using Commands::operator()...;
};

int run_command(const Command& command, const Session& session) {
  return std::visit(Overloaded{
                        [&](const RunOptions& options) { return run_flow(options, session); },
                        [&](const CheckOptions& options) { return check_project(options, session); },
                        [&](const InspectOptions& options) { return inspect_component(options, session); },
                        [&](const BuildOptions& options) { return build_components(options, session); },
                        [&](const InitOptions& options) { return init_project(options, session); },
                        [&](const LinkOptions& options) { return link_flows(options, session); },
                        [&](const ExplainOptions& options) { return explain_code(options, session); },
                        [&](const DoctorOptions& options) { return examine_machine(options, session); },
                        [&](const StagesOptions& options) { return show_stages(options, session); },
                        [&](const ServeOptions& options) { return serve_flows(options, session); },
                        [&](const PsOptions& options) { return show_flows(options, session); },
                        [&](const TopOptions& options) { return watch_host(options, session); },
                        [&](const StartOptions& options) { return start_flow(options, session); },
                        [&](const CancelOptions& options) { return cancel_flow(options, session); },
                        [&](const SwapOptions& options) { return swap_component(options, session); },
                        [&](const ReloadOptions& options) { return reload_manifest(options, session); },
                        [&](const LevelOptions& options) { return show_level(options, session); },
                        [&](const CompletionsOptions& options) { return print_completions(options, session); },
                        [&](const ManOptions& options) { return print_man_page(options, session); },
                        [&](const VersionOptions& options) { return show_versions(options, session); },
                        [&](const TextOptions& options) { return print_result(session, options.text); },
                    },
                    command);
}

int run_line(const std::vector<std::string>& arguments) {
  const CommandLine line = parse_command_line(arguments);
  Screen screen(STDERR_FILENO, examine_terminal(STDERR_FILENO, line.global.color));
  const Session session{line.global, screen};
  if (!line.command) return report_failure(session, line.name, line.command.error());
  const std::string directory = line.global.directory.string();
  if (!directory.empty() && chdir(directory.c_str()) != 0)
    return report_failure(session, line.name, io_error("cannot go to", directory, errno));
  try {
    return run_command(*line.command, session);
  } catch (const std::exception& exception) {
    return report_failure(session, line.name, Error(ErrorCode::internal_error, exception.what()));
  }
}

}  // namespace
}  // namespace torvyn::cli

int main(int argc, char** argv) {
  torvyn::cli::hold_standard_streams();
  return torvyn::cli::run_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
