#include "torvyn/host/native_stages.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

namespace torvyn::host {

using reactor::StageOutcome;
using reactor::StageStatus;
using resources::AllocateStatus;
using resources::BufferAction;
using resources::BufferRef;
using resources::Element;
using resources::Run;

std::unexpected<ElementError> refuse(std::string text, ProcessErrorKind kind) {
  return std::unexpected(ElementError{.kind = kind, .text = std::move(text)});
}

namespace {

// `bytes` in a buffer of the host's, ready to be read by others.
AllocateStatus copied(resources::BufferPool& pool, std::span<const std::byte> bytes, BufferRef& out) {
  BufferRef buffer;
  const AllocateStatus status = pool.allocate(bytes.size(), buffer);
  if (status != AllocateStatus::ok) return status;
  if (!bytes.empty()) std::memcpy(buffer.writable().data(), bytes.data(), bytes.size());
  buffer.set_size(static_cast<std::uint32_t>(bytes.size()));
  const bool published = buffer.apply(BufferAction::publish);
  TORVYN_ASSERT(published, "a buffer just allocated can be published");
  out = std::move(buffer);
  return AllocateStatus::ok;
}

Error no_buffer(AllocateStatus status, std::uint64_t bytes) {
  const std::string size = std::to_string(bytes) + " bytes";
  switch (status) {
    case AllocateStatus::too_large:
      return {ErrorCode::capacity_exceeded, "an element of " + size + " is larger than any buffer may be",
              "raise `max-buffer-size` in [capabilities.torvyn], or give smaller elements"};
    case AllocateStatus::exhausted:
      return {ErrorCode::pool_exhausted, "there is no buffer left for " + size,
              "raise the sizes in `[runtime.pools]`, or let `exhaustion_policy` be \"fallback-alloc\""};
    default:
      return {ErrorCode::allocation_failed, "there is no memory for a buffer of " + size};
  }
}

}  // namespace

void Outputs::add(BufferRef payload, ContentTypeId content_type) {
  Element& element = out_.emplace_back();
  if (input_ != nullptr) {
    element.meta = input_->meta;
    element.lineage = input_->lineage;
  }
  element.meta.content_type = content_type;
  element.payload = std::move(payload);
  element.port = port_;
}

void Outputs::emit(std::span<const std::byte> bytes, std::string_view content_type) {
  if (failure_) return;
  ContentTypeId type = input_ == nullptr ? ContentTypeId{0} : input_->meta.content_type;
  if (!content_type.empty()) {
    type = content_types_.intern(content_type);
    if (type == resources::content_type_rejected) {
      failure_ = Error(ErrorCode::capacity_exceeded,
                       "a content type of " + std::to_string(content_type.size()) + " bytes cannot be kept",
                       "a content type is UTF-8 and has 255 bytes at most, and a host knows a few thousand");
      return;
    }
  }
  BufferRef buffer;
  if (const AllocateStatus status = copied(pool_, bytes, buffer); status != AllocateStatus::ok) {
    failure_ = no_buffer(status, bytes.size());
    return;
  }
  buffer.set_content_type(type);
  add(std::move(buffer), type);
}

void Outputs::pass() {
  TORVYN_ASSERT(input_ != nullptr, "a source has no input to pass on");
  if (!failure_) add(input_->payload, input_->meta.content_type);
}

void Outputs::to(std::string_view port) {
  const auto found = std::ranges::find(ports_, port);
  if (found != ports_.end()) {
    port_ = static_cast<std::uint16_t>(found - ports_.begin());
  } else if (!failure_) {
    std::string known;
    for (const std::string& one : ports_) known += (known.empty() ? "" : ", ") + one;
    failure_ = Error(ErrorCode::unknown_port, "the node has no output port `" + std::string(port) + "`",
                     "its ports are those that edges name: " + known);
  }
}

// What all of them share: the program's functions may fail, and throw.
class NativeStage : public reactor::Stage {
 public:
  NativeStage(std::vector<std::string> ports, Shared& shared) : ports_(std::move(ports)), shared_(shared) {}
  Status start() override { return {}; }
  void finish(bool) noexcept override {}
  const ElementError& element_error() const noexcept override { return element_error_; }
  Error failure() const override { return *failure_; }
  resources::CopyCounts copies() const noexcept override { return {}; }
  std::string_view path() const noexcept override { return "native"; }

 protected:
  ElementView view(const Element& element) const noexcept {
    return {.bytes = element.payload.bytes(),
            .content_type = shared_.content_types.text(element.meta.content_type),
            .meta = element.meta};
  }
  Outputs outputs(const Element* input, Run& out) { return {input, ports_, *shared_.pool, shared_.content_types, out}; }

