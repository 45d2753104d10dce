// Drops everything. Internal to connectors.
#pragma once

#include "torvyn/reactor/stage.h"

namespace torvyn::connectors {

class NullSink final : public reactor::Stage {
 public:
  Status start() override { return {}; }
  reactor::StageOutcome push(std::span<reactor::Element> in) noexcept override {
    return {reactor::StageStatus::ok, static_cast<std::uint32_t>(in.size())};
  }
  void finish(bool /*orderly*/) noexcept override {}
  std::string_view path() const noexcept override { return "builtin"; }
};

}  // namespace torvyn::connectors
