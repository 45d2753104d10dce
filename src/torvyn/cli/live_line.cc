#include "torvyn/cli/live_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "torvyn/config/units.h"

namespace torvyn::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds redraw_period{100};
// A flow that ends sooner shows its summary alone.
constexpr milliseconds quiet_start{200};

void draw(const std::stop_token& stop, Screen& screen, const LiveLine::Source& source) {
  std::mutex mutex;
  std::condition_variable_any ended;
  std::unique_lock lock(mutex);
  RateMeter rate;
  // True when the line should end. Nothing but the token wakes it.
  const auto wait = [&](milliseconds time) {
    return ended.wait_for(lock, stop, time, [&] { return stop.stop_requested(); });
  };
  if (wait(quiet_start)) return;
  do {
    const observability::FlowProgress progress = source.progress();
    rate.add(progress.pulled, progress.elapsed_ns);
    screen.show_live(live_text(progress, rate.per_second(), source.stopping()));
  } while (!wait(redraw_period));
}

}  // namespace

void RateMeter::add(std::uint64_t elements, std::uint64_t elapsed_ns) noexcept {
  ++count_;
  samples_[count_ % samples_.size()] = {elements, elapsed_ns};
}

std::uint64_t RateMeter::per_second() const noexcept {
  const std::size_t back = std::min(count_, samples_kept);
  const Sample& newest = samples_[count_ % samples_.size()];
  const Sample& oldest = samples_[(count_ - back) % samples_.size()];
  // A flow that is restarted counts from 0 again.
  if (newest.elapsed_ns <= oldest.elapsed_ns || newest.elements < oldest.elements) return 0;
  const auto elements = static_cast<double>(newest.elements - oldest.elements);
  return static_cast<std::uint64_t>(elements * 1e9 / static_cast<double>(newest.elapsed_ns - oldest.elapsed_ns));
}

observability::FlowProgress sum_of(std::span<const observability::FlowProgress> flows) noexcept {
  observability::FlowProgress sum;
  for (const observability::FlowProgress& flow : flows) {
    sum.pulled += flow.pulled;
    sum.delivered += flow.delivered;
    sum.errors += flow.errors;
    sum.elapsed_ns = std::max(sum.elapsed_ns, flow.elapsed_ns);
  }
  return sum;
}

std::string live_text(const observability::FlowProgress& progress, std::uint64_t per_second, bool stopping) {
  using config::format_count;
  std::string text = fmt::format("{} {}: {} elements, {}/s", stopping ? "stopping" : "running",
                                 config::format_duration(progress.elapsed_ns), format_count(progress.pulled),
                                 format_count(per_second));
  if (progress.errors != 0)
    text += fmt::format(", {} error{}", format_count(progress.errors), progress.errors == 1 ? "" : "s");
  if (stopping) text += "; Ctrl-C ends it at once";
  return text;
}

LiveLine::LiveLine(Screen& screen, Source source)
    : screen_(screen),
      thread_([&screen, drawn = std::move(source)](const std::stop_token& stop) { draw(stop, screen, drawn); }) {}

LiveLine::~LiveLine() {
  thread_.request_stop();
  thread_.join();
  screen_.clear_live();
}

}  // namespace torvyn::cli
