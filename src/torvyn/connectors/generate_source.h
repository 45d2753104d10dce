// Numbered payloads, as many and as fast as asked for. Internal to connectors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "torvyn/connectors/connectors.h"

namespace torvyn::connectors {

struct GenerateOptions {
  std::optional<std::uint64_t> count;  // none: without end
  std::string text;                    // each "{n}" becomes the element's number, from 0
  // Payloads of exactly this many bytes: longer text is cut, shorter is filled up with dots, and where it ends in a line
  // feed that stays the end, so that an element stays a line.
  std::optional<std::uint32_t> size_bytes;
  std::optional<double> rate_per_s;
};

// The longest payload that `options` can make.
std::uint64_t generated_bytes_max(const GenerateOptions& options) noexcept;

class GenerateSource final : public reactor::Stage {
 public:
  // Requires: generated_bytes_max(options) is within what the pool allows.
  GenerateSource(const GenerateOptions& options, const ConnectorContext& context, ContentTypeId content_type);

  Status start() override { return {}; }
  reactor::StageOutcome pull(const reactor::PullLimits& limits, reactor::Run& out) noexcept override;
  void finish(bool /*orderly*/) noexcept override {}
  Error failure() const override;
  std::uint64_t ready_at_ns() const noexcept override { return ready_at_ns_; }
  std::string_view path() const noexcept override { return "builtin"; }

 private:
  // How many elements the rate allows by now; waits for the first where it may. 0: interrupted, or nothing yet.
  std::uint64_t due(bool may_wait) noexcept;
  // Writes element `number` to `out` and gives its end. Requires: room for payload_bytes_max_.
  char* render(std::uint64_t number, char* out) const noexcept;

  std::vector<std::string> pieces_;  // the text around each "{n}", without its final line feed
  std::string ending_;               // that line feed, or nothing
  std::optional<std::uint64_t> count_;
  std::optional<std::uint32_t> size_bytes_;
  double interval_ns_ = 0;  // 0: no rate
  std::uint64_t payload_bytes_max_;
  resources::BufferPool* pool_;
  const Clock* clock_;
  const reactor::Interrupt* interrupt_;
  ContentTypeId content_type_;

  std::uint64_t given_ = 0;
  std::optional<std::uint64_t> first_pull_ns_;
  std::uint64_t ready_at_ns_ = 0;
  std::vector<std::uint32_t> ends_;  // of the payloads in the buffer being filled
  resources::AllocateStatus allocate_status_ = resources::AllocateStatus::ok;
};

}  // namespace torvyn::connectors
