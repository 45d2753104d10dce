// A program's functions as stages. Inside this folder only.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "torvyn/host/native_stage.h"
#include "torvyn/host/shared.h"
#include "torvyn/reactor/executor.h"

namespace torvyn::host {

// `shared` outlives the stage. `ports`: of the node.
std::unique_ptr<reactor::Stage> make_native_stage(const NativeNode& node, std::vector<std::string> ports,
                                                  Shared& shared);

struct Inlet::Queue {
  struct Waiting {
    resources::BufferRef payload;
    ContentTypeId content_type = 0;
  };

  explicit Queue(const InletLimits& given) : limits(given) {}

  // The flow that empties it, from its preparation to its end; there is one at a time.
  void attach(Shared& host);
  void set_waker(reactor::Waker* flow);
  void detach();

  const InletLimits limits;
  std::mutex mutex;
  std::condition_variable room;
  Shared* shared = nullptr;         // null: no flow
  reactor::Waker* waker = nullptr;  // null: it doesn't run yet, or not any more
  std::deque<Waiting> waiting;
  std::uint64_t waiting_bytes = 0;
  bool closed = false;
};

}  // namespace torvyn::host
