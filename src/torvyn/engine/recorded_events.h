// Private to the tests of engine: an EventSink that remembers.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/types/event_sink.h"

namespace torvyn::engine {

// Each entry reads "severity CODE [node] text", without what is empty. Thread: any.
class RecordedEvents final : public EventSink {
 public:
  void event(Severity severity, std::string_view code, std::string_view node, std::string_view text) noexcept override {
    record(events_, severity, code, node, text);
  }
  void guest_line(Severity severity, std::string_view node, std::string_view text) noexcept override {
    record(lines_, severity, {}, node, text);
  }

  std::vector<std::string> events() const { return copy(events_); }
  std::vector<std::string> lines() const { return copy(lines_); }

 private:
  void record(std::vector<std::string>& list, Severity severity, std::string_view code, std::string_view node,
              std::string_view text) {
    static constexpr const char* names[] = {"trace", "debug", "info", "warn", "error"};
    std::string entry = names[static_cast<std::size_t>(severity)];
    if (!code.empty()) entry.append(" ").append(code);
    if (!node.empty()) entry.append(" [").append(node).append("]");
    entry.append(" ").append(text);
    const std::scoped_lock lock(mutex_);
    list.push_back(std::move(entry));
  }
  std::vector<std::string> copy(const std::vector<std::string>& list) const {
    const std::scoped_lock lock(mutex_);
    return list;
  }

  mutable std::mutex mutex_;
  std::vector<std::string> events_;
  std::vector<std::string> lines_;
};

}  // namespace torvyn::engine
