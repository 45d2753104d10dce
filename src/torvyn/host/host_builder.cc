#include "torvyn/host/host_builder.h"

#include <utility>

namespace torvyn::host {

HostBuilder& HostBuilder::with_config_file(std::filesystem::path path) {
  config_file_ = std::move(path);
  manifest_.reset();
  return *this;
}

HostBuilder& HostBuilder::with_manifest(config::Manifest manifest) {
  manifest_ = std::move(manifest);
  config_file_.reset();
  return *this;
}

HostBuilder& HostBuilder::with_runtime(const config::RuntimeConfig& runtime) {
  runtime_ = runtime;
  return *this;
}

HostBuilder& HostBuilder::with_base_directory(std::filesystem::path directory) {
  base_directory_ = std::move(directory);
  return *this;
}

HostBuilder& HostBuilder::with_worker_threads(std::uint32_t threads) {
  worker_threads_ = threads;
  return *this;
}

HostBuilder& HostBuilder::with_cache_directory(std::filesystem::path directory) {
  cache_directory_ = std::move(directory);
  return *this;
}

HostBuilder& HostBuilder::with_event_sink(EventSink& events) {
  events_ = &events;
  return *this;
}

HostBuilder& HostBuilder::on_flow_ended(std::function<void(const observability::FlowReport&)> callback) {
  flow_ended_ = std::move(callback);
  return *this;
}

Result<std::unique_ptr<Host>> HostBuilder::build() const {
  std::optional<config::Manifest> manifest = manifest_;
  if (config_file_) {
    TORVYN_LET(manifest, config::load_manifest(*config_file_));
  }
  HostOptions options;
  if (manifest) {
    options.runtime = manifest->runtime;
    options.security = std::move(manifest->security);
    options.level = manifest->observability.level;
    options.base_directory = manifest->directory;
    options.flows = std::move(manifest->flows);
  }
  if (runtime_) options.runtime = *runtime_;
  if (base_directory_) options.base_directory = *base_directory_;
  if (worker_threads_) options.runtime.worker_threads = *worker_threads_;
  options.callers_drive = worker_threads_ == 0U;
  options.cache_directory = cache_directory_;
  options.events = events_;
  options.flow_ended = flow_ended_;
  return Host::create(options);
}

}  // namespace torvyn::host
