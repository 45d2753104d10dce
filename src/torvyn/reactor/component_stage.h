// A component as a stage.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "torvyn/engine/engine.h"
#include "torvyn/reactor/cpu_share.h"
#include "torvyn/reactor/stage.h"

namespace torvyn::reactor {

// Instantiates `component` when started, hands `config` to its `init`, and passes runs on. With a `max_cpu`, a share of a core, it
// says when that is used up; an instance that begins anew goes on with what the one before it used.
class ComponentStage final : public Stage {
 public:
  ComponentStage(std::shared_ptr<engine::Component> component, engine::InstanceOptions options, std::string config,
                 std::optional<double> max_cpu = {});

  Status start() override;
  StageOutcome pull(const PullLimits& limits, Run& out) noexcept override;
  void notify_backpressure(bool pause) noexcept override;
  StageOutcome process(std::span<Element> in, Run& out) noexcept override;
  StageOutcome flush(Run& out) noexcept override;
  StageOutcome push(std::span<Element> in) noexcept override;
  Status complete() override;
  Status restart() override;
  void stop() noexcept override;
  bool may_block() const noexcept override { return component_->info().may_block || options_.sandbox.may_wait(); }
  bool wants_acks() const noexcept override { return instance_ != nullptr && instance_->wants_acks(); }
  void acknowledge(std::uint64_t up_to) noexcept override;
  std::uint64_t rest_until_ns() const noexcept override { return share_ ? share_->rest_until_ns() : 0; }
  void finish(bool orderly) noexcept override;
  const ElementError& element_error() const noexcept override { return element_error_; }
  Error failure() const override;
  resources::CopyCounts copies() const noexcept override;
  security::CapabilityCounts capabilities() const noexcept override;
  std::string_view path() const noexcept override { return component_->path(); }
  std::uint64_t memory_bytes() const noexcept override;

 private:
  StageOutcome outcome(const engine::CallOutcome& call) noexcept;
  void keep_counts_of(const engine::Instance& ended) noexcept;
  template <class Call>
  auto charged(const Call& call);
  template <class Call>
  StageOutcome within_share(const Call& call) noexcept;

  std::shared_ptr<engine::Component> component_;
  engine::InstanceOptions options_;
  std::string config_;
  std::optional<CpuShare> share_;
  std::uint32_t content_types_room_ =
      resources::content_types_brought_max;  // for all its instances, one after the other
  std::unique_ptr<engine::Instance> instance_;
  std::mutex
      instance_mutex_;  // held while `instance_` is put in its place or taken away, and while it is stopped from outside
  bool stopped_ = false;
  std::uint64_t memory_bytes_at_end_ = 0;
  resources::CopyCounts copies_before_{};  // of the instances before this one
  security::CapabilityCounts capabilities_before_{};
  ElementError element_error_;
};

}  // namespace torvyn::reactor
