#include "torvyn/config/capability.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>
#include <vector>

#include "torvyn/config/nearest.h"

namespace torvyn::config {
namespace {

constexpr std::array<std::string_view, capability_count> names = {
    "filesystem-read", "filesystem-write",
    "name-lookup",     "tcp-connect",
    "tcp-listen",      "udp",
    "http-client",     "clocks",
    "random",          "environment",
    "stdio",           "arguments",
    "resource-pool",   "backpressure-control",
    "flow-metadata",   "logging",
    "custom-metrics",  "runtime-inspection",
    "stream-ops",      "state",
    "spawn",
};

// WASI's packages, as people know them.
constexpr std::pair<std::string_view, std::string_view> wasi_spellings[] = {
    {"wasi:filesystem/read", "filesystem-read"},
    {"wasi:filesystem/write", "filesystem-write"},
    {"wasi:sockets/ip-name-lookup", "name-lookup"},
    {"wasi:sockets/tcp-connect", "tcp-connect"},
    {"wasi:sockets/tcp-listen", "tcp-listen"},
    {"wasi:sockets/udp", "udp"},
    {"wasi:http/outgoing-handler", "http-client"},
    {"wasi:clocks", "clocks"},
    {"wasi:random", "random"},
    {"wasi:cli/environment", "environment"},
    {"wasi:cli/stdio", "stdio"},
    {"wasi:cli/arguments", "arguments"},
};

constexpr std::string_view wasi_prefix = "wasi:";

bool is_filesystem(std::string_view name) { return name.starts_with("filesystem-"); }

// Whether `folder` is `path` or a folder above it, by their names alone.
bool holds(const std::string& folder, const std::string& path) {
  const std::filesystem::path inside = std::filesystem::path(path).lexically_normal();
  const std::filesystem::path outside = std::filesystem::path(folder + "/").lexically_normal();
  if (inside.is_absolute() != outside.is_absolute()) return false;
  const std::filesystem::path rest = (inside / "").lexically_relative(outside);
  return !rest.empty() && *rest.begin() != "..";
}

}  // namespace

std::span<const std::string_view> capability_names() noexcept { return names; }

Result<Capability> parse_capability(std::string_view text) {
  const std::size_t skipped = text.starts_with(wasi_prefix) ? wasi_prefix.size() : 0;
  const std::size_t colon = text.find(':', skipped);
  const std::string_view written = text.substr(0, colon);
  std::string_view name = written;
  if (skipped != 0) {
    const auto* const known =
        std::ranges::find(wasi_spellings, written, &std::pair<std::string_view, std::string_view>::first);
    if (known != std::end(wasi_spellings)) name = known->second;
  }
  if (std::ranges::find(names, name) == names.end()) {
    std::string_view near = nearest(written, names);
    if (skipped != 0) {
      std::vector<std::string_view> spellings;
      for (const auto& [spelling, meaning] : wasi_spellings) spellings.push_back(spelling);
      near = nearest(written, spellings);
    }
    return fail(ErrorCode::out_of_range,
                fmt::format("there is no capability `{}`{}", written,
                            near.empty() ? "" : fmt::format(", did you mean `{}`?", near)),
                fmt::format("there are {}", fmt::join(names, ", ")));
  }
  if (colon == std::string_view::npos) return Capability{std::string(name), {}};
  const std::string_view scope = text.substr(colon + 1);
  if (scope.empty())
    return fail(ErrorCode::out_of_range, fmt::format("`{}` has no scope behind its colon", text),
                fmt::format("write `{}` for all of it", written));
  return Capability{std::string(name), std::string(scope)};
}

bool includes(const Capability& allowed, const Capability& asked) {
  if (allowed.name != asked.name) return false;
  if (allowed.scope.empty() || allowed.scope == asked.scope) return true;
  return is_filesystem(allowed.name) && !asked.scope.empty() && holds(allowed.scope, asked.scope);
}

}  // namespace torvyn::config
