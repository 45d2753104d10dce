#include "torvyn/c/flow.h"

#include <memory>
#include <span>
#include <utility>

#include "torvyn/c/handles.h"
#include "torvyn/config/capability.h"
#include "torvyn/host/native_stage.h"

using torvyn::ProcessErrorKind;
using torvyn::c::guarded;
using torvyn::c::made;
using torvyn::c::text_or_empty;
using torvyn::c::usage;
using torvyn::host::ElementError;
using torvyn::host::ElementView;
using torvyn::host::Outputs;
using torvyn::host::SourceState;
using torvyn::host::StageResult;

struct torvyn_outputs {
  Outputs* outputs;  // null for a sink
  std::string refusal = {};
};

namespace {

std::span<const std::byte> bytes_of(const void* data, size_t size) noexcept {
  return {static_cast<const std::byte*>(data), data == nullptr ? 0 : size};
}

// A function of the program and what it is called with, released with the last stage that could call it.
class Function {
 public:
  Function(torvyn_stage_function function, void* user, void (*release)(void*)) noexcept
      : function_(function), user_(user), release_(release) {}
  ~Function() {
    if (release_ != nullptr) release_(user_);
  }
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  std::expected<SourceState, ElementError> call(const ElementView* element, Outputs* outputs) const {
    torvyn_outputs handle{.outputs = outputs};
    torvyn_element view{};
    if (element != nullptr)
      view = {.bytes = reinterpret_cast<const std::uint8_t*>(element->bytes.data()),
              .size = element->bytes.size(),
              .content_type = element->content_type.data(),
              .content_type_size = element->content_type.size(),
              .sequence = element->meta.sequence,
              .timestamp_ns = element->meta.timestamp_ns};
    const auto refused = [&handle](ProcessErrorKind kind) {
      return torvyn::host::refuse(std::move(handle.refusal), kind);
    };
    switch (function_(user_, element == nullptr ? nullptr : &view, &handle)) {
      case TORVYN_STAGE_OK:
        return SourceState::more;
      case TORVYN_STAGE_NOTHING_YET:
        return SourceState::nothing_yet;
      case TORVYN_STAGE_END:
        return SourceState::end;
      case TORVYN_STAGE_INVALID_INPUT:
        return refused(ProcessErrorKind::invalid_input);
      case TORVYN_STAGE_UNAVAILABLE:
        return refused(ProcessErrorKind::unavailable);
      case TORVYN_STAGE_INTERNAL:
        return refused(ProcessErrorKind::internal);
      case TORVYN_STAGE_FATAL:
        break;
    }
    return refused(ProcessErrorKind::fatal);
  }

