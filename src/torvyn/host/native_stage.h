// Stages of a program's own: functions in C++ beside components, in one graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "torvyn/contracts/worlds.h"
#include "torvyn/reactor/stage.h"
#include "torvyn/resources/buffer_pool.h"
#include "torvyn/resources/content_types.h"
#include "torvyn/types/element_meta.h"
#include "torvyn/types/error.h"

namespace torvyn::host {

// An element as a function sees it. Valid for the call.
struct ElementView {
  std::span<const std::byte> bytes;
  std::string_view content_type;  // empty: none was said
  const ElementMeta& meta;

  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

// What a function says where an element cannot be dealt with; the node's `on_error` decides what becomes of it. `fatal` ends the flow.
using reactor::ElementError;
using StageResult = std::expected<void, ElementError>;

// `return refuse("not JSON");`
std::unexpected<ElementError> refuse(std::string text, ProcessErrorKind kind = ProcessErrorKind::invalid_input);

// Where a function puts what it gives. Valid for the call.
class Outputs {
 public:
  // Copies `bytes` into a buffer of the host's. An empty content type is that of the input.
  // What is too large, or finds no buffer, ends the flow with E0301 or E0305 once the function has returned.
  void emit(std::span<const std::byte> bytes, std::string_view content_type = {});
  void emit(std::string_view text, std::string_view content_type = {}) {
    emit(std::as_bytes(std::span(text)), content_type);
  }
  // The input as it is, without a copy. Not for sources.
  void pass();
  // Where the next ones go: a router's output port. Not one of the node's ports: E0204 ends the flow.
  void to(std::string_view port);

 private:
  friend class NativeStage;
  Outputs(const resources::Element* input, const std::vector<std::string>& ports, resources::BufferPool& pool,
          resources::ContentTypes& content_types, resources::Run& out)
      : input_(input), ports_(ports), pool_(pool), content_types_(content_types), out_(out) {}
  void add(resources::BufferRef payload, ContentTypeId content_type);

  const resources::Element* input_;  // null for sources
  const std::vector<std::string>& ports_;
  resources::BufferPool& pool_;
  resources::ContentTypes& content_types_;
  resources::Run& out_;
  std::uint16_t port_ = 0;
  std::optional<Error> failure_;
};

enum class SourceState : std::uint8_t {
  more,         // ask again
  nothing_yet,  // ask again a little later
  end,          // that was all; what was given in this call counts
};

// One call at a time, each on one of the host's threads; none may throw, and none may wait for long: others share the thread.
using SourceFunction = std::function<std::expected<SourceState, ElementError>(Outputs&)>;
using ProcessFunction = std::function<StageResult(const ElementView&, Outputs&)>;
using SinkFunction = std::function<StageResult(const ElementView&)>;

// How an element got in.
enum class PushResult : std::uint8_t {
  ok,
  full,       // try_push: there is no room now
  closed,     // the inlet was closed, or its flow has ended: nobody will take it
  too_large,  // beyond `max_buffer_bytes`
  no_buffer,  // the pools are exhausted
};

struct InletLimits {
  std::uint32_t elements = 64;
  std::uint64_t bytes = std::uint64_t{16} << 20;  // one that is larger still passes alone
};

// The way of a program's data into a flow: a bounded queue that a source empties. Copies are handles of one inlet. It can be filled once its
// flow has been prepared or started.
// Thread: any, all at once; elements of one thread stay in order. Not from a stage of the same flow: `push` could wait for itself.
class Inlet {
 public:
  // Copies `bytes`. `push` waits for room.
  PushResult push(std::span<const std::byte> bytes, std::string_view content_type = {}) const;
  PushResult try_push(std::span<const std::byte> bytes, std::string_view content_type = {}) const;
  PushResult push(std::string_view text, std::string_view content_type = {}) const {
    return push(std::as_bytes(std::span(text)), content_type);
  }
  PushResult try_push(std::string_view text, std::string_view content_type = {}) const {
    return try_push(std::as_bytes(std::span(text)), content_type);
  }
  // Passes memory of the program's on without a copy. It stays as it is until `release` is called, once, on any thread; with another result than `ok`
  // it is not called.
  PushResult push_adopted(std::span<const std::byte> bytes, std::function<void()> release,
                          std::string_view content_type = {}) const;
  // No more will come: the flow ends once it has dealt with what is there.
  void close() const;
  // Elements that wait.
  std::size_t waiting() const;

  struct Queue;  // inside
  explicit Inlet(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {}
  const std::shared_ptr<Queue>& queue() const noexcept { return queue_; }

 private:
  template <class MakePayload>
  PushResult enter(std::uint64_t size, std::string_view content_type, bool wait, const MakePayload& make) const;
  std::shared_ptr<Queue> queue_;
};

// What a node of a flow does in place of a component.
struct NativeNode {
  contracts::Role role = contracts::Role::processor;
  std::variant<SourceFunction, ProcessFunction, SinkFunction, Inlet> does;
};

}  // namespace torvyn::host
