// Where running hosts are found.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "torvyn/config/layers.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// A running host's inspection API.
struct HostAddress {
  std::filesystem::path socket;           // empty: `url`
  std::string url;                        // "http://127.0.0.1:9465", without a slash at its end
  std::filesystem::path token_file = {};  // of a URL; empty = none

  // As messages call it.
  std::string name() const { return socket.empty() ? url : socket.string(); }
};

// Where this user's hosts keep their sockets: TORVYN_STATE_DIR, else torvyn in XDG_RUNTIME_DIR, else /run/torvyn for root and
// /tmp/torvyn-UID for others.
std::filesystem::path state_directory();

// Makes it, for this user alone, where it is not there. Errors: E0004, also where it is somebody else's.
Status make_state_directory(const std::filesystem::path& directory);

// The socket of the host with this name.
std::filesystem::path socket_of(const std::filesystem::path& state_directory, std::string_view name);

// What --host means: a URL, the path of a socket (with a slash in it), or the name of a host. Nothing was said: the host of this folder's
// project where one runs, else the only one there is. The token of a URL is that of `configuration`, `[api] token_file`.
// Errors: E0520 none runs, or several do and none was named; of another user's folder E0004.
Result<HostAddress> find_host(std::string_view said, const config::Configuration& configuration,
                              const std::filesystem::path& state_directory);

}  // namespace torvyn::cli
