#include "torvyn/host/flow_registry.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace torvyn::host {

using observability::FlowReport;
using observability::FlowState;

Result<FlowId> FlowRegistry::reserve(const std::string& name) {
  reap();
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, entry] : entries_)
    if (entry.name == name && !entry.has_ended())
      return fail(ErrorCode::usage, "flow `" + name + "` runs already",
                  "stop or cancel it first, or start it under another name");
  const FlowId id(++last_id_);
  entries_.emplace(id, Entry{.name = name});
  return id;
}

void FlowRegistry::withdraw(FlowId id) {
  const std::scoped_lock lock(mutex_);
  entries_.erase(id);
  started_.notify_all();
}

bool FlowRegistry::entered(FlowId id, std::shared_ptr<FlowRun> run, FlowOrigin origin) {
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_.at(id);
  entry.run = std::move(run);
  entry.origin = std::make_shared<const FlowOrigin>(std::move(origin));
  started_.notify_all();
  return entry.cancel_asked;
}

void FlowRegistry::redefine(FlowId id, FlowOrigin origin) {
  const std::scoped_lock lock(mutex_);
  if (const auto entry = entries_.find(id); entry != entries_.end())
    entry->second.origin = std::make_shared<const FlowOrigin>(std::move(origin));
}

std::vector<FlowRegistry::Running> FlowRegistry::running_after_starts() {
  std::unique_lock lock(mutex_);
  started_.wait(lock, [this] {
    return std::ranges::none_of(entries_, [](const auto& entry) { return entry.second.is_starting(); });
  });
  std::vector<Running> running;
  for (const auto& [id, entry] : entries_)
    if (!entry.has_ended()) running.push_back({.id = id, .run = entry.run, .origin = entry.origin});
  return running;
}

std::optional<FlowRegistry::Running> FlowRegistry::find_running(std::string_view name) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, entry] : entries_)
    if (entry.name == name && entry.run != nullptr && !entry.has_ended())
      return Running{.id = id, .run = entry.run, .origin = entry.origin};
  return std::nullopt;
}

// One that runs was started after those that have ended.
std::optional<FlowId> FlowRegistry::find(std::string_view name) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, entry] : entries_ | std::views::reverse)
    if (entry.name == name) return id;
  return std::nullopt;
}

Result<FlowRegistry::Found> FlowRegistry::found(FlowId id) const {
  const auto entry = entries_.find(id);
  if (entry == entries_.end())
    return fail(ErrorCode::unknown_flow_or_node, "there is no flow with the id " + std::to_string(id.value()),
                "a host remembers the last " + std::to_string(ended_flows_max) + " flows that have ended");
  return Found{.run = entry->second.run, .report = entry->second.report};
}

Result<FlowRegistry::Found> FlowRegistry::find(FlowId id) const {
  const std::scoped_lock lock(mutex_);
  return found(id);
}

Result<FlowRegistry::Found> FlowRegistry::find_started(FlowId id) {
  std::unique_lock lock(mutex_);
  started_.wait(lock, [this, id] {
    const auto entry = entries_.find(id);
    return entry == entries_.end() || !entry->second.is_starting();
  });
  return found(id);
}

Result<FlowRegistry::Found> FlowRegistry::find_to_cancel(FlowId id) {
  const std::scoped_lock lock(mutex_);
  if (const auto entry = entries_.find(id); entry != entries_.end()) entry->second.cancel_asked = true;
  return found(id);
}

std::vector<FlowStatus> FlowRegistry::list() const {
  const std::scoped_lock lock(mutex_);
  std::vector<FlowStatus> flows;
  for (const auto& [id, entry] : entries_) {
    FlowStatus status{
        .id = id, .name = entry.name, .progress = {}, .defined = entry.origin != nullptr && entry.origin->defined};
    std::optional<FlowReport> report = entry.report;
    if (!report && entry.run != nullptr && entry.run->has_ended()) report = entry.run->wait();
    if (report) {
      status.state = report->state;
      status.fates = report->fates;
      status.progress = {.pulled = report->fates.pulled,
                         .delivered = report->fates[observability::Fate::delivered],
                         .errors = report->errors(),
                         .elapsed_ns = report->duration_ns};
    } else if (entry.run != nullptr) {
      status.progress = entry.run->progress();
    }
    flows.push_back(std::move(status));
  }
  return flows;
}

std::vector<FlowReport> FlowRegistry::reports() const {
  const std::scoped_lock lock(mutex_);
  std::vector<FlowReport> reports;
  for (const auto& entry : entries_ | std::views::values)
    if (entry.report) reports.push_back(*entry.report);
  return reports;
}

void FlowRegistry::reap() {
  std::vector<std::shared_ptr<FlowRun>> gone;  // let go of after the lock: their instances end with them
  const std::scoped_lock lock(mutex_);
  std::size_t ended = 0;
  for (Entry& entry : entries_ | std::views::values) {
    if (entry.run != nullptr && entry.run->has_ended()) {
      entry.report = entry.run->wait();
      gone.push_back(std::exchange(entry.run, nullptr));
    }
    if (entry.report) ++ended;
  }
  for (auto entry = entries_.begin(); ended > ended_flows_max;) {
    const bool oldest = entry->second.report.has_value();
    entry = oldest ? entries_.erase(entry) : std::next(entry);
    if (oldest) --ended;
  }
}

}  // namespace torvyn::host
