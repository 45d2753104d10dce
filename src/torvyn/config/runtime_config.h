// The settings of the runtime itself, with their defaults. Sizes in bytes, times in nanoseconds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "torvyn/config/flow_config.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

inline constexpr std::uint64_t kib = 1024;
inline constexpr std::uint64_t mib = 1024 * kib;
inline constexpr std::uint64_t gib = 1024 * mib;
inline constexpr std::uint64_t ms_in_ns = 1'000'000;
inline constexpr std::uint64_t s_in_ns = 1'000 * ms_in_ns;

// `[runtime.pools]`: buffers kept in each tier.
struct PoolConfig {
  std::uint32_t small_pool_size = 4096;   // of up to 4 KiB
  std::uint32_t medium_pool_size = 1024;  // of up to 64 KiB
  std::uint32_t large_pool_size = 256;    // of up to 1 MiB
  std::uint32_t huge_pool_size = 32;      // larger ones, kept for reuse once made
  bool fallback_alloc = true;             // `exhaustion_policy`: else an exhausted tier is E0301

  bool operator==(const PoolConfig&) const = default;
};

// `[runtime.backpressure]`: what a stream holds where its edge says nothing else.
struct BackpressureConfig {
  std::uint32_t queue_depth = 64;  // `default_queue_depth`, elements
  std::uint64_t queue_bytes = 16 * mib;
  FullPolicy full_policy = FullPolicy::block;  // `backpressure_policy`
  double low_watermark_ratio = 0.5;

  bool operator==(const BackpressureConfig&) const = default;
};

// Slots of the instance pool for one process at most; `max_instances` beyond it makes no more. Each reserves 4 GiB of address space, so these
// take three eighths of it: ten thousand flows of a component find room. What is not used costs nothing: a host with this many starts as fast
// as one with a few.
inline constexpr std::uint32_t pooled_instances_max = 12'288;
inline constexpr std::uint64_t pooled_instance_bytes = std::uint64_t{4} << 30;

// `[runtime]`. Takes defaults, or what a file says:
//
//   TORVYN_LET(const config::RuntimeConfig runtime, config::RuntimeConfig::from_file("Torvyn.toml"));
struct RuntimeConfig {
  std::uint64_t max_memory_per_component_bytes = 64 * mib;  // linear memories and tables of one instance together
  std::optional<std::uint64_t> max_memory_bytes;            // of all instances together; none = no bound
  std::optional<double> max_cpu;                            // share of a core for one instance; none = no bound
  std::uint64_t max_buffer_size_bytes = 16 * mib;           // `[capabilities.torvyn] max-buffer-size`
  std::uint32_t max_handles = 4096;                         // buffer handles one instance may hold
  std::uint64_t max_host_buffers_bytes = 64 * mib;          // buffer bytes one instance may hold
  std::uint64_t max_log_bytes_per_s = 64 * kib;             // log and stdio of one instance
  std::uint64_t invocation_timeout_ns = s_in_ns;            // guest time in one call
  std::uint64_t component_init_timeout_ns = 5 * s_in_ns;
  std::uint64_t component_teardown_timeout_ns = 2 * s_in_ns;
  std::uint64_t drain_timeout_ns = 10 * s_in_ns;
  std::uint64_t fuel_per_invocation = 0;      // 0 = not metered
  std::uint32_t max_batch = 64;               // most elements handed to a stage at once
  std::uint64_t max_batch_bytes = 256 * kib;  // and bytes: what a run passes through stays in a core's cache
  std::uint32_t max_instances = 16384;        // of the whole host
  bool compile_cache = true;
  std::uint32_t worker_threads = 0;  // that drive flows; 0 = as many as the process may use cores
  BackpressureConfig backpressure;
  PoolConfig pools;

  // What a project's Torvyn.toml or a settings file (one without a project) says of the runtime, over the defaults. That file alone is
  // read: no other layer, no variable, so that a program which embeds Torvyn gets what it names; load_configuration reads them all.
  // Errors: of load_manifest.
  static Result<RuntimeConfig> from_file(const std::filesystem::path& path);

  bool operator==(const RuntimeConfig&) const = default;
};

}  // namespace torvyn::config
