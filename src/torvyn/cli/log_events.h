// What happens in a service, a line each, for a log.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "torvyn/types/error.h"
#include "torvyn/types/event_sink.h"

namespace torvyn::cli {

// Writes JSON lines: `time` (UTC, with milliseconds), `level`, `code`, `flow`, `node`, `text`, `guest` (true for a line that a guest wrote) and `hint`;
// what is not known is left out. Each is one write, so that processes can share a file that is opened for appending.
// Thread: as EventSink.
class LogEvents final : public EventSink {
 public:
  // `fd` outlives the sink; what weighs less than `least` is left out.
  LogEvents(int fd, Severity least) : fd_(fd), least_(least) {}

  void event(Severity severity, std::string_view code, std::string_view node, std::string_view text) noexcept override;
  void guest_line(Severity severity, std::string_view node, std::string_view text) noexcept override;

  // An error with all that is known of it. Thread: any.
  void error(const Error& error) noexcept;

 private:
  void write(std::string_view line) noexcept;

  const int fd_;
  const Severity least_;
  std::mutex mutex_;
};

}  // namespace torvyn::cli
