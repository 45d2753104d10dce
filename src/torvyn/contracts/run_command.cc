#include "torvyn/contracts/run_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int get() const noexcept { return fd_; }
  void close() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct SpawnActions {
  posix_spawn_file_actions_t raw{};
  SpawnActions() { ::posix_spawn_file_actions_init(&raw); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&raw); }
};

std::unexpected<Error> cannot_run(const std::string& program, int error) {
  return fail(ErrorCode::io_failed, fmt::format("`{}` cannot be run: {}", program, std::strerror(error)));
}

void read_all(int fd, std::string& out) {
  std::array<char, 16384> chunk{};
  while (true) {
    const ssize_t size = ::read(fd, chunk.data(), chunk.size());
    if (size > 0) out.append(chunk.data(), static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EINTR)) return;
  }
}

// Ours, with those of `changes` in place of what has their name.
std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
  std::vector<std::string> all = changes;
  const auto changed = [&changes](std::string_view variable) {
    const std::string_view name = variable.substr(0, variable.find('=') + 1);
    return std::ranges::any_of(changes, [name](const std::string& change) { return change.starts_with(name); });
  };
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!changed(*variable)) all.emplace_back(*variable);
  return all;
}

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

std::optional<std::string> find_on_path(std::string_view name) {
  const char* const path = std::getenv("PATH");
  if (path == nullptr) return std::nullopt;
  std::string_view rest(path);
  while (true) {
    const std::size_t colon = rest.find(':');
    const fs::path candidate = fs::path(rest.substr(0, colon)) / name;
    if (is_program(candidate)) return candidate.string();
    if (colon == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(colon + 1);
  }
}

std::string without_colors(std::string_view output) {
  std::string plain;
  for (std::size_t i = 0; i < output.size(); ++i) {
    if (output[i] == '\x1b' && i + 1 < output.size() && output[i + 1] == '[') {
      // A sequence ends with its first letter.
      for (i += 2; i < output.size() && (output[i] < '@' || output[i] > '~'); ++i) {
      }
      continue;
    }
    plain += output[i];
  }
  return plain;
}

Result<CommandResult> run_command(std::span<const std::string> command, const CommandPlace& place) {
  const std::string& program = command.front();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return cannot_run(program, errno);
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);

  const std::vector<std::string> words(command.begin(), command.end());
  const std::vector<std::string> variables = environment_with(place.environment);

  SpawnActions actions;
  ::posix_spawn_file_actions_addopen(&actions.raw, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions.raw, writing.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions.raw, writing.get(), STDERR_FILENO);
  if (!place.directory.empty()) ::posix_spawn_file_actions_addchdir_np(&actions.raw, place.directory.c_str());
  pid_t child = 0;
  const int error = ::posix_spawn(&child, program.c_str(), &actions.raw, nullptr, pointers_to(words).data(),
                                  pointers_to(variables).data());
  if (error != 0) return cannot_run(program, error);
  writing.close();

  CommandResult result;
  read_all(reading.get(), result.output);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return cannot_run(program, errno);
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace torvyn::contracts
