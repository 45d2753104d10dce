// What guests and the runtime have to say, on the screen.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/cli/screen.h"
#include "torvyn/types/event_sink.h"

namespace torvyn::cli {

// A warning, kept for the JSON report.
struct Warning {
  std::string code;       // "W0300", or empty
  std::string node = {};  // or empty
  std::string message;
  std::string hint = {};
  std::string file = {};  // or empty; with line and column where they are known
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// Draws a warning: `warning[W0700]: … (Torvyn.toml:3:1)`, and in which node.
std::string draw_warning(const Warning& warning, const Palette& palette);

// Guests' lines as `[node] text`, the runtime's messages as `warning[W0300]: …` or `note: …`.
// Thread: as EventSink.
class CliEvents final : public EventSink {
 public:
  struct Options {
    Severity least = Severity::info;  // what weighs less is not shown
    bool draw_warnings = true;        // false: they are only kept
  };

  // Warnings kept; later ones are shown, but not in the report.
  static constexpr std::size_t warnings_max = 256;

  // `screen` outlives the sink.
  CliEvents(Screen& screen, const Options& options) : screen_(screen), options_(options) {}

  void event(Severity severity, std::string_view code, std::string_view node, std::string_view text) noexcept override;
  void guest_line(Severity severity, std::string_view node, std::string_view text) noexcept override;

  // Draws and keeps a warning that is more than an event can say. Thread: any.
  void warn(Warning warning);

  // Those so far, in order.
  std::vector<Warning> warnings() const;

 private:
  Screen& screen_;
  const Options options_;
  mutable std::mutex mutex_;
  std::vector<Warning> warnings_;
};

}  // namespace torvyn::cli
