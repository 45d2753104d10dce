#include "torvyn/cli/host_address.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <vector>

#include "torvyn/types/file.h"

namespace torvyn::cli {
namespace {

constexpr std::string_view socket_ending = ".sock";

bool is_host_socket(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_socket(path, error);
}

std::vector<std::string> names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error))
    if (entry.path().extension() == socket_ending && is_host_socket(entry.path())) names.push_back(entry.path().stem());
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::filesystem::path state_directory() {
  const auto folder = [](const char* variable) {
    const char* const value = std::getenv(variable);
    return value == nullptr ? std::filesystem::path() : std::filesystem::path(value);
  };
  if (auto state = folder("TORVYN_STATE_DIR"); !state.empty()) return state;
  if (const auto runtime = folder("XDG_RUNTIME_DIR"); runtime.is_absolute()) return runtime / "torvyn";
  if (::geteuid() == 0) return "/run/torvyn";
  return fmt::format("/tmp/torvyn-{}", ::geteuid());
}

Status make_state_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory.parent_path(), error);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(io_error("cannot make", directory.string(), errno));
  struct stat status{};
  if (::stat(directory.c_str(), &status) != 0) return fail(io_error("cannot look at", directory.string(), errno));
  if (!S_ISDIR(status.st_mode)) return fail(io_error("cannot use", directory.string(), ENOTDIR));
  // In a folder that anybody can write to, somebody else may have been first.
  if (status.st_uid != ::geteuid() && status.st_uid != 0)
    return fail(ErrorCode::io_failed, fmt::format("`{}` belongs to another user", directory.string()),
                "name a folder of your own in TORVYN_STATE_DIR");
  return {};
}

std::filesystem::path socket_of(const std::filesystem::path& state_directory, std::string_view name) {
  return state_directory / (std::string(name) + std::string(socket_ending));
}

Result<HostAddress> find_host(std::string_view said, const config::Configuration& configuration,
                              const std::filesystem::path& state_directory) {
  if (said.find("://") != std::string_view::npos) {
    while (said.ends_with('/')) said.remove_suffix(1);
    const config::Manifest& manifest = configuration.manifest;
    HostAddress address{.socket = {}, .url = std::string(said), .token_file = {}};
    if (!manifest.api.token_file.empty()) address.token_file = manifest.directory / manifest.api.token_file;
    return address;
  }
  if (said.find('/') != std::string_view::npos) return HostAddress{.socket = said, .url = {}};
  if (!said.empty()) return HostAddress{.socket = socket_of(state_directory, said), .url = {}};
  if (configuration.has_project)
    if (const auto own = socket_of(state_directory, configuration.manifest.name); is_host_socket(own))
      return HostAddress{.socket = own, .url = {}};
  const std::vector<std::string> names = names_in(state_directory);
  if (names.empty())
    return fail(ErrorCode::address_in_use,
                fmt::format("no host runs here: there is no socket in `{}`", state_directory.string()),
                "start one with torvyn serve, or name one with --host");
  if (names.size() > 1)
    return fail(ErrorCode::address_in_use, fmt::format("several hosts run here: {}", fmt::join(names, ", ")),
                "name one with --host");
  return HostAddress{.socket = socket_of(state_directory, names.front()), .url = {}};
}

}  // namespace torvyn::cli
