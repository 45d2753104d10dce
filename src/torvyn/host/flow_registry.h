// The flows of a host that run, and those that have ended. Inside this folder only.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/config/flow_config.h"
#include "torvyn/host/flow_run.h"
#include "torvyn/host/host.h"
#include "torvyn/types/ids.h"

namespace torvyn::host {

// What a node's file was when the flow took it: a component that was built anew in the same place is another one.
using FileStamp = std::pair<std::uint64_t, std::int64_t>;  // bytes, time of its last change
using FileStamps = std::map<std::string, FileStamp>;       // by node

// What a flow was started from.
struct FlowOrigin {
  config::FlowConfig config;
  FileStamps stamps;
  bool defined = false;  // by the manifest
};

// An id is taken before a flow is prepared, which may take seconds, so that nothing is locked meanwhile; `entered` gives it its run.
// Thread: any. No lock is held while a flow is called.
class FlowRegistry {
 public:
  struct Running {
    FlowId id;
    std::shared_ptr<FlowRun> run;
    std::shared_ptr<const FlowOrigin> origin;
  };

  // Errors: E0006 a flow of that name runs.
  Result<FlowId> reserve(const std::string& name);
  void withdraw(FlowId id);
  // The flow was started. True: it was asked to end while it was not there yet, and the caller has to pass that on.
  bool entered(FlowId id, std::shared_ptr<FlowRun> run, FlowOrigin origin);
  void redefine(FlowId id, FlowOrigin origin);

  // Waits for those being prepared, and returns those that run.
  std::vector<Running> running_after_starts();
  std::optional<Running> find_running(std::string_view name) const;
  std::optional<FlowId> find(std::string_view name) const;

  // The run, or, where it has ended and is gone, its report; neither where it is still being prepared.
  struct Found {
    std::shared_ptr<FlowRun> run;
    std::optional<observability::FlowReport> report;
  };
  // Errors: E0207.
  Result<Found> find(FlowId id) const;
  // As `find`, waiting while it is being prepared.
  Result<Found> find_started(FlowId id);
  // Notes that a flow that is still being prepared is to be cancelled. Errors: E0207.
  Result<Found> find_to_cancel(FlowId id);

  std::vector<FlowStatus> list() const;
  std::vector<observability::FlowReport> reports() const;

  // Keeps the reports of flows that have ended, lets their instances go, and forgets the oldest beyond ended_flows_max.
  void reap();

 private:
  struct Entry {
    std::string name;
    bool cancel_asked = false;
    std::shared_ptr<FlowRun> run = {};  // null while it is prepared, and after it has ended
    std::shared_ptr<const FlowOrigin> origin = {};
    std::optional<observability::FlowReport> report = {};  // once it has ended

    bool is_starting() const noexcept { return run == nullptr && !report; }
    bool has_ended() const noexcept { return report || (run != nullptr && run->has_ended()); }
  };
  Result<Found> found(FlowId id) const;

  mutable std::mutex mutex_;
  std::condition_variable started_;
  std::map<FlowId, Entry> entries_;
  std::uint64_t last_id_ = 0;
};

}  // namespace torvyn::host
