#include "torvyn/security/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <tuple>
#include <utility>

namespace torvyn::security {
namespace {

constexpr std::uint64_t window_ns = 1'000'000'000;

std::size_t index_of(std::string_view capability) noexcept {
  const std::span<const std::string_view> names = config::capability_names();
  return static_cast<std::size_t>(std::ranges::find(names, capability) - names.begin());
}

// The least that would have been enough, as far as the one call tells.
std::string narrow_scope(std::string_view capability, std::string_view target) {
  if (capability.starts_with("filesystem-")) return ":FOLDER";
  if (capability == "name-lookup") return fmt::format(":{}", target);
  if (capability == "http-client") return fmt::format(":{}", target);
  if (capability != "tcp-connect" && capability != "tcp-listen" && capability != "udp") return {};
  // A socket that could not even be made has no address yet.
  return target.find(':') == std::string_view::npos ? ":HOST:PORT" : fmt::format(":{}", target);
}

}  // namespace

Guard::Guard(Sandbox sandbox, GuardOptions options)
    : sandbox_(std::move(sandbox)), options_(std::move(options)), network_(sandbox_.network) {}

Guard::~Guard() {
  if (suppressed_ != 0 && options_.audit != nullptr)
    // Nobody is left who could be told that it failed.
    std::ignore = options_.audit->suppressed(subject(), suppressed_);
}

Status Guard::begin() {
  if (options_.audit == nullptr) return {};
  return options_.audit->granted(subject(), sandbox_.grants);
}

bool Guard::accessed(std::string_view capability, std::string_view function, std::string_view target,
                     bool allowed) noexcept {
  const std::size_t index = index_of(capability);
  if (index < counts_.size()) {
    Counter& counter = counts_[index];
    (allowed ? counter.exercises : counter.denials).fetch_add(1, std::memory_order_relaxed);
  }
  Status recorded;
  if (allowed) {
    if (options_.audit != nullptr && options_.audit->tells_uses())
      recorded = options_.audit->used(subject(), capability, function, target);
  } else {
    if (index < counts_.size() && counts_[index].denials.load(std::memory_order_relaxed) == 1)
      warn_of(index, function, target);
    recorded = deny(capability, function, target);
  }
  if (recorded) return true;
  const std::scoped_lock lock(mutex_);
  failure_ = std::move(recorded).error();
  return false;
}

// The first of each kind is told to a person, who sees the way out beside it.
void Guard::warn_of(std::size_t capability, std::string_view function, std::string_view target) {
  if (options_.events == nullptr) return;
  const std::string_view name = config::capability_names()[capability];
  const std::string file = std::filesystem::path(options_.component).filename().string();
  options_.events->event(
      Severity::warn, warning_code_string(ErrorCode::capability_denied), options_.node,
      fmt::format("the component was denied `{}` ({}{}{}); to grant it: capabilities = [\"{}{}\"] in "
                  "[security.grants.\"{}\"]",
                  name, function, target.empty() ? "" : " ", target, name, narrow_scope(name, target), file));
}

Status Guard::deny(std::string_view capability, std::string_view function, std::string_view target) {
  if (options_.audit == nullptr) return {};
  std::uint64_t left_out = 0;
  {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t now_ns = options_.clock->monotonic_ns();
    if (told_ == 0 || now_ns - window_start_ns_ >= window_ns) {
      window_start_ns_ = now_ns;
      told_ = 0;
      left_out = std::exchange(suppressed_, 0);
    }
    if (told_ == denials_per_second_max) {
      ++suppressed_;
      return {};
    }
    ++told_;
  }
  if (left_out != 0) TORVYN_TRY(options_.audit->suppressed(subject(), left_out));
  return options_.audit->denied(subject(), capability, function, target);
}

bool Guard::allows(AddressUse use, const SocketAddress& address) noexcept {
  const bool allowed = network_.allows(use, address);
  // Asked of every datagram: its address is written out only where somebody reads it.
  const bool told = !allowed || (options_.audit != nullptr && options_.audit->tells_uses());
  const std::string target = told ? address.to_string() : std::string();
  const bool recorded = accessed(capability_of(use, address), function_of(use), target, allowed);
  return allowed && recorded;
}

bool Guard::may_reach(std::string_view host, const SocketAddress& address) noexcept {
  if (network_.may_reach(host, address)) return true;
  std::ignore =
      accessed("http-client", "outgoing-handler.handle", fmt::format("{} at {}", host, address.to_string()), false);
  return false;
}

Error Guard::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_.value_or(Error(ErrorCode::audit_failed, "the audit log cannot be written"));
}

CapabilityCounts Guard::counts() const noexcept {
  CapabilityCounts counts{};
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] = {counts_[i].exercises.load(std::memory_order_relaxed),
                 counts_[i].denials.load(std::memory_order_relaxed)};
  return counts;
}

}  // namespace torvyn::security
