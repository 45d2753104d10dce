#include "torvyn/reactor/stage.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "torvyn/types/assert.h"

namespace torvyn::reactor {

Interrupt::~Interrupt() {
  if (const int fd = fd_.load(std::memory_order_relaxed); fd >= 0) close(fd);
}

// Without a descriptor left on the machine it is -1, which poll passes over: whoever waits looks at `raised()` from time to time then.
int Interrupt::fd() const noexcept {
  int fd = fd_.load(std::memory_order_relaxed);
  if (fd >= 0) return fd;
  fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return fd;
  fd_.store(fd, std::memory_order_seq_cst);
  // By one who saw no descriptor yet.
  if (state_.load(std::memory_order_seq_cst) != State::none) make_readable();
  return fd;
}

void Interrupt::make_readable() const noexcept {
  const int fd = fd_.load(std::memory_order_seq_cst);
  if (fd < 0) return;
  // A signal handler leaves errno as it was. The write can only fail where the counter is full, and then the descriptor
  // is readable already.
  const int saved_errno = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(fd, &one, sizeof one);
  errno = saved_errno;
}

void Interrupt::raise() noexcept {
  state_.store(State::raised, std::memory_order_seq_cst);
  make_readable();
}

void Interrupt::nudge() noexcept {
  State none = State::none;
  if (state_.compare_exchange_strong(none, State::nudged, std::memory_order_seq_cst)) make_readable();
}

void Interrupt::lower() noexcept {
  State nudged = State::nudged;
  if (state_.load(std::memory_order_relaxed) != State::nudged) return;
  // Read first: whoever nudges after the exchange writes again.
  if (const int fd = fd_.load(std::memory_order_relaxed); fd >= 0) {
    std::uint64_t value = 0;
    [[maybe_unused]] const auto count = read(fd, &value, sizeof value);
  }
  // Raised in between: what was written for that may just have been read.
  if (!state_.compare_exchange_strong(nudged, State::none, std::memory_order_seq_cst)) make_readable();
}

bool Interrupt::wait_ns(std::uint64_t ns) noexcept {
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(ns);
  for (;;) {
    if (raised()) return true;
    lower();
    const auto left =
        std::chrono::duration_cast<std::chrono::nanoseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    const timespec timeout{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    pollfd waits{.fd = fd(), .events = POLLIN, .revents = 0};
    ppoll(&waits, 1, &timeout, nullptr);
  }
}

void Stage::notify_backpressure(bool /*pause*/) noexcept {}

void Stage::acknowledge(std::uint64_t /*up_to*/) noexcept {}

Status Stage::restart() {
  TORVYN_ASSERT(false, "restart of a stage that cannot begin anew");
  return {};
}

StageOutcome Stage::pull(const PullLimits& /*limits*/, Run& /*out*/) noexcept {
  TORVYN_ASSERT(false, "pull on a stage that is no source");
  return {StageStatus::failed, 0};
}

StageOutcome Stage::process(std::span<Element> /*in*/, Run& /*out*/) noexcept {
  TORVYN_ASSERT(false, "process on a stage that is no processor, filter or aggregator");
  return {StageStatus::failed, 0};
}

// Held nothing, so there is nothing to give: a driver may flush a whole chain without asking for roles.
StageOutcome Stage::flush(Run& /*out*/) noexcept { return {StageStatus::end_of_stream, 0}; }

StageOutcome Stage::push(std::span<Element> /*in*/) noexcept {
  TORVYN_ASSERT(false, "push on a stage that is no sink");
  return {StageStatus::failed, 0};
}

Status Stage::complete() { return {}; }

const ElementError& Stage::element_error() const noexcept {
  TORVYN_ASSERT(false, "element_error of a stage that reports none");
  static const ElementError none;
  return none;
}

Error Stage::failure() const {
  TORVYN_ASSERT(false, "failure of a stage that has not failed");
  return Error(ErrorCode::internal_error, "a stage that had not failed was asked why it failed");
}

std::string Stage::describe_element(std::uint64_t /*index*/) const { return {}; }

}  // namespace torvyn::reactor
