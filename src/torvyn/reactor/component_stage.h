// A component as a stage.
#pragma once

#include <memory>
#include <string>

#include "torvyn/engine/engine.h"
#include "torvyn/reactor/stage.h"

namespace torvyn::reactor {

// Instantiates `component` when started, hands `config` to its `init`, and passes runs on.
class ComponentStage final : public Stage {
 public:
  ComponentStage(std::shared_ptr<engine::Component> component, engine::InstanceOptions options, std::string config);

  Status start() override;
  StageOutcome pull(const PullLimits& limits, Run& out) noexcept override;
  void notify_backpressure(bool pause) noexcept override;
  StageOutcome process(std::span<Element> in, Run& out) noexcept override;
  StageOutcome flush(Run& out) noexcept override;
  StageOutcome push(std::span<Element> in) noexcept override;
  Status complete() override;
  void finish(bool orderly) noexcept override;
  const ElementError& element_error() const noexcept override { return element_error_; }
  Error failure() const override;
  const resources::CopyLedger* copies() const noexcept override;
  std::string_view path() const noexcept override { return component_->path(); }
  std::uint64_t memory_bytes() const noexcept override;

 private:
  StageOutcome outcome(const engine::CallOutcome& call) noexcept;

  std::shared_ptr<engine::Component> component_;
  engine::InstanceOptions options_;
  std::string config_;
  std::unique_ptr<engine::Instance> instance_;
  ElementError element_error_;
};

}  // namespace torvyn::reactor
