// What all flows of a host share. Inside this folder only.
#pragma once

#include <atomic>
#include <memory>

#include "torvyn/engine/engine.h"
#include "torvyn/host/host.h"
#include "torvyn/reactor/scheduler.h"
#include "torvyn/resources/buffer_pool.h"
#include "torvyn/resources/content_types.h"
#include "torvyn/security/audit_log.h"

namespace torvyn::host {

struct Shared {
  explicit Shared(const HostOptions& given) : level(given.level), options(given) {
    if (options.events == nullptr) options.events = &silence;
  }

  std::atomic<config::ObservabilityLevel> level;
  NullEventSink silence;
  HostOptions options;  // with a sink of events in any case
  std::unique_ptr<resources::BufferPool> pool;
  resources::ContentTypes content_types;
  std::unique_ptr<security::AuditLog> audit;  // null where none is kept
  std::unique_ptr<engine::Engine> engine;
  std::uint32_t looks = 0;                        // reactor::FlowPlan::looks
  std::unique_ptr<reactor::Scheduler> scheduler;  // last: its threads end first
};

}  // namespace torvyn::host
