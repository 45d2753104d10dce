// A host for a program, made of what it says and defaults for the rest.
//
//   TORVYN_LET(const auto host, host::HostBuilder().with_config_file("Torvyn.toml").build());
//   TORVYN_LET(const auto reports, host->run());
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "torvyn/host/host.h"

namespace torvyn::host {

// What is said by the later of two calls holds. Without any, a host has no flows, the defaults of RuntimeConfig and no cache.
// Thread: one at a time.
class HostBuilder {
 public:
  // The runtime's settings and the flows of a Torvyn.toml; relative paths are taken from its folder. That file alone is read: no other layer,
  // no variable. `build` reads it.
  HostBuilder& with_config_file(std::filesystem::path path);
  // The same of a manifest that was read already, through whatever layers.
  HostBuilder& with_manifest(config::Manifest manifest);
  // Instead of those of the manifest.
  HostBuilder& with_runtime(const config::RuntimeConfig& runtime);
  HostBuilder& with_base_directory(std::filesystem::path directory);
  // Without it, as many as the manifest says, or as the process may use cores. 0: none, and nothing happens but in `run_some`, see Host.
  HostBuilder& with_worker_threads(std::uint32_t threads);

  HostBuilder& with_cache_directory(std::filesystem::path directory);  // of compiled code
  HostBuilder& with_event_sink(EventSink& events);                     // outlives the host

  // See HostOptions::flow_ended.
  HostBuilder& on_flow_ended(std::function<void(const observability::FlowReport&)> callback);

  // Errors: those of load_manifest and Host::create.
  Result<std::unique_ptr<Host>> build() const;

 private:
  std::optional<std::filesystem::path> config_file_;
  std::optional<config::Manifest> manifest_;
  std::optional<config::RuntimeConfig> runtime_;
  std::optional<std::filesystem::path> base_directory_;
  std::optional<std::uint32_t> worker_threads_;
  std::filesystem::path cache_directory_;
  EventSink* events_ = nullptr;
  std::function<void(const observability::FlowReport&)> flow_ended_;
};

}  // namespace torvyn::host