  // Calls `function` for the element at `done`; nothing where it went well. `made`: what it gave, or null.
  template <class Function>
  std::optional<StageOutcome> guarded(std::uint32_t done, const std::optional<Error>* made,
                                      const Function& function) noexcept {
    try {
      StageResult result = function();
      if (made != nullptr && *made) return failed(done, **made);
      if (result) return std::nullopt;
      element_error_ = std::move(result).error();
      return StageOutcome{.status = StageStatus::element_error, .done = done};
    } catch (const std::exception& exception) {
      return failed(done, Error(ErrorCode::component_trapped, std::string("the stage threw: ") + exception.what(),
                                "a stage of a program's own says what is wrong with `refuse`"));
    } catch (...) {
      return failed(done, Error(ErrorCode::component_trapped, "the stage threw something that is no exception",
                                "a stage of a program's own says what is wrong with `refuse`"));
    }
  }
  static const std::optional<Error>& failure_of(const Outputs& outputs) noexcept { return outputs.failure_; }

 private:
  StageOutcome failed(std::uint32_t done, Error error) noexcept {
    failure_ = std::move(error);
    return {.status = StageStatus::failed, .done = done};
  }

  const std::vector<std::string> ports_;
  Shared& shared_;
  ElementError element_error_;
  std::optional<Error> failure_;
};

namespace {

class NativeSource final : public NativeStage {
 public:
  NativeSource(SourceFunction function, std::vector<std::string> ports, Shared& shared)
      : NativeStage(std::move(ports), shared), function_(std::move(function)) {}

  StageOutcome pull(const reactor::PullLimits& limits, Run& out) noexcept override {
    const std::size_t before = out.size();
    while (out.size() - before < limits.elements_max) {
      Outputs outputs = this->outputs(nullptr, out);
      SourceState state = SourceState::more;
      const auto outcome = guarded(0, &failure_of(outputs), [&]() -> StageResult {
        const auto result = function_(outputs);
        if (!result) return std::unexpected(result.error());
        state = *result;
        return {};
      });
      if (outcome) return *outcome;
      if (state == SourceState::end) return {.status = StageStatus::end_of_stream};
      if (state == SourceState::nothing_yet) return {.status = StageStatus::nothing_yet};
    }
    return {};
  }

 private:
  const SourceFunction function_;
};

class NativeProcessor final : public NativeStage {
 public:
  NativeProcessor(ProcessFunction function, std::vector<std::string> ports, Shared& shared)
      : NativeStage(std::move(ports), shared), function_(std::move(function)) {}

  StageOutcome process(std::span<Element> in, Run& out) noexcept override {
    for (std::uint32_t i = 0; i < in.size(); ++i) {
      const std::size_t before = out.size();
      Outputs outputs = this->outputs(&in[i], out);
      if (const auto outcome = guarded(i, &failure_of(outputs), [&] { return function_(view(in[i]), outputs); })) {
        // What it gave before it failed is not to go on.
        resources::release_elements(std::span(out).subspan(before));
        out.resize(before);
        return *outcome;
      }
    }
    return {.done = static_cast<std::uint32_t>(in.size())};
  }

 private:
  const ProcessFunction function_;
};

class NativeSink final : public NativeStage {
 public:
  NativeSink(SinkFunction function, Shared& shared) : NativeStage({}, shared), function_(std::move(function)) {}

  StageOutcome push(std::span<Element> in) noexcept override {
    for (std::uint32_t i = 0; i < in.size(); ++i)
      if (const auto outcome = guarded(i, nullptr, [&] { return function_(view(in[i])); })) return *outcome;
    return {.done = static_cast<std::uint32_t>(in.size())};
  }
  Status complete() override { return {}; }

 private:
  const SinkFunction function_;
};

class InletSource final : public NativeStage {
 public:
  InletSource(std::shared_ptr<Inlet::Queue> queue, Shared& shared)
      : NativeStage({"output"}, shared), queue_(std::move(queue)) {
    queue_->attach(shared);
  }
  ~InletSource() override { queue_->detach(); }

  StageOutcome pull(const reactor::PullLimits& limits, Run& out) noexcept override {
    const std::scoped_lock lock(queue_->mutex);
    std::uint64_t bytes = 0;
    for (std::uint32_t i = 0; i < limits.elements_max && !queue_->waiting.empty(); ++i) {
      Inlet::Queue::Waiting& next = queue_->waiting.front();
      const std::uint64_t size = next.payload.size();
      if (i != 0 && bytes + size > limits.bytes_max) break;
      bytes += size;
      queue_->waiting_bytes -= size;
      out.push_back({.meta = {.content_type = next.content_type}, .payload = std::move(next.payload)});
      queue_->waiting.pop_front();
    }
    if (bytes != 0 || !out.empty()) queue_->room.notify_all();
    const bool empty = queue_->waiting.empty();
    if (empty && queue_->closed) return {.status = StageStatus::end_of_stream};
    return {.status = empty ? StageStatus::nothing_yet : StageStatus::ok};
  }
  bool is_fed() const noexcept override { return true; }
  bool has_something() const noexcept override {
    const std::scoped_lock lock(queue_->mutex);
    return !queue_->waiting.empty() || queue_->closed;
  }
  void finish(bool) noexcept override { queue_->detach(); }

