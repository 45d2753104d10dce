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
constexpr std::array<std::string_view, 9> opening = {
    "filesystem-read", "filesystem-write",     "clocks",        "random",  "environment",
    "resource-pool",   "backpressure-control", "flow-metadata", "logging",
};

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
  std::string_view rest = grant.scope;
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    const std::string_view name = rest.substr(0, comma);
    if (name.empty())
      return fail(ErrorCode::out_of_range,
                  fmt::format("the grant `environment:{}` lacks a variable's name", grant.scope),
                  "name each variable: `environment:HOME,LANG`");
    const bool known = std::ranges::find(sandbox.environment, name, &Variable::name) != sandbox.environment.end();
    if (std::optional<std::string> value = lookup(name); value && !known)
      sandbox.environment.push_back({std::string(name), *std::move(value)});
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  return {};
}

}  // namespace

bool opens_something(std::string_view name) noexcept { return std::ranges::find(opening, name) != opening.end(); }

bool Sandbox::allows(std::string_view asked) const {
  const Result<Capability> capability = config::parse_capability(asked);
  return capability && opens_something(capability->name) && std::ranges::any_of(grants, [&](const Capability& grant) {
           // Without a scope it is asked whether there is any of it.
           return config::includes(grant, *capability) || (capability->scope.empty() && grant.name == capability->name);
         });
}

std::vector<Capability> grants_of(const config::SecurityConfig& security, const config::NodeConfig& node,
                                  std::string_view manifest_name) {
  std::vector<Capability> all;
  const auto add = [&all](const std::vector<Capability>& some) {
    for (const Capability& one : some)
      if (std::ranges::find(all, one) == all.end()) all.push_back(one);
  };
  add(security.default_grants);
  const std::string file = std::filesystem::path(node.component).filename().string();
  for (const config::ComponentGrants& grants : security.grants)
    if (grants.component == file || (!manifest_name.empty() && grants.component == manifest_name))
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
  for (const Capability& grant : grants) {
    if (grant.name.starts_with("filesystem-")) TORVYN_TRY(add_folder(sandbox, grant, base));
    if (grant.name == "environment") TORVYN_TRY(add_variables(sandbox, grant, lookup));
  }
  return sandbox;
}

}  // namespace torvyn::security
