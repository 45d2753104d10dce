// Components: compiled once, instantiated per flow, called with runs of elements.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/engine/component_info.h"
#include "torvyn/resources/content_types.h"
#include "torvyn/resources/copy_ledger.h"
#include "torvyn/resources/element.h"
#include "torvyn/resources/resource_table.h"
#include "torvyn/security/audit_log.h"
#include "torvyn/security/guard.h"
#include "torvyn/security/sandbox.h"
#include "torvyn/types/clock.h"
#include "torvyn/types/element_meta.h"
#include "torvyn/types/error.h"
#include "torvyn/types/event_sink.h"

namespace torvyn::engine {

using resources::Element;
using resources::Run;

// What one instance may use, and whom it works for. Pointers must outlive the instance.
struct InstanceOptions {
  std::string flow;
  std::string node;
  contracts::Role role = contracts::Role::processor;
  contracts::Contract contract = contracts::Contract::element;
  // What a router may name; an output's `port` is an index into it. Whatever is no router has "output" alone.
  std::vector<std::string> ports = {"output"};

  resources::BufferPool* pool = nullptr;
  resources::ContentTypes* content_types = nullptr;
  // How many new ones it may still bring along, for whoever counts them over several instances; null: content_types_brought_max for this one.
  std::uint32_t* content_types_room = nullptr;
  EventSink* events = nullptr;
  const Clock* clock = nullptr;  // the one that deadlines of elements are on

  std::uint64_t max_memory_bytes = std::uint64_t{64} << 20;  // linear memories and tables together
  security::Sandbox sandbox;                                 // what it may do beyond computing
  security::AuditLog* audit = nullptr;                       // where that is recorded; null = nowhere
  int stdout_fd = 1;                                         // of the `stdio` that may be granted
  int stderr_fd = 2;
  resources::HoldingLimits holdings;
  std::uint64_t max_log_bytes_per_s = std::uint64_t{64} << 10;
  std::uint64_t call_timeout_ns = 1'000'000'000;  // guest time in one call; waiting in WASI is not counted
  std::uint64_t init_timeout_ns = 5'000'000'000;
  std::uint64_t teardown_timeout_ns = 2'000'000'000;
  TraceId trace_id;
  SpanId span_id;
};

// How a call with a run ended.
enum class CallStatus : std::uint8_t {
  ok,
  end_of_stream,  // pull, flush: nothing will come any more
  nothing_yet,    // pull: ask again later
  pause,          // push: those before `done` were taken; the others should wait
  element_error,  // the element at `done` met a process-error; those before it stand
  ended,          // the instance has ended: see failure()
};

struct CallOutcome {
  CallStatus status = CallStatus::ok;
  std::uint32_t done = 0;     // inputs dealt with, in order
  std::uint32_t charged = 1;  // `ended`: inputs from `done` on that were in the call, so that their outcome is unknown
};

// A component at work. Per-element components are looped over inside, batch components take the run in one call.
// Thread: one at a time; `stop` from any.
// The calls that carry elements allocate nothing of ours in steady state.
class Instance {
 public:
  virtual ~Instance() = default;

  // `init`, where the component has a lifecycle. E0411 with the component's words; or why the instance ended.
  virtual Status init(std::string_view config) = 0;

  // Sources. Appends up to `elements_max` elements; a per-element source is asked until that many are there, `bytes_max` is passed or 50 µs have passed since
  // the first; after a call that took longer, one element is a run. Sequence, timestamp and lineage are left to the caller.
  virtual CallOutcome pull(std::uint32_t elements_max, std::uint64_t bytes_max, Run& out) noexcept = 0;
  virtual CallOutcome notify_backpressure(bool pause) noexcept = 0;
  // Sources: whether the component exports torvyn:acks.
  virtual bool wants_acks() const noexcept = 0;
  // Each of the first `up_to` elements that this instance gave has met its fate. Requires: wants_acks().
  virtual CallOutcome acknowledge(std::uint64_t up_to) noexcept = 0;

  // Processors, filters, routers, aggregators: appends outputs with the meta and lineage of the input each came from. Payloads of
  // inputs may be moved from. A router's outputs say their port: one for each that it named, the same buffer in all of them.
  virtual CallOutcome process(std::span<Element> in, Run& out) noexcept = 0;
  // Aggregators: `ok` = call again.
  virtual CallOutcome flush(Run& out) noexcept = 0;

