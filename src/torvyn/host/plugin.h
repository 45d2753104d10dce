// A component called without a flow: on the caller's thread, with no queue and no other thread between.
//
//   TORVYN_LET(const auto plugin, host::Plugin::load("upper.wasm"));
//   const host::PluginAnswer answer = plugin->process("hello");
//   if (answer.status == host::PluginStatus::ok) use(answer.outputs.front().text());
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/config/capability.h"
#include "torvyn/config/host_settings.h"
#include "torvyn/types/element_meta.h"
#include "torvyn/types/error.h"
#include "torvyn/types/event_sink.h"

namespace torvyn::host {

// What a plugin may take, and do.
struct PluginLimits {
  std::uint64_t max_memory_bytes = std::uint64_t{64} << 20;  // linear memories and tables together
  std::uint64_t max_buffer_bytes = std::uint64_t{16} << 20;  // of one input or output
  std::uint64_t call_timeout_ns = 1'000'000'000;             // of guest time in one call
  std::uint64_t max_log_bytes_per_s = std::uint64_t{64} << 10;
  std::vector<config::Capability> grants = config::SecurityConfig{}.default_grants;

  std::string settings = {};                   // handed to `init`; empty = none
  std::filesystem::path cache_directory = {};  // of compiled code; empty = it is compiled at every load
  EventSink* events = nullptr;                 // what it logs; outlives the plugin; null = nobody listens
};

enum class PluginStatus : std::uint8_t {
  ok,       // `outputs` is what came of it: none, one or several
  refused,  // the component said that it cannot deal with the input: `kind` and `text`. It goes on with the next one
  ended,  // it trapped, ran out of time or did what it may not: see failure(). It answers nothing but `ended` until it is restarted
};

struct PluginOutput {
  std::span<const std::byte> bytes;
  std::string_view content_type;
  std::uint32_t input = 0;  // of the run: which one it came from

  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

struct PluginAnswer {
  PluginStatus status = PluginStatus::ok;
  std::span<const PluginOutput> outputs = {};  // of the inputs before the one that was refused, or at which it ended
  std::uint32_t done = 0;                      // inputs that were dealt with
  ProcessErrorKind kind = ProcessErrorKind::internal;
  std::string_view text = {};
};

// A processor or filter. What it answers is valid until its next call.
// Thread: one at a time. `process` allocates nothing of ours in steady state.
class Plugin {
 public:
  // Errors: E0210, E0004, E0104, E0102, E0201, E0205 of the component; E0203 it is no processor or filter; E0411 its `init` failed; E0206 settings for a
  // component without `lifecycle`; E0300, E0310, E0312 there is no room; E0702 a grant that means nothing.
  static Result<std::unique_ptr<Plugin>> load(const std::filesystem::path& component, const PluginLimits& limits = {});
  virtual ~Plugin() = default;

  virtual PluginAnswer process(std::span<const std::byte> input, std::string_view content_type = {}) = 0;
  PluginAnswer process(std::string_view input, std::string_view content_type = {}) {
    return process(std::as_bytes(std::span(input)), content_type);
  }
  // Many in one call: how components with the batch contract want to be used. All have the same content type.
  virtual PluginAnswer process_run(std::span<const std::span<const std::byte>> inputs,
                                   std::string_view content_type = {}) = 0;

  // After `ended`: why. Requires: it has ended.
  virtual Error failure() const = 0;
  // A fresh instance, with nothing kept of before. Errors: as `load`.
  virtual Status restart() = 0;
  // Ends the call that is under way, and every later one. Thread: any.
  virtual void stop() noexcept = 0;

  // Of the guest, now.
  virtual std::uint64_t memory_bytes() const noexcept = 0;
};

}  // namespace torvyn::host