 private:
  torvyn_stage_function function_;
  void* user_;
  void (*release_)(void*);
};

StageResult without_state(const std::expected<SourceState, ElementError>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

torvyn::Status add_grants(torvyn::config::NodeConfig& node, std::span<const char* const> grants) {
  for (const char* const text : grants) {
    TORVYN_LET(torvyn::config::Capability grant, torvyn::config::parse_capability(text_or_empty(text)));
    node.grants.push_back(std::move(grant));
  }
  return {};
}

}  // namespace

void torvyn_outputs_emit(torvyn_outputs* outputs, const void* data, size_t size, const char* content_type) {
  if (outputs != nullptr && outputs->outputs != nullptr)
    outputs->outputs->emit(bytes_of(data, size), text_or_empty(content_type));
}
void torvyn_outputs_pass(torvyn_outputs* outputs) {
  if (outputs != nullptr && outputs->outputs != nullptr) outputs->outputs->pass();
}
void torvyn_outputs_to(torvyn_outputs* outputs, const char* port) {
  if (outputs != nullptr && outputs->outputs != nullptr) outputs->outputs->to(text_or_empty(port));
}
void torvyn_outputs_refuse(torvyn_outputs* outputs, const char* text) {
  if (outputs != nullptr) outputs->refusal = text_or_empty(text);
}

torvyn_error* torvyn_flow_new(const char* name, torvyn_flow** flow) {
  if (name == nullptr || flow == nullptr) return usage("torvyn_flow_new wants a name and a place for the handle");
  return guarded([&]() -> torvyn_error* {
    *flow = std::make_unique<torvyn_flow>(name).release();
    return nullptr;
  });
}

void torvyn_flow_free(torvyn_flow* flow) { std::unique_ptr<torvyn_flow>{flow}.reset(); }

torvyn_error* torvyn_flow_add_component(torvyn_flow* flow, const char* node, const char* path, const char* settings,
                                        const char* const* grants, size_t grant_count) {
  if (flow == nullptr || node == nullptr || path == nullptr || (grants == nullptr && grant_count != 0))
    return usage("torvyn_flow_add_component wants a flow, a node's name and a component");
  return guarded([&] {
    torvyn::config::NodeConfig& added = flow->builder.component(node, path);
    added.config = text_or_empty(settings);
    return torvyn::c::done(add_grants(added, {grants, grant_count}));
  });
}

torvyn_error* torvyn_flow_add_function(torvyn_flow* flow, const char* node, int role, torvyn_stage_function function,
                                       void* user, void (*release)(void*)) {
  if (flow == nullptr || node == nullptr || function == nullptr)
    return usage("torvyn_flow_add_function wants a flow, a node's name and a function");
  if (role < TORVYN_SOURCE || role > TORVYN_SINK) return usage("there is no such role");
  return guarded([&]() -> torvyn_error* {
    const auto shared = std::make_shared<const Function>(function, user, release);
    const auto process = [shared](const ElementView& element, Outputs& outputs) {
      return without_state(shared->call(&element, &outputs));
    };
    switch (static_cast<torvyn_role>(role)) {
      case TORVYN_SOURCE:
        flow->builder.source(node, [shared](Outputs& outputs) { return shared->call(nullptr, &outputs); });
        break;
      case TORVYN_PROCESSOR:
        flow->builder.processor(node, process);
        break;
      case TORVYN_ROUTER:
        flow->builder.router(node, process);
        break;
      case TORVYN_SINK:
        flow->builder.sink(
            node, [shared](const ElementView& element) { return without_state(shared->call(&element, nullptr)); });
        break;
    }
    return nullptr;
  });
}

torvyn_error* torvyn_flow_add_inlet(torvyn_flow* flow, const char* node, uint32_t elements_max, torvyn_inlet** inlet) {
  if (flow == nullptr || node == nullptr || inlet == nullptr || elements_max == 0)
    return usage("torvyn_flow_add_inlet wants a flow, a node's name, room for an element and a place for the handle");
  return guarded([&]() -> torvyn_error* {
    auto handle = std::make_unique<torvyn_inlet>(torvyn_inlet{flow->builder.inlet(node, {.elements = elements_max})});
    *inlet = handle.release();
    return nullptr;
  });
}

torvyn_error* torvyn_flow_connect(torvyn_flow* flow, const char* from, const char* to) {
  if (flow == nullptr || from == nullptr || to == nullptr)
    return usage("torvyn_flow_connect wants a flow and two nodes");
  return guarded([&]() -> torvyn_error* {
    flow->builder.connect(from, to);
    return nullptr;
  });
}

namespace {

template <class Push>
torvyn_push_result pushed(const torvyn_inlet* inlet, const void* data, size_t size, const Push& push) noexcept {
  if (inlet == nullptr || (data == nullptr && size != 0)) return TORVYN_PUSH_INVALID;
  try {
    return static_cast<torvyn_push_result>(push(inlet->inlet));
  } catch (const std::exception&) {
    return TORVYN_PUSH_NO_BUFFER;
  }
}

}  // namespace

torvyn_push_result torvyn_inlet_push(torvyn_inlet* inlet, const void* data, size_t size, const char* content_type) {
  return pushed(inlet, data, size,
                [&](const auto& way) { return way.push(bytes_of(data, size), text_or_empty(content_type)); });
}

torvyn_push_result torvyn_inlet_try_push(torvyn_inlet* inlet, const void* data, size_t size, const char* content_type) {
  return pushed(inlet, data, size,
                [&](const auto& way) { return way.try_push(bytes_of(data, size), text_or_empty(content_type)); });
}

torvyn_push_result torvyn_inlet_push_adopted(torvyn_inlet* inlet, const void* data, size_t size,
                                             const char* content_type, void (*release)(void*), void* user) {
  if (release == nullptr) return TORVYN_PUSH_INVALID;
  return pushed(inlet, data, size, [&](const auto& way) {
    return way.push_adopted(bytes_of(data, size), [release, user] { release(user); }, text_or_empty(content_type));
  });
}

void torvyn_inlet_close(torvyn_inlet* inlet) {
  if (inlet != nullptr) inlet->inlet.close();
}

void torvyn_inlet_free(torvyn_inlet* inlet) { std::unique_ptr<torvyn_inlet>{inlet}.reset(); }
