#include "torvyn/security/sandbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>
#include <utility>

namespace torvyn::security {

using config::Capability;

namespace {

// What every component may do anyway, or what a Sandbox has.
constexpr std::array<std::string_view, 16> opening = {
    "filesystem-read", "filesystem-write", "name-lookup", "tcp-connect",          "tcp-listen", "udp",
    "http-client",     "clocks",           "random",      "environment",          "stdio",      "arguments",
    "resource-pool",   "flow-metadata",    "logging",     "backpressure-control",
};

// The parts of a scope, which have commas between; `what` is one of them.
Result<std::vector<std::string_view>> parts_of(const Capability& grant, std::string_view what,
                                               std::string_view example) {
  std::vector<std::string_view> parts;
  std::string_view rest = grant.scope;
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    parts.push_back(rest.substr(0, comma));
    if (parts.back().empty())
      return fail(ErrorCode::out_of_range, fmt::format("the grant `{}:{}` lacks {}", grant.name, grant.scope, what),
                  fmt::format("name each of them: `{}`", example));
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  return parts;
}

Status add_folder(Sandbox& sandbox, const Capability& grant, const std::filesystem::path& base) {
  const bool writable = grant.name == "filesystem-write";
  const std::string guest_path = grant.scope.empty() ? "/" : grant.scope;
  const auto known = std::ranges::find(sandbox.folders, guest_path, &Folder::guest_path);
  if (known != sandbox.folders.end()) {
    known->writable = known->writable || writable;
    return {};
  }
  const std::filesystem::path host_path = base / guest_path;
  std::error_code error;
  if (!std::filesystem::is_directory(host_path, error))
    return fail(ErrorCode::io_failed,
                fmt::format("`{}:{}` is granted, and `{}` {}", grant.name, grant.scope, host_path.string(),
                            error ? error.message() : "is no folder"),
                "grant a folder that is there, or make it before the flow starts");
  sandbox.folders.push_back({guest_path, host_path, writable});
  return {};
}

Status add_variables(Sandbox& sandbox, const Capability& grant, const config::VariableLookup& lookup) {
  TORVYN_LET(const auto names, parts_of(grant, "a variable's name", "environment:HOME,LANG"));
  for (const std::string_view name : names) {
    const bool known = std::ranges::find(sandbox.environment, name, &Variable::name) != sandbox.environment.end();
    if (std::optional<std::string> value = lookup(name); value && !known)
      sandbox.environment.push_back({std::string(name), *std::move(value)});
  }
  return {};
}

Status add_arguments(Sandbox& sandbox, const Capability& grant) {
  TORVYN_LET(const auto arguments, parts_of(grant, "an argument", "arguments:--verbose,input.txt"));
  for (const std::string_view argument : arguments) sandbox.arguments.emplace_back(argument);
  return {};
}

Status add_stdio(Sandbox& sandbox, const Capability& grant) {
  if (grant.scope.empty()) {
    sandbox.standard_input = sandbox.standard_output = sandbox.standard_error = true;
    return {};
  }
  TORVYN_LET(const auto streams, parts_of(grant, "a stream's name", "stdio:stdin,stdout"));
  for (const std::string_view stream : streams) {
    if (stream != "stdin" && stream != "stdout" && stream != "stderr")
      return fail(ErrorCode::out_of_range,
                  fmt::format("`{}` in the grant `stdio:{}` is no standard stream", stream, grant.scope),
                  "there are `stdin`, `stdout` and `stderr`");
    sandbox.standard_input = sandbox.standard_input || stream == "stdin";
    sandbox.standard_output = sandbox.standard_output || stream == "stdout";
    sandbox.standard_error = sandbox.standard_error || stream == "stderr";
  }
  return {};
}

Status add_grant(Sandbox& sandbox, const Capability& grant, const std::filesystem::path& base,
                 const config::VariableLookup& lookup) {
  const std::string_view name = grant.name;
  NetworkRules& network = sandbox.network;
  if (name.starts_with("filesystem-")) return add_folder(sandbox, grant, base);
  if (name == "environment") return add_variables(sandbox, grant, lookup);
  if (name == "arguments") return add_arguments(sandbox, grant);
  if (name == "stdio") return add_stdio(sandbox, grant);
  if (name == "tcp-connect") return network.tcp_connect.add(name, grant.scope, false);
  if (name == "tcp-listen") return network.tcp_listen.add(name, grant.scope, true);
  if (name == "udp") return network.udp.add(name, grant.scope, false);
  if (name == "name-lookup") return network.name_lookup.add(name, grant.scope, false);
  if (name == "http-client") return network.http_client.add(name, grant.scope, false);
  return {};
}

// Whether the part of one scope, with commas between its parts, is among those of another.
bool has_part(std::string_view scope, std::string_view part) {
  for (std::string_view rest = scope;;) {
    const std::size_t comma = rest.find(',');
    if (rest.substr(0, comma) == part) return true;
    if (comma == std::string_view::npos) return false;
    rest.remove_prefix(comma + 1);
  }
}

bool covers(const Capability& grant, const Capability& asked) {
  if (grant.name != asked.name) return false;
  // Without a scope it is asked whether there is any of it.
  if (asked.scope.empty() || config::includes(grant, asked)) return true;
  if (asked.name == "environment" || asked.name == "stdio") {
    const Result<std::vector<std::string_view>> parts = parts_of(asked, "a name", "");
    return parts && std::ranges::all_of(*parts, [&](std::string_view part) { return has_part(grant.scope, part); });
  }
  const bool listening = asked.name == "tcp-listen";
  constexpr std::array<std::string_view, 4> with_addresses{"tcp-connect", "udp", "name-lookup", "http-client"};
  if (!listening && std::ranges::find(with_addresses, asked.name) == with_addresses.end()) return false;
  AddressRules allowed;
  AddressRules wanted;
  return allowed.add(grant.name, grant.scope, listening) && wanted.add(asked.name, asked.scope, listening) &&
         allowed.covers(wanted);
}

}  // namespace

bool opens_something(std::string_view name) noexcept { return std::ranges::find(opening, name) != opening.end(); }

bool Sandbox::allows(std::string_view asked) const {
  const Result<Capability> capability = config::parse_capability(asked);
  return capability && opens_something(capability->name) &&
         std::ranges::any_of(grants, [&](const Capability& grant) { return covers(grant, *capability); });
}

std::vector<Capability> grants_of(const config::SecurityConfig& security, const config::NodeConfig& node,
                                  std::string_view manifest_name, std::string_view digest) {
  std::vector<Capability> all;
  const auto add = [&all](const std::vector<Capability>& some) {
    for (const Capability& one : some)
      if (std::ranges::find(all, one) == all.end()) all.push_back(one);
  };
  add(security.default_grants);
  const std::string file = std::filesystem::path(node.component).filename().string();
  for (const config::ComponentGrants& grants : security.grants)
    if (grants.component == file || (!manifest_name.empty() && grants.component == manifest_name) ||
        (!digest.empty() && grants.component == digest))
      add(grants.capabilities);
  add(node.grants);
  return all;
}

Result<Sandbox> make_sandbox(std::span<const Capability> grants, const std::filesystem::path& base,
                             const config::VariableLookup& lookup) {
  Sandbox sandbox;
  sandbox.grants.assign(grants.begin(), grants.end());
  sandbox.clocks = std::ranges::find(grants, "clocks", &Capability::name) != grants.end();
  sandbox.random = std::ranges::find(grants, "random", &Capability::name) != grants.end();
  for (const Capability& grant : grants) TORVYN_TRY(add_grant(sandbox, grant, base, lookup));
  return sandbox;
}

}  // namespace torvyn::security
