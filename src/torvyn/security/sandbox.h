// From grants to what one instance may do.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/config/capability.h"
#include "torvyn/config/flow_config.h"
#include "torvyn/config/host_settings.h"
#include "torvyn/config/references.h"
#include "torvyn/security/network.h"
#include "torvyn/types/error.h"

namespace torvyn::security {

// A folder a component sees, and what is in it; links and `..` lead nowhere outside.
struct Folder {
  std::string guest_path;  // what the component calls it: as the grant is written
  std::filesystem::path host_path;
  bool writable = false;

  bool operator==(const Folder&) const = default;
};

struct Variable {
  std::string name;
  std::string value;

  bool operator==(const Variable&) const = default;
};

// What one instance may do beyond computing. As it is made: what `default_grants` gives.
struct Sandbox {
  std::vector<config::Capability> grants = config::SecurityConfig{}.default_grants;
  std::vector<Folder> folders;
  std::vector<Variable> environment;
  std::vector<std::string> arguments;  // behind the program's name
  NetworkRules network;
  bool clocks = true;
  bool random = true;
  // The process's own, as far as they were granted. What is not goes to the log, or comes from nowhere.
  bool standard_input = false;
  bool standard_output = false;
  bool standard_error = false;

  // Whether `asked`, spelled in any way a grant may be, is granted and opens something (see opens_something). False for what is no capability.
  bool allows(std::string_view asked) const;
  // Whether a call of the instance may have to wait for something outside.
  bool may_wait() const noexcept {
    return !folders.empty() || standard_input || network.opens_sockets() || network.name_lookup.granted ||
           network.http_client.granted;
  }
};

// Whether a grant of the capability `name` does anything in this version. The reserved ones do not.
bool opens_something(std::string_view name) noexcept;

// What `security` grants the component of `node`, each once: the default grants, those of its name in the manifest (empty: it has none), its
// file's name or its digest ("sha256:…"; empty: not known), and the node's own.
std::vector<config::Capability> grants_of(const config::SecurityConfig& security, const config::NodeConfig& node,
                                          std::string_view manifest_name, std::string_view digest = {});

// What `grants` come to on this machine. A filesystem's scope is a folder, relative ones are taken from `base`, and no scope is the whole
// filesystem; a folder granted for reading and for writing is there once, writable. The scope of `environment` is names with commas
// between; those that are not set stay unset. That of `arguments` is the arguments, that of `stdio` any of `stdin`, `stdout` and `stderr`, with
// commas between. Those of the network: see AddressRules.
// Errors: E0004 a folder that is none or cannot be looked at; E0702 `environment` without names, or with an empty one; another scope that cannot
// be read.
Result<Sandbox> make_sandbox(std::span<const config::Capability> grants, const std::filesystem::path& base,
                             const config::VariableLookup& lookup);

}  // namespace torvyn::security
