// What one instance may do, asked at each step, and told to the audit log.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "torvyn/security/audit_log.h"
#include "torvyn/security/capability_count.h"
#include "torvyn/security/network.h"
#include "torvyn/security/sandbox.h"
#include "torvyn/types/clock.h"
#include "torvyn/types/error.h"
#include "torvyn/types/event_sink.h"

namespace torvyn::security {

// Denials of one instance that get a line each, in any second. Those beyond are counted, and told in one.
inline constexpr std::uint32_t denials_per_second_max = 100;

struct GuardOptions {
  std::string flow;
  std::string node;
  std::string component;
  AuditLog* audit = nullptr;  // null = none is kept; outlives the guard
  EventSink* events = nullptr;
  const Clock* clock = &SystemClock::instance();
};

// Thread: any.
class Guard {
 public:
  Guard(Sandbox sandbox, GuardOptions options);
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // Records what was granted. Errors: E0510 where that must not go unrecorded.
  Status begin();

  const Sandbox& sandbox() const noexcept { return sandbox_; }

  // Something of `capability` was asked for, and done or refused. False: it could not be recorded, and so the instance has to end, with
  // failure().
  bool accessed(std::string_view capability, std::string_view function, std::string_view target, bool allowed) noexcept;

  bool may_look_up(std::string_view name) const noexcept { return network_.may_look_up(name); }
  void looked_up(std::string_view name, const IpAddress& ip) noexcept { network_.looked_up(name, ip); }
  // Whether a socket may do that; recorded. No is also the answer where it could not be.
  bool allows(AddressUse use, const SocketAddress& address) noexcept;

  bool may_request(std::string_view host, std::uint16_t port) const noexcept {
    return network_.may_request(host, port);
  }
  // Recorded where the answer is no: of a yes its request tells.
  bool may_reach(std::string_view host, const SocketAddress& address) noexcept;

  // E0510, after an answer of false.
  Error failure() const;
  CapabilityCounts counts() const noexcept;

 private:
  Status deny(std::string_view capability, std::string_view function, std::string_view target);
  void warn_of(std::size_t capability, std::string_view function, std::string_view target);
  AuditSubject subject() const noexcept { return {options_.flow, options_.node, options_.component}; }

  Sandbox sandbox_;
  GuardOptions options_;
  NetworkPolicy network_;
  struct Counter {
    std::atomic<std::uint64_t> exercises{0};
    std::atomic<std::uint64_t> denials{0};
  };
  std::array<Counter, config::capability_count> counts_;

  mutable std::mutex mutex_;  // of what follows
  std::uint64_t window_start_ns_ = 0;
  std::uint32_t told_ = 0;
  std::uint64_t suppressed_ = 0;
  std::optional<Error> failure_;
};

}  // namespace torvyn::security
