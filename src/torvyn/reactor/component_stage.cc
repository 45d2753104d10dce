#include "torvyn/reactor/component_stage.h"

#include <tuple>
#include <utility>

#include "torvyn/types/clock.h"

namespace torvyn::reactor {

ComponentStage::ComponentStage(std::shared_ptr<engine::Component> component, engine::InstanceOptions options,
                               std::string config, std::optional<double> max_cpu)
    : component_(std::move(component)), options_(std::move(options)), config_(std::move(config)) {
  options_.content_types_room = &content_types_room_;
  if (max_cpu) share_.emplace(*max_cpu);
}

// What it does in `call` is taken from its share.
template <class Call>
auto ComponentStage::charged(const Call& call) {
  if (!share_) return call();
  share_->enter(options_.clock->monotonic_ns());
  const std::uint64_t before_ns = thread_cpu_ns();
  auto result = call();
  std::ignore = share_->leave(thread_cpu_ns() - before_ns, options_.clock->monotonic_ns());
  return result;
}

template <class Call>
StageOutcome ComponentStage::within_share(const Call& call) noexcept {
  if (!share_) return outcome(call());
  StageOutcome said = outcome(charged(call));
  said.rests = share_->rest_until_ns() != 0;
  return said;
}

Status ComponentStage::start() {
  TORVYN_LET(std::unique_ptr<engine::Instance> instance, component_->instantiate(options_));
  {
    const std::scoped_lock lock(instance_mutex_);
    instance_ = std::move(instance);
    if (stopped_) instance_->stop();
  }
  return instance_->init(config_);
}

Status ComponentStage::restart() {
  std::unique_ptr<engine::Instance> ended;
  {
    const std::scoped_lock lock(instance_mutex_);
    ended = std::move(instance_);
  }
  if (ended != nullptr) keep_counts_of(*ended);
  ended.reset();
  return charged([&] { return start(); });
}

void ComponentStage::stop() noexcept {
  const std::scoped_lock lock(instance_mutex_);
  stopped_ = true;
  if (instance_ != nullptr) instance_->stop();
}

StageOutcome ComponentStage::outcome(const engine::CallOutcome& call) noexcept {
  const auto status = [&call] {
    switch (call.status) {
      case engine::CallStatus::ok:
        return StageStatus::ok;
      case engine::CallStatus::end_of_stream:
        return StageStatus::end_of_stream;
      case engine::CallStatus::nothing_yet:
        return StageStatus::nothing_yet;
      case engine::CallStatus::pause:
        return StageStatus::pause;
      case engine::CallStatus::element_error:
        return StageStatus::element_error;
      case engine::CallStatus::ended:
        break;
    }
    return StageStatus::failed;
  }();
  if (status == StageStatus::element_error) {
    element_error_.kind = instance_->error_kind();
    element_error_.text = instance_->error_text();
  }
  return {.status = status, .done = call.done, .charged = call.charged};
}

StageOutcome ComponentStage::pull(const PullLimits& limits, Run& out) noexcept {
  return within_share([&] { return instance_->pull(limits.elements_max, limits.bytes_max, out); });
}

// A source that traps on this is found out at its next pull.
void ComponentStage::notify_backpressure(bool pause) noexcept {
  std::ignore = charged([&] { return instance_->notify_backpressure(pause); });
}

void ComponentStage::acknowledge(std::uint64_t up_to) noexcept {
  std::ignore = charged([&] { return instance_->acknowledge(up_to); });
}

StageOutcome ComponentStage::process(std::span<Element> in, Run& out) noexcept {
  return within_share([&] { return instance_->process(in, out); });
}

StageOutcome ComponentStage::flush(Run& out) noexcept {
  return within_share([&] { return instance_->flush(out); });
}

StageOutcome ComponentStage::push(std::span<Element> in) noexcept {
  return within_share([&] { return instance_->push(in); });
}

Status ComponentStage::complete() { return instance_->complete(); }

void ComponentStage::finish(bool) noexcept {
  if (instance_ == nullptr) return;
  const Status done = instance_->teardown();
  if (!done) options_.events->event(Severity::warn, "W0420", options_.node, "teardown: " + done.error().message());
  // What it held goes back now, not when the flow's report has been read.
  memory_bytes_at_end_ = instance_->memory_bytes();
  keep_counts_of(*instance_);
  const std::scoped_lock lock(instance_mutex_);
  instance_.reset();
}

Error ComponentStage::failure() const { return instance_->failure(); }

resources::CopyCounts ComponentStage::copies() const noexcept {
  resources::CopyCounts counts = copies_before_;
  if (instance_ != nullptr) add(counts, instance_->copies().counts());
  return counts;
}

security::CapabilityCounts ComponentStage::capabilities() const noexcept {
  security::CapabilityCounts counts = capabilities_before_;
  if (instance_ != nullptr) security::add(counts, instance_->capability_counts());
  return counts;
}

void ComponentStage::keep_counts_of(const engine::Instance& ended) noexcept {
  add(copies_before_, ended.copies().counts());
  security::add(capabilities_before_, ended.capability_counts());
}

std::uint64_t ComponentStage::memory_bytes() const noexcept {
  return instance_ == nullptr ? memory_bytes_at_end_ : instance_->memory_bytes();
}

}  // namespace torvyn::reactor
