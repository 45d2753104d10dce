// Events without what was filled in from outside. Inside this folder only.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/config/references.h"
#include "torvyn/types/event_sink.h"

namespace torvyn::host {

// Passes everything on to another sink, with references in the place of the values that were filled in for them: a guest that logs its
// settings shows no secret.
// Thread: as EventSink.
class MaskedEvents final : public EventSink {
 public:
  // `next` outlives this.
  MaskedEvents(EventSink& next, std::vector<config::FilledReference> filled)
      : next_(next), filled_(std::move(filled)) {}

  void event(Severity severity, std::string_view code, std::string_view node, std::string_view text) noexcept override {
    next_.event(severity, code, node, config::masked(std::string(text), filled_));
  }
  void guest_line(Severity severity, std::string_view node, std::string_view text) noexcept override {
    next_.guest_line(severity, node, config::masked(std::string(text), filled_));
  }

  const std::vector<config::FilledReference>& filled() const noexcept { return filled_; }

 private:
  EventSink& next_;
  const std::vector<config::FilledReference> filled_;
};

}  // namespace torvyn::host
