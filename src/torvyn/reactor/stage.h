// What the flow driver drives: components and built-in stages look alike from here.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "torvyn/resources/copy_ledger.h"
#include "torvyn/resources/element.h"
#include "torvyn/security/capability_count.h"
#include "torvyn/types/element_meta.h"
#include "torvyn/types/error.h"

namespace torvyn::reactor {

using resources::Element;
using resources::Run;

// How a step of a stage ended. The hot path returns this and a count; what there is to say about it waits in the stage.
enum class StageStatus : std::uint8_t {
  ok,             // all of the input was taken
  end_of_stream,  // pull: no element will come any more; what was written counts
  nothing_yet,    // pull: nothing now, ask again
  pause,          // push: those before `done` were taken, the others should wait a little
  closed,         // push: whoever reads the output went away. The element at `done` was not delivered. Not an error
  element_error,  // the element at `done` met a process-error (`element_error()`); those before it stand
  failed,         // the stage has ended (`failure()`): a trap, an I/O error
};

struct StageOutcome {
  StageStatus status = StageStatus::ok;
  std::uint32_t done = 0;     // inputs dealt with, in order; the one at this index is what an error is about
  std::uint32_t charged = 1;  // `failed`: inputs from `done` on whose outcome is unknown
  bool rests = false;         // its share of the CPU is used up: not to be called before `rest_until_ns()`
};

// What a component said about one element.
struct ElementError {
  ProcessErrorKind kind = ProcessErrorKind::internal;
  std::string text;
};

// Ends waits from any thread: a stage that blocks (a read from a pipe) polls `fd()` beside its own descriptor, and a source then returns
// `nothing_yet` from pull. Raised, it stays so: the flow is to end. Nudged, there is something else to do in the flow, and its driver lowers
// it again.
// The descriptor is made when it is first asked for: ten thousand flows that never wait have none.
class Interrupt {
 public:
  Interrupt() = default;
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  void raise() noexcept;  // async-signal-safe
  void nudge() noexcept;  // async-signal-safe
  bool raised() const noexcept { return state_.load(std::memory_order_acquire) == State::raised; }
  // Thread: the one that drives the flow. What was nudged for has to be looked at after this.
  void lower() noexcept;
  // Thread: the one that drives the flow.
  int fd() const noexcept;
  // Sleeps so long, but not beyond raising; true: it is raised.
  bool wait_ns(std::uint64_t ns) noexcept;

 private:
  enum class State : std::uint8_t { none, nudged, raised };
  void make_readable() const noexcept;

  mutable std::atomic<int> fd_{-1};
  std::atomic<State> state_{State::none};
};

// What a pull may bring.
struct PullLimits {
  std::uint32_t elements_max = 64;
  std::uint64_t bytes_max = std::uint64_t{1} << 20;
  // A source with nothing to give may wait for it: nothing else in its flow has anything to do. Else it returns `nothing_yet` at once.
  bool may_wait = true;
};

// One stage of a running flow. The driver calls `start` once, then the functions of its role, then `flush` and `complete` at an orderly end, and
// `finish` in any case.
// Thread: one at a time. The calls that carry elements allocate nothing in steady state and throw nothing.
class Stage {
 public:
  virtual ~Stage() = default;

  // Opens files, calls `init`. Errors end the flow before any element.
  virtual Status start() = 0;

  // Sources. Appends up to `limits` elements to `out`: payload and content type set, the rest is the driver's. Stops early where the next
  // element would have to be waited for; waits only where it has none to give.
  virtual StageOutcome pull(const PullLimits& limits, Run& out) noexcept;
  // Sources, after `nothing_yet`: when there will be something, on the flow's clock; 0 = not known, ask again after a growing wait.
  virtual std::uint64_t ready_at_ns() const noexcept { return 0; }
  // Sources that are given elements by other threads, which then wake the flow: whether a pull would have something to give now, or
  // would say that the stream has ended. Such a source need not be asked again after a wait.
  virtual bool is_fed() const noexcept { return false; }
  virtual bool has_something() const noexcept { return false; }
  // Sources: the flow got slower or faster. Advice.
  virtual void notify_backpressure(bool pause) noexcept;

  // Processors, filters, routers, aggregators: takes `in`, appends what comes of it to `out`, each output with the meta and lineage of the input
  // it came from (an aggregator's outputs carry `no_lineage`); a router's say their port. Inputs that were dealt with may be moved from,
  // others not: they may be offered again.
  virtual StageOutcome process(std::span<Element> in, Run& out) noexcept;
  // Aggregators, at an orderly end: appends what is still held. `end_of_stream` = that was all, `ok` = call again.
  virtual StageOutcome flush(Run& out) noexcept;

  // Sinks.
  virtual StageOutcome push(std::span<Element> in) noexcept;
  // Sinks, once, at an orderly end: makes what was written final.
  virtual Status complete();

  // After `failed`, where the stage is one that can begin anew: as `start`, with nothing kept of before.
  virtual Status restart();
  // Thread: any. A call that is under way, or waits, ends soon, as `failed`.
  virtual void stop() noexcept {}
  // After an outcome that says `rests`: when it may be called again, on the flow's clock.
  virtual std::uint64_t rest_until_ns() const noexcept { return 0; }
  // Its calls may wait for something outside: such a flow gets a thread of its own.
  virtual bool may_block() const noexcept { return false; }

  // Sources that want to hear of it: each of the first `up_to` elements this stage gave since its (re)start has met its fate.
  virtual bool wants_acks() const noexcept { return false; }
  virtual void acknowledge(std::uint64_t up_to) noexcept;

  // Once, in any case, last: `teardown`, closes files. Keeps what an unfinished sink wrote (NAME.partial).
  // `orderly`: the flow ended well; else nothing final may be done.
  virtual void finish(bool orderly) noexcept = 0;

  // What an unfinished sink left behind, as a clause: "out.log.partial kept". Empty where there is nothing to say.
  virtual std::string leftover() const { return {}; }

  // After `element_error`: valid until the next call. After `failed`: the error, without flow and node.
  virtual const ElementError& element_error() const noexcept;
  virtual Error failure() const;

  // The copies made for this stage, before restarts too.
  virtual resources::CopyCounts copies() const noexcept { return {}; }
  // What was used and refused of each capability, before restarts too.
  virtual security::CapabilityCounts capabilities() const noexcept { return {}; }
  // "builtin", "native", "typed".
  virtual std::string_view path() const noexcept = 0;
  // Guest linear memory now, bytes.
  virtual std::uint64_t memory_bytes() const noexcept { return 0; }
  // Human place of a source element, for messages: "line 3 of in.txt"; empty where there is nothing better than its number.
  // `index` counts the elements this source gave, from 0.
  virtual std::string describe_element(std::uint64_t index) const;
};

}  // namespace torvyn::reactor
