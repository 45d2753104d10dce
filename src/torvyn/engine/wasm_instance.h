// Private to the engine: an instance over the bridge, and the host behind its callbacks.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "torvyn_bridge.h"

#include "torvyn/engine/engine.h"
#include "torvyn/engine/guest_log.h"
#include "torvyn/engine/ticker.h"
#include "torvyn/security/guard.h"

namespace torvyn::engine {

// The callbacks for tvb_engine_new: they expect a WasmInstance as `host`.
const tvb_host& instance_callbacks() noexcept;

class WasmInstance final : public Instance {
 public:
  // Instantiates. `keep_alive` owns the component and engine. Errors: as Component::instantiate.
  static Result<std::unique_ptr<Instance>> create(tvb_component* component, std::shared_ptr<void> keep_alive,
                                                  Ticker& ticker, const InstanceOptions& options,
                                                  std::string component_name);
  ~WasmInstance() override;
  WasmInstance(const WasmInstance&) = delete;
  WasmInstance& operator=(const WasmInstance&) = delete;

  Status init(std::string_view config) override;
  CallOutcome pull(std::uint32_t elements_max, std::uint64_t bytes_max, Run& out) noexcept override;
  CallOutcome notify_backpressure(bool pause) noexcept override;
  bool wants_acks() const noexcept override { return (functions_ & TVB_HAS_ACKNOWLEDGE) != 0; }
  CallOutcome acknowledge(std::uint64_t up_to) noexcept override;
  CallOutcome process(std::span<Element> in, Run& out) noexcept override;
  CallOutcome flush(Run& out) noexcept override;
  CallOutcome push(std::span<Element> in) noexcept override;
  Status complete() override;
  Status teardown() override;
  ProcessErrorKind error_kind() const noexcept override { return error_kind_; }
  const std::string& error_text() const noexcept override { return error_text_; }
  Error failure() const override;
  void stop() noexcept override;
  const resources::CopyLedger& copies() const noexcept override { return copies_; }
  std::uint64_t memory_bytes() const noexcept override;
  security::CapabilityCounts capability_counts() const noexcept override { return guard_.counts(); }
  std::uint32_t held_handles() const noexcept override { return table_.held(); }

 private:
  friend struct Callbacks;

  WasmInstance(std::shared_ptr<void> keep_alive, Ticker& ticker, const InstanceOptions& options,
               std::string component_name);

  // What the call in progress is about. A guest can't keep a borrow beyond its call, so one of each is enough.
  struct CallState {
    const Element* element = nullptr;  // per-element calls: whose payload and context are lent
    std::span<Element> run;            // batch calls: the input
    Run* out = nullptr;                // batch calls: where outputs go
    std::size_t out_start = 0;         // outputs of this call begin here
    std::uint32_t pull_max = 0;        // a source: most outputs in this call
    bool charged = false;              // outputs are charged to inputs
    bool reading = false;              // `batch` may be used
    bool writing = false;              // `writer` may be used
    std::optional<ContentTypeId> content_type;
  };

  CallOutcome element_pull(std::uint32_t elements_max, std::uint64_t bytes_max, Run& out) noexcept;
  CallOutcome batch_pull(std::uint32_t elements_max, Run& out) noexcept;
  // One call of a per-element function with `element` lent; appends to `out` what came of it.
  tvb_status element_call(Element& element, Run* out) noexcept;
  CallOutcome batch_call(std::span<Element> in, Run* out) noexcept;
  CallOutcome element_flush(Run& out) noexcept;
  CallOutcome batch_flush(Run& out) noexcept;

  ContentTypeId intern(std::string_view text) noexcept;
  // Takes an output over from the guest and appends it.
  bool accept_output(const tvb_element_out& raw, const Element* input, Run& out) noexcept;
  std::optional<std::uint16_t> find_port(std::string_view name) const noexcept;
  // What to say of a name that is none of the ports'.
  std::string unknown_port(std::string_view name) const;
  void append_port(std::string_view name, const Element& element, Run& out) noexcept;
  CallOutcome outcome_of(tvb_status status, std::uint32_t done) noexcept;
  void keep_guest_error() noexcept;
  // Ends the instance with an error of the host's own making.
  void end_with(ErrorCode code, std::string message, std::string hint = {}) noexcept;
  Error failure_error(const tvb_failure& failure) const;
  Status call_status(tvb_status status, ErrorCode code, std::string_view function);
  // The guest time of the call that comes, in ticks; `setting` is where a person can change it.
  std::uint64_t allow(std::uint64_t timeout_ns, std::string_view setting) noexcept;
  std::uint64_t allow_call() noexcept;

  // Answers of callbacks.
  std::uint32_t refuse(ErrorCode code, std::string_view text) noexcept;
  // What has to be recorded could not be.
  std::uint32_t refuse_unrecorded() noexcept;
  std::uint32_t answer_of(resources::TableStatus status) noexcept;
  std::uint32_t refuse_table(resources::TableStatus status) noexcept;
  std::uint32_t allocate(std::uint64_t bytes, resources::BufferRef& buffer) noexcept;
  std::uint32_t enter_mutable(std::uint64_t capacity_hint, resources::Rep& rep) noexcept;
  std::uint32_t emit(tvb_view bytes, const std::uint32_t* ends, std::uint64_t count, const std::uint32_t* origins,
                     std::uint64_t origin_count) noexcept;
  // Whether the call in hand may give that many outputs more.
  bool has_room_for(std::uint64_t outputs) const noexcept;
  std::uint32_t refuse_outputs() noexcept;
  std::uint32_t forward(std::string_view port, const std::uint32_t* indices, std::uint64_t count) noexcept;
  bool read_run(tvb_view& bytes) noexcept;

  std::shared_ptr<void> keep_alive_;
  Ticker& ticker_;
  InstanceOptions options_;
  std::string component_name_;
  security::Guard guard_;
  tvb_instance* instance_ = nullptr;
  std::uint32_t functions_ = 0;
  struct FreeStop {
    void operator()(tvb_stop* stop) const noexcept { tvb_stop_free(stop); }
  };
  std::unique_ptr<tvb_stop, FreeStop> stop_{tvb_stop_new()};
  std::atomic<bool> stopped_{false};

  resources::ResourceTable table_;
  resources::CopyLedger copies_;
  GuestLog log_;
  CallState call_;

  tvb_guest_error raw_error_{};
  ProcessErrorKind error_kind_ = ProcessErrorKind::internal;
  std::string error_text_;
  std::string refusal_;
  std::string denied_capability_;  // the last one
  std::optional<Error> failure_;
  std::uint64_t timeout_ns_ = 0;
  std::string_view timeout_setting_;
  std::uint32_t content_types_room_ = resources::content_types_brought_max;
  ContentTypeId last_content_type_ = 0;
  std::string_view last_content_type_text_;  // lives as long as the interner
  bool initialised_ = false;
  bool warned_of_handles_ = false;

  // Scratch of batch reads, kept between calls.
  std::vector<std::byte> gathered_;
  std::vector<std::uint32_t> ends_;
  std::vector<std::uint64_t> sizes_;
  std::vector<tvb_batch_meta> metas_;
  std::vector<tvb_view> content_type_views_;
  std::vector<ContentTypeId> content_type_ids_;
};

}  // namespace torvyn::engine
