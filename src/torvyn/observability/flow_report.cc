#include "torvyn/observability/flow_report.h"

#include <numeric>

namespace torvyn::observability {

std::string_view fate_name(Fate fate) noexcept {
  switch (fate) {
    case Fate::filtered:
      return "filtered";
    case Fate::absorbed:
      return "absorbed";
    case Fate::delivered:
      return "delivered";
    case Fate::skipped:
      return "skipped";
    case Fate::cancelled:
      return "cancelled";
    case Fate::dropped:
      return "dropped";
    case Fate::dead_lettered:
      return "dead_lettered";
    case Fate::failed:
      return "failed";
  }
  return "?";
}

std::string_view flow_state_name(FlowState state) noexcept {
  switch (state) {
    case FlowState::running:
      return "running";
    case FlowState::completed:
      return "completed";
    case FlowState::limited:
      return "limited";
    case FlowState::closed:
      return "closed";
    case FlowState::interrupted:
      return "interrupted";
    case FlowState::failed:
      return "failed";
    case FlowState::cancelled:
      return "cancelled";
  }
  return "?";
}

std::uint64_t FateCounts::accounted() const noexcept {
  return std::accumulate(fates.begin(), fates.end(), std::uint64_t{0});
}

resources::CopyCount StageReport::copies_total() const noexcept {
  resources::CopyCount sum;
  for (const resources::CopyCount& one : copies) sum += one;
  return sum;
}

resources::CopyCount FlowReport::copies_total() const noexcept {
  resources::CopyCount sum;
  for (const StageReport& stage : stages) sum += stage.copies_total();
  return sum;
}

std::uint64_t FlowReport::errors() const noexcept {
  std::uint64_t sum = 0;
  for (const StageReport& stage : stages) sum += stage.errors;
  return sum;
}

}  // namespace torvyn::observability