 private:
  const std::shared_ptr<Inlet::Queue> queue_;
};

}  // namespace

void Inlet::Queue::attach(Shared& host) {
  const std::scoped_lock lock(mutex);
  shared = &host;
}

void Inlet::Queue::set_waker(reactor::Waker* flow) {
  const std::scoped_lock lock(mutex);
  waker = flow;
}

void Inlet::Queue::detach() {
  std::deque<Waiting> left;
  {
    const std::scoped_lock lock(mutex);
    shared = nullptr;
    waker = nullptr;
    left.swap(waiting);
    waiting_bytes = 0;
    room.notify_all();
  }
}

namespace {

PushResult result_of(AllocateStatus status) {
  switch (status) {
    case AllocateStatus::ok:
      return PushResult::ok;
    case AllocateStatus::too_large:
      return PushResult::too_large;
    default:
      return PushResult::no_buffer;
  }
}

}  // namespace

// All of it under the lock, the copy too: the flow, and the pool with it, cannot end meanwhile.
template <class MakePayload>
PushResult Inlet::enter(std::uint64_t size, std::string_view content_type, bool wait, const MakePayload& make) const {
  std::unique_lock lock(queue_->mutex);
  const auto is_closed = [this] { return queue_->closed || queue_->shared == nullptr; };
  const auto may_enter = [this, size, &is_closed] {
    return is_closed() || queue_->waiting.empty() ||
           (queue_->waiting.size() < queue_->limits.elements && queue_->waiting_bytes + size <= queue_->limits.bytes);
  };
  if (!may_enter()) {
    if (!wait) return PushResult::full;
    queue_->room.wait(lock, may_enter);
  }
  if (is_closed()) return PushResult::closed;
  Queue::Waiting next;
  if (!content_type.empty()) {
    next.content_type = queue_->shared->content_types.intern(content_type);
    if (next.content_type == resources::content_type_rejected) return PushResult::too_large;
  }
  if (const AllocateStatus status = make(*queue_->shared->pool, next.payload); status != AllocateStatus::ok)
    return result_of(status);
  next.payload.set_content_type(next.content_type);
  const bool was_empty = queue_->waiting.empty();
  queue_->waiting_bytes += size;
  queue_->waiting.push_back(std::move(next));
  if (was_empty && queue_->waker != nullptr) queue_->waker->wake();
  return PushResult::ok;
}

PushResult Inlet::push(std::span<const std::byte> bytes, std::string_view content_type) const {
  return enter(bytes.size(), content_type, true,
               [bytes](auto& pool, BufferRef& out) { return copied(pool, bytes, out); });
}

PushResult Inlet::try_push(std::span<const std::byte> bytes, std::string_view content_type) const {
  return enter(bytes.size(), content_type, false,
               [bytes](auto& pool, BufferRef& out) { return copied(pool, bytes, out); });
}

PushResult Inlet::push_adopted(std::span<const std::byte> bytes, std::function<void()> release,
                               std::string_view content_type) const {
  return enter(bytes.size(), content_type, true,
               [bytes, &release](auto& pool, BufferRef& out) { return pool.adopt(bytes, std::move(release), out); });
}

void Inlet::close() const {
  const std::scoped_lock lock(queue_->mutex);
  queue_->closed = true;
  queue_->room.notify_all();
  if (queue_->waker != nullptr) queue_->waker->wake();
}

std::size_t Inlet::waiting() const {
  const std::scoped_lock lock(queue_->mutex);
  return queue_->waiting.size();
}

std::unique_ptr<reactor::Stage> make_native_stage(const NativeNode& node, std::vector<std::string> ports,
                                                  Shared& shared) {
  struct Maker {
    std::vector<std::string> ports;
    Shared& shared;
    std::unique_ptr<reactor::Stage> operator()(const SourceFunction& function) {
      return std::make_unique<NativeSource>(function, std::move(ports), shared);
    }
    std::unique_ptr<reactor::Stage> operator()(const ProcessFunction& function) {
      return std::make_unique<NativeProcessor>(function, std::move(ports), shared);
    }
    std::unique_ptr<reactor::Stage> operator()(const SinkFunction& function) {
      return std::make_unique<NativeSink>(function, shared);
    }
    std::unique_ptr<reactor::Stage> operator()(const Inlet& inlet) {
      return std::make_unique<InletSource>(inlet.queue(), shared);
    }
  };
  return std::visit(Maker{std::move(ports), shared}, node.does);
}

}  // namespace torvyn::host
