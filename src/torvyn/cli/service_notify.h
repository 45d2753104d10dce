// What a service tells the service manager that started it, by systemd's notification protocol.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace torvyn::cli {

// Says nothing where nobody asked to be told: NOTIFY_SOCKET is not set. What cannot be sent is let go: a service works without it.
// Thread: any.
class ServiceNotify {
 public:
  ServiceNotify();

  // "READY=1\nSTATUS=…"; one assignment a line.
  void send(std::string_view state) const noexcept;

  // How often the manager wants to hear "WATCHDOG=1"; half of the time after which it takes this process for dead. Nothing: never.
  std::optional<std::uint64_t> watchdog_interval_ns() const noexcept { return watchdog_interval_ns_; }

 private:
  std::string socket_;
  std::optional<std::uint64_t> watchdog_interval_ns_;
};

}  // namespace torvyn::cli
