// Where a subsystem tells what happened without knowing who listens.
#pragma once

#include <cstdint>
#include <string_view>

namespace torvyn {

enum class Severity : std::uint8_t { trace, debug, info, warn, error };

// Receives what a person may want to read. The library itself writes nothing to stdout or stderr: the command line, or the
// program it is embedded in, decides.
// Thread: every member may be called from any thread at once. Lifetime: outlives whoever was given it.
class EventSink {
 public:
  virtual ~EventSink() = default;

  // One message of the runtime: `code` is a W or E code or empty, `node` the stage it is about or empty. The views are valid
  // for the call.
  virtual void event(Severity severity, std::string_view code, std::string_view node,
                     std::string_view text) noexcept = 0;

  // One line that a guest wrote, to its log or its stdout or stderr, without the line ending.
  virtual void guest_line(Severity severity, std::string_view node, std::string_view text) noexcept = 0;

 protected:
  EventSink() = default;
  EventSink(const EventSink&) = default;
  EventSink& operator=(const EventSink&) = default;
};

// Swallows everything.
class NullEventSink final : public EventSink {
 public:
  void event(Severity, std::string_view, std::string_view, std::string_view) noexcept override {}
  void guest_line(Severity, std::string_view, std::string_view) noexcept override {}
};

}  // namespace torvyn
