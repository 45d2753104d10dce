// `run --watch`: components are built again when their sources change, and take over in the flows that run.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "torvyn/cli/flow_components.h"
#include "torvyn/cli/session.h"
#include "torvyn/cli/source_watch.h"
#include "torvyn/host/host.h"

namespace torvyn::cli {

// Watches from construction to destruction, on a thread of its own. A build that fails leaves the component as it is and says so; so does one
// that the flow refuses. Building holds no flow up; to swap takes the host's time for one call.
class RebuildOnChange {
 public:
  struct Watched {
    BuiltStage stage;
    host::FlowRun* run;
  };

  // `session` and the runs outlive it.
  RebuildOnChange(const Session& session, SourceWatch watch, std::vector<Watched> watched);
  ~RebuildOnChange();
  RebuildOnChange(const RebuildOnChange&) = delete;
  RebuildOnChange& operator=(const RebuildOnChange&) = delete;

 private:
  void watch_on();
  void build_again();
  void take_over(const Watched& one) const;
  void say(const Error& error, const std::string& consequence) const;

  const Session& session_;
  SourceWatch watch_;
  std::vector<Watched> watched_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace torvyn::cli