  virtual CallOutcome push(std::span<Element> in) noexcept = 0;
  virtual Status complete() = 0;

  // Does nothing where the instance has ended, was stopped or has no lifecycle.
  virtual Status teardown() = 0;

  // After element_error: what the component said; valid until the next call.
  virtual ProcessErrorKind error_kind() const noexcept = 0;
  virtual const std::string& error_text() const noexcept = 0;
  // After `ended`: why. Requires: the instance has ended.
  virtual Error failure() const = 0;

  // Ends the instance, with E0402 as the reason: a guest that runs traps within a few milliseconds, one that waits inside a WASI call at once,
  // and no later call enters. Thread: any, at any time between creation and destruction.
  virtual void stop() noexcept = 0;

  virtual const resources::CopyLedger& copies() const noexcept = 0;
  virtual std::uint64_t memory_bytes() const noexcept = 0;
  // What it asked for of each capability, from its beginning. Thread: any.
  virtual security::CapabilityCounts capability_counts() const noexcept = 0;
  // Handles the component holds between calls.
  virtual std::uint32_t held_handles() const noexcept = 0;
};

// A compiled component. Thread: any.
class Component {
 public:
  virtual ~Component() = default;
  virtual const ComponentInfo& info() const noexcept = 0;
  // The path it was loaded from, as given.
  virtual const std::string& name() const noexcept = 0;
  // Whether its code was there already: on disk, or loaded from the same bytes by somebody else.
  virtual bool from_cache() const noexcept = 0;
  // "sha256:" and 64 hexadecimal digits, of the component's bytes.
  virtual const std::string& digest() const noexcept = 0;
  // How its functions are called: "direct", or "typed" by the engine's own calls; ComponentInfo says why.
  virtual std::string_view path() const noexcept = 0;
  // E0205 where an import is provided by nobody, naming it and, for WASI, the capability.
  virtual Status check_imports() const = 0;
  // E0510 where the grants cannot be recorded and have to be, E0200 where an export has another type than the contract's, E0310 where its memory is above the limit, E0312 where the engine has no
  // room, E0420 where its start function traps.
  virtual Result<std::unique_ptr<Instance>> instantiate(const InstanceOptions& options) = 0;
};

struct EngineOptions {
  std::uint32_t max_instances = 256;      // slots of the instance pool; 0 = allocate on demand
  std::uint64_t max_memory_bytes = 0;     // of all instances together, counted as an instance's; 0 = no bound
  bool typed_only = false;                // no component is called directly; TORVYN_ENGINE_PATH=typed says so too
  std::filesystem::path cache_directory;  // of compiled code; empty = no cache
  EventSink* events = nullptr;            // what is worth knowing about the cache; may be null
};

// Compiles and keeps the clock of all guests. What was loaded from the same bytes and is still in use shares its code. Thread: any. Lifetime: outlives its components and their instances.
class Engine {
 public:
  virtual ~Engine() = default;
  // E0210 not there; E0004 unreadable, a folder; E0104 not a component (what it is instead); E0102, E0201 no stage, as check_stage.
  virtual Result<std::shared_ptr<Component>> load(const std::filesystem::path& path) = 0;
  // The same from bytes; `name` stands for the path.
  virtual Result<std::shared_ptr<Component>> compile(std::span<const std::uint8_t> wasm, std::string name) = 0;
  // As `load`, also where it is no stage: to be looked at.
  virtual Result<std::shared_ptr<Component>> load_any(const std::filesystem::path& path) = 0;
  // Of memories and tables of all instances, now.
  virtual std::uint64_t guest_memory_bytes() const noexcept = 0;
};

// The real one, over the bridge.
class WasmEngine {
 public:
  // Errors: E0007 where the engine refuses its settings.
  static Result<std::unique_ptr<Engine>> create(const EngineOptions& options);
};

// "48.0.8".
std::string_view engine_version() noexcept;
// Allocations made inside the engine so far in this process: they are not ours.
std::uint64_t engine_allocations() noexcept;

}  // namespace torvyn::engine
