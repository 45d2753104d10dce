#include "torvyn/reactor/stage.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "torvyn/types/assert.h"

namespace torvyn::reactor {

// Without a descriptor left on the machine `fd()` is -1, which poll passes over: whoever waits looks at `raised()` from time
// to time then.
Interrupt::Interrupt() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Interrupt::~Interrupt() {
  if (fd_ >= 0) close(fd_);
}

void Interrupt::raise() noexcept {
  raised_.store(true, std::memory_order_release);
  if (fd_ < 0) return;
  // A signal handler leaves errno as it was. The write can only fail where the counter is full, and then the descriptor
  // is readable already.
  const int saved_errno = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
  errno = saved_errno;
}

bool Interrupt::raised() const noexcept { return raised_.load(std::memory_order_acquire); }

void Stage::notify_backpressure(bool /*pause*/) noexcept {}

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
