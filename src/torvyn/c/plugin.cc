#include "torvyn/host/plugin.h"

#include <algorithm>
#include <span>
#include <vector>

#include "torvyn/c/handles.h"
#include "torvyn/config/capability.h"

using torvyn::c::guarded;
using torvyn::c::made;
using torvyn::c::text_or_empty;
using torvyn::c::usage;

struct torvyn_plugin {
  explicit torvyn_plugin(torvyn_event_function function, void* user) noexcept : events(function, user) {}

  torvyn::c::FunctionEvents events;
  std::unique_ptr<torvyn::host::Plugin> plugin;
  bool ended = false;
  // Kept from call to call.
  std::vector<std::span<const std::byte>> inputs;
  std::vector<torvyn_output> outputs;
};

namespace {

torvyn::Result<torvyn::host::PluginLimits> limits_of(const torvyn_plugin_options& options) {
  torvyn::host::PluginLimits limits{.max_memory_bytes = options.max_memory_bytes,
                                    .max_buffer_bytes = options.max_buffer_bytes,
                                    .call_timeout_ns = options.call_timeout_ns,
                                    .max_log_bytes_per_s = options.max_log_bytes_per_s};
  limits.settings = text_or_empty(options.settings);
  limits.cache_directory = text_or_empty(options.cache_directory);
  if (options.grants == nullptr) return limits;
  limits.grants.clear();
  for (const char* const text : std::span(options.grants, options.grant_count)) {
    TORVYN_LET(torvyn::config::Capability grant, torvyn::config::parse_capability(text_or_empty(text)));
    limits.grants.push_back(std::move(grant));
  }
  return limits;
}

void tell(torvyn_plugin& plugin, const torvyn::host::PluginAnswer& answer, torvyn_answer& out) {
  plugin.outputs.clear();
  for (const torvyn::host::PluginOutput& output : answer.outputs)
    plugin.outputs.push_back({.bytes = reinterpret_cast<const std::uint8_t*>(output.bytes.data()),
                              .size = output.bytes.size(),
                              .content_type = output.content_type.data(),
                              .content_type_size = output.content_type.size(),
                              .input = output.input});
  plugin.ended = answer.status == torvyn::host::PluginStatus::ended;
  out = {.status = static_cast<torvyn_plugin_status>(answer.status),
         .done = answer.done,
         .outputs = plugin.outputs.data(),
         .output_count = plugin.outputs.size(),
         .text = answer.text.data(),
         .text_size = answer.text.size()};
}

}  // namespace

void torvyn_plugin_options_init(torvyn_plugin_options* options) {
  if (options == nullptr) return;
  const torvyn::host::PluginLimits limits;
  *options = {.size = sizeof *options,
              .max_memory_bytes = limits.max_memory_bytes,
              .max_buffer_bytes = limits.max_buffer_bytes,
              .call_timeout_ns = limits.call_timeout_ns,
              .max_log_bytes_per_s = limits.max_log_bytes_per_s,
              .grants = nullptr,
              .grant_count = 0,
              .settings = nullptr,
              .cache_directory = nullptr,
              .on_event = nullptr,
              .user = nullptr};
}

torvyn_error* torvyn_plugin_load(const char* path, const torvyn_plugin_options* options, torvyn_plugin** plugin) {
  if (path == nullptr || plugin == nullptr) return usage("torvyn_plugin_load wants a path and a place for the handle");
  torvyn_plugin_options chosen;
  torvyn_plugin_options_init(&chosen);
  if (options != nullptr && options->size != sizeof chosen)
    return usage("torvyn_plugin_options were not made by torvyn_plugin_options_init");
  if (options != nullptr) chosen = *options;
  return guarded([&]() -> torvyn_error* {
    torvyn::Result<torvyn::host::PluginLimits> limits = limits_of(chosen);
    if (!limits) return made(limits.error());
    auto handle = std::make_unique<torvyn_plugin>(chosen.on_event, chosen.user);
    limits->events = &handle->events;
    torvyn::Result<std::unique_ptr<torvyn::host::Plugin>> loaded = torvyn::host::Plugin::load(path, *limits);
    if (!loaded) return made(loaded.error());
    handle->plugin = *std::move(loaded);
    *plugin = handle.release();
    return nullptr;
  });
}

void torvyn_plugin_free(torvyn_plugin* plugin) { std::unique_ptr<torvyn_plugin>{plugin}.reset(); }

torvyn_error* torvyn_plugin_process(torvyn_plugin* plugin, const void* data, size_t size, const char* content_type,
                                    torvyn_answer* answer) {
  const torvyn_bytes input{.data = data, .size = size};
  return torvyn_plugin_process_run(plugin, &input, 1, content_type, answer);
}

torvyn_error* torvyn_plugin_process_run(torvyn_plugin* plugin, const torvyn_bytes* inputs, size_t count,
                                        const char* content_type, torvyn_answer* answer) {
  if (plugin == nullptr || answer == nullptr || (inputs == nullptr && count != 0))
    return usage("torvyn_plugin_process wants a plugin, inputs and a place for the answer");
  const std::span<const torvyn_bytes> given(inputs, count);
  if (std::ranges::any_of(given, [](const torvyn_bytes& one) { return one.data == nullptr && one.size != 0; }))
    return usage("an input has a size and no bytes");
  return guarded([&]() -> torvyn_error* {
    plugin->inputs.clear();
    for (const torvyn_bytes& one : given)
      plugin->inputs.emplace_back(static_cast<const std::byte*>(one.data), one.size);
    tell(*plugin, plugin->plugin->process_run(plugin->inputs, text_or_empty(content_type)), *answer);
    return nullptr;
  });
}

torvyn_error* torvyn_plugin_failure(const torvyn_plugin* plugin) {
  if (plugin == nullptr) return usage("torvyn_plugin_failure wants a plugin");
  return guarded([&] { return plugin->ended ? made(plugin->plugin->failure()) : nullptr; });
}

torvyn_error* torvyn_plugin_restart(torvyn_plugin* plugin) {
  if (plugin == nullptr) return usage("torvyn_plugin_restart wants a plugin");
  return guarded([&] {
    torvyn_error* const error = torvyn::c::done(plugin->plugin->restart());
    if (error == nullptr) plugin->ended = false;
    return error;
  });
}

void torvyn_plugin_stop(torvyn_plugin* plugin) {
  if (plugin != nullptr) plugin->plugin->stop();
}

uint64_t torvyn_plugin_memory_bytes(const torvyn_plugin* plugin) {
  return plugin == nullptr ? 0 : plugin->plugin->memory_bytes();
}
