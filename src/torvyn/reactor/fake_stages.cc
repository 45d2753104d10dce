#include "torvyn/reactor/fake_stages.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "torvyn/types/assert.h"

namespace torvyn::reactor {

using resources::AllocateStatus;
using resources::BufferAction;
using resources::BufferRef;

std::uint64_t fake_number(const Element& element) noexcept {
  std::uint64_t number = 0;
  std::memcpy(&number, element.payload.bytes().data(), sizeof number);
  return number;
}

// ---- script -------------------------------------------------------------------------------------------------------------

FakeScript::FakeScript(std::vector<FakeStep> steps) : steps_(std::move(steps)) {
  const auto unsorted = [](const FakeStep& a, const FakeStep& b) { return a.at >= b.at; };
  TORVYN_ASSERT(std::adjacent_find(steps_.begin(), steps_.end(), unsorted) == steps_.end(),
                "a fake's steps are out of order, or two are about one element");
}

const FakeStep* FakeScript::step() const noexcept {
  return cursor_ < steps_.size() && steps_[cursor_].at == position_ ? &steps_[cursor_] : nullptr;
}

bool FakeScript::spend() noexcept {
  if (spent_ >= steps_[cursor_].count) return false;
  ++spent_;
  return true;
}

void FakeScript::next() noexcept {
  if (step() != nullptr) ++cursor_;
  spent_ = 0;
  ++position_;
}

// ---- base ---------------------------------------------------------------------------------------------------------------

FakeBase::FakeBase(FakeOptions options)
    : script_(std::move(options.steps)),
      name_(std::move(options.name)),
      journal_(options.journal),
      start_fails_(options.start_fails) {
  element_error_.text = "as scripted";
}

void FakeBase::note(std::string_view call) {
  if (journal_ != nullptr) journal_->push_back(name_ + "." + std::string(call));
}

Status FakeBase::start() {
  note("start");
  if (start_fails_) return fail(ErrorCode::init_failed, "start fails as scripted");
  return {};
}

void FakeBase::finish(bool orderly) noexcept { note(orderly ? "finish" : "finish (not orderly)"); }

StageOutcome FakeBase::report_error(std::uint32_t done, ProcessErrorKind kind) {
  element_error_.kind = kind;
  return {.status = StageStatus::element_error, .done = done};
}

Error FakeBase::failure() const { return Error(ErrorCode::component_trapped, "fails as scripted"); }

// ---- source -------------------------------------------------------------------------------------------------------------

FakeSource::FakeSource(FakeSourceOptions options)
    : FakeBase({.steps = std::move(options.steps),
                .name = std::move(options.name),
                .journal = options.journal,
                .start_fails = options.start_fails}),
      pool_(options.pool),
      elements_(options.elements),
      run_max_(options.run_max),
      payload_bytes_(std::move(options.payload_bytes)) {
  TORVYN_ASSERT(pool_ != nullptr, "a FakeSource needs a pool");
}

void FakeSource::give(Run& out) {
  const std::uint64_t number = script_.position();
  const std::uint32_t bytes = payload_bytes_ ? payload_bytes_(number) : fake_payload_bytes_min;
  TORVYN_ASSERT(bytes >= fake_payload_bytes_min, "a fake payload holds its number");
  BufferRef payload;
  const AllocateStatus allocated = pool_->allocate(bytes, payload);
  TORVYN_ASSERT(allocated == AllocateStatus::ok, "the pool of a FakeSource is used up");
  std::memcpy(payload.writable().data(), &number, sizeof number);
  payload.set_size(bytes);
  const bool published = payload.apply(BufferAction::publish);
  TORVYN_ASSERT(published, "a filled buffer could not be published");
  out.emplace_back().payload = std::move(payload);
}

StageOutcome FakeSource::pull(const PullLimits& limits, Run& out) noexcept {
  const std::uint32_t most = std::min(limits.elements_max, run_max_);
  std::uint64_t bytes = 0;
  for (std::uint32_t count = 0; count < most && bytes < limits.bytes_max; ++count) {
    if (const FakeStep* const step = script_.step()) {
      const StageStatus unless_some = count == 0 ? StageStatus::nothing_yet : StageStatus::ok;
      if (step->act == FakeAct::nothing_yet && script_.spend()) return {.status = unless_some, .done = count};
      if (step->act == FakeAct::error && script_.spend()) return report_error(count, step->kind);
      if (step->act == FakeAct::fail) return {.status = StageStatus::failed, .done = count};
    }
    if (script_.position() == elements_) return {.status = StageStatus::end_of_stream, .done = count};
    give(out);
    bytes += out.back().payload.size();
    script_.next();
  }
  return {};
}

void FakeSource::notify_backpressure(bool pause) noexcept { note(pause ? "pause" : "resume"); }

std::string FakeSource::describe_element(std::uint64_t index) const { return "fake element " + std::to_string(index); }

// ---- stage --------------------------------------------------------------------------------------------------------------

FakeStage::FakeStage(FakeStageOptions options)
    : FakeBase({.steps = std::move(options.steps),
                .name = std::move(options.name),
                .journal = options.journal,
                .start_fails = options.start_fails}),
      group_(options.group),
      flush_run_(options.flush_run),
      flush_errors_(options.flush_errors),
      flush_fails_(options.flush_fails),
      whole_run_(options.whole_run) {
  held_.reserve(group_);
}

// An output as a component gives it: nothing of the input's but its payload.
void FakeStage::collect(Element& element, Run& out) {
  held_.emplace_back().payload = std::move(element.payload);
  if (held_.size() < group_) return;
  out.push_back(std::move(held_.back()));
  resources::clear_run(held_);
}

void FakeStage::pass(Element& element, std::uint32_t count, Run& out) {
  for (std::uint32_t i = 1; i < count; ++i) out.push_back(element);
  if (count != 0) out.push_back(std::move(element));
}

StageOutcome FakeStage::process(std::span<Element> in, Run& out) noexcept {
  const auto size = static_cast<std::uint32_t>(in.size());
  for (std::uint32_t i = 0; i < size; ++i) {
    const FakeStep* const step = script_.step();
    const FakeAct act = step == nullptr ? FakeAct::expand : step->act;
    const std::uint32_t count = step == nullptr ? 1 : step->count;
    if (act == FakeAct::fail) {
      if (!whole_run_) return {.status = StageStatus::failed, .done = i};
      resources::clear_run(out);
      return {.status = StageStatus::failed, .done = 0, .charged = size};
    }
    if (act == FakeAct::error) {
      const ProcessErrorKind kind = step->kind;
      script_.next();
      return report_error(i, kind);
    }
    TORVYN_ASSERT(act == FakeAct::expand || act == FakeAct::drop, "a step that a FakeStage has no use for");
    script_.next();
    if (group_ != 0 && act == FakeAct::expand) {
      collect(in[i], out);
    } else {
      pass(in[i], act == FakeAct::drop ? 0 : count, out);
    }
  }
  return {.status = StageStatus::ok, .done = size};
}

StageOutcome FakeStage::flush(Run& out) noexcept {
  note("flush");
  if (flush_errors_) return report_error(0, ProcessErrorKind::internal);
  if (flush_fails_) return {.status = StageStatus::failed};
  const std::size_t end = std::min<std::size_t>(held_.size(), flushed_ + flush_run_);
  for (; flushed_ < end; ++flushed_) out.push_back(std::move(held_[flushed_]));
  return {.status = flushed_ == held_.size() ? StageStatus::end_of_stream : StageStatus::ok};
}

// ---- sink ---------------------------------------------------------------------------------------------------------------

FakeSink::FakeSink(FakeSinkOptions options)
    : FakeBase({.steps = std::move(options.steps),
                .name = std::move(options.name),
                .journal = options.journal,
                .start_fails = options.start_fails}),
      keep_(options.keep),
      whole_run_(options.whole_run),
      complete_fails_(options.complete_fails),
      leftover_(std::move(options.leftover)) {}

StageOutcome FakeSink::push(std::span<Element> in) noexcept {
  const auto size = static_cast<std::uint32_t>(in.size());
  if (keep_) {
    std::uint64_t bytes = 0;
    for (const Element& element : in) bytes += element.payload.size();
    runs_.push_back({.elements = in.size(), .bytes = bytes});
  }
  for (std::uint32_t i = 0; i < size; ++i) {
    bool pause = false;
    if (const FakeStep* const step = script_.step()) {
      switch (step->act) {
        case FakeAct::error: {
          const ProcessErrorKind kind = step->kind;
          script_.next();
          return report_error(i, kind);
        }
        case FakeAct::fail:
          return {.status = StageStatus::failed, .done = whole_run_ ? 0 : i, .charged = whole_run_ ? size : 1};
        case FakeAct::close:
          return {.status = StageStatus::closed, .done = i};
        case FakeAct::refuse:
          if (script_.spend()) return {.status = StageStatus::pause, .done = i};
          break;
        case FakeAct::pause:
          pause = true;
          break;
        case FakeAct::nothing_yet:
        case FakeAct::drop:
        case FakeAct::expand:
          TORVYN_ASSERT(false, "a step that a FakeSink has no use for");
      }
    }
    script_.next();
    ++count_;
    if (keep_) received_.push_back({.number = fake_number(in[i]), .meta = in[i].meta, .lineage = in[i].lineage});
    if (pause) return {.status = StageStatus::pause, .done = i + 1};
  }
  return {.status = StageStatus::ok, .done = size};
}

Status FakeSink::complete() {
  note("complete");
  if (complete_fails_) return fail(ErrorCode::complete_failed, "complete fails as scripted");
  return {};
}

}  // namespace torvyn::reactor
