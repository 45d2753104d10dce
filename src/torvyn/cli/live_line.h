// The line that shows flows at work: elements, rate, errors, elapsed.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <thread>

#include "torvyn/cli/screen.h"
#include "torvyn/observability/flow_report.h"

namespace torvyn::cli {

// Elements a second over the last second of what it was shown.
class RateMeter {
 public:
  void add(std::uint64_t elements, std::uint64_t elapsed_ns) noexcept;
  std::uint64_t per_second() const noexcept;

 private:
  struct Sample {
    std::uint64_t elements = 0;
    std::uint64_t elapsed_ns = 0;
  };
  static constexpr std::size_t samples_kept = 10;  // one second of redraws
  std::array<Sample, samples_kept + 1> samples_{};
  std::size_t count_ = 0;  // of samples so far; the first is at 0 elements and 0 ns
};

// Of flows side by side: what all of them did, and the time of the one that runs longest.
observability::FlowProgress sum_of(std::span<const observability::FlowProgress> flows) noexcept;

// "running 1.4 s: 84,000 elements, 61,200/s, 7 errors". `stopping`: a stop was asked for.
std::string live_text(const observability::FlowProgress& progress, std::uint64_t per_second, bool stopping);

// Redraws the line ten times a second on a thread of its own, from construction to destruction.
class LiveLine {
 public:
  struct Source {
    std::function<observability::FlowProgress()> progress;  // called on the line's thread
    std::function<bool()> stopping;                         // likewise
  };

  // Requires: `screen` is interactive and outlives the line.
  LiveLine(Screen& screen, Source source);
  ~LiveLine();
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;

 private:
  Screen& screen_;
  std::jthread thread_;
};

}  // namespace torvyn::cli
