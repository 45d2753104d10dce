#include "torvyn/host/host.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/c/flow.h"
#include "torvyn/c/handles.h"
#include "torvyn/config/manifest.h"
#include "torvyn/host/host_builder.h"
#include "torvyn/observability/report_json.h"

using torvyn::FlowId;
using torvyn::Result;
using torvyn::c::copy_of;
using torvyn::c::done;
using torvyn::c::guarded;
using torvyn::c::made;
using torvyn::c::usage;
using torvyn::observability::FlowReport;

struct torvyn_host {
  explicit torvyn_host(torvyn_event_function function, void* user) noexcept : events(function, user) {}

  torvyn::c::FunctionEvents events;  // outlives the host
  std::unique_ptr<torvyn::host::Host> host;
};

namespace {

constexpr const char* no_host = "a host is wanted";
constexpr std::array<std::pair<std::string_view, torvyn::config::ObservabilityLevel>, 3> levels = {
    {{"off", torvyn::config::ObservabilityLevel::off},
     {"production", torvyn::config::ObservabilityLevel::production},
     {"diagnostic", torvyn::config::ObservabilityLevel::diagnostic}}};

// Runs a body with the host; there has to be one.
template <class Body>
torvyn_error* with(const torvyn_host* host, const Body& body) noexcept {
  if (host == nullptr) return usage(no_host);
  return guarded([&]() -> torvyn_error* { return body(*host->host); });
}

torvyn_error* give(const Result<FlowId>& started, uint64_t* id) {
  if (!started) return made(started.error());
  if (id != nullptr) *id = started->value();
  return nullptr;
}

// A report, with why the flow failed as its first member.
std::string json_of(const FlowReport& report) {
  std::string text = torvyn::observability::report_json(report);
  if (report.error) text.insert(1, "\"error\":" + torvyn::observability::error_json(*report.error) + ",");
  return text;
}

torvyn_error* give(const Result<FlowReport>& report, char** text) {
  if (!report) return made(report.error());
  if (text != nullptr) *text = copy_of(json_of(*report));
  return nullptr;
}

}  // namespace

void torvyn_host_options_init(torvyn_host_options* options) {
  if (options == nullptr) return;
  *options = {.size = sizeof *options,
              .manifest = nullptr,
              .base_directory = nullptr,
              .cache_directory = nullptr,
              .worker_threads = -1,
              .on_event = nullptr,
              .user = nullptr};
}

torvyn_error* torvyn_host_new(const torvyn_host_options* options, torvyn_host** host) {
  if (host == nullptr) return usage("torvyn_host_new wants a place for the handle");
  torvyn_host_options chosen;
  torvyn_host_options_init(&chosen);
  if (options != nullptr && options->size != sizeof chosen)
    return usage("torvyn_host_options were not made by torvyn_host_options_init");
  if (options != nullptr) chosen = *options;
  return guarded([&]() -> torvyn_error* {
    auto handle = std::make_unique<torvyn_host>(chosen.on_event, chosen.user);
    torvyn::host::HostBuilder builder;
    builder.with_event_sink(handle->events);
    if (chosen.manifest != nullptr) builder.with_config_file(chosen.manifest);
    if (chosen.base_directory != nullptr) builder.with_base_directory(chosen.base_directory);
    if (chosen.cache_directory != nullptr) builder.with_cache_directory(chosen.cache_directory);
    if (chosen.worker_threads >= 0) builder.with_worker_threads(static_cast<std::uint32_t>(chosen.worker_threads));
    Result<std::unique_ptr<torvyn::host::Host>> built = builder.build();
    if (!built) return made(built.error());
    handle->host = *std::move(built);
    *host = handle.release();
    return nullptr;
  });
}

void torvyn_host_free(torvyn_host* host) { std::unique_ptr<torvyn_host>{host}.reset(); }

const char* torvyn_host_state(const torvyn_host* host) {
  // The names are literals.
  return host == nullptr ? "" : torvyn::host::host_state_name(host->host->state()).data();
}

torvyn_error* torvyn_host_start(torvyn_host* host) {
  return with(host, [](auto& real) { return done(real.start()); });
}

torvyn_error* torvyn_host_run(torvyn_host* host, char** reports) {
  return with(host, [reports](auto& real) -> torvyn_error* {
    const Result<std::vector<FlowReport>> ended = real.run();
    if (!ended) return made(ended.error());
    if (reports == nullptr) return nullptr;
    std::string text = "[";
    for (const FlowReport& report : *ended) {
      if (text.size() > 1) text += ",";
      text += json_of(report);
    }
    *reports = copy_of(text + "]");
    return nullptr;
  });
}

torvyn_error* torvyn_host_shutdown(torvyn_host* host, uint64_t drain_timeout_ns) {
  return with(host, [drain_timeout_ns](auto& real) -> torvyn_error* {
    const auto result = real.shutdown(drain_timeout_ns);
    return result ? nullptr : made(result.error());
  });
}

torvyn_error* torvyn_host_run_some(torvyn_host* host, uint64_t budget_ns, bool* more) {
  return with(host, [&](auto& real) -> torvyn_error* {
    const auto work = real.run_some(budget_ns);
    if (!work) return made(work.error());
    if (more != nullptr) *more = work->more;
    return nullptr;
  });
}

torvyn_error* torvyn_host_reload(torvyn_host* host, const char* manifest) {
  if (manifest == nullptr) return usage("torvyn_host_reload wants a manifest");
  return with(host, [manifest](auto& real) -> torvyn_error* {
    const Result<torvyn::config::Manifest> read = torvyn::config::load_manifest(manifest);
    if (!read) return made(read.error());
    const auto reloaded = real.reload(*read, false);
    return reloaded ? nullptr : made(reloaded.error());
  });
}

torvyn_error* torvyn_host_start_flow(torvyn_host* host, const char* name, uint64_t* id) {
  if (name == nullptr) return usage("torvyn_host_start_flow wants a name");
  return with(host, [&](auto& real) { return give(real.start_flow(std::string_view(name)), id); });
}

torvyn_error* torvyn_host_start_made(torvyn_host* host, const torvyn_flow* flow, uint64_t* id) {
  if (flow == nullptr) return usage("torvyn_host_start_made wants a flow");
  return with(host, [&](auto& real) { return give(real.start_flow(flow->builder.definition()), id); });
}

torvyn_error* torvyn_host_find_flow(const torvyn_host* host, const char* name, uint64_t* id) {
  if (name == nullptr || id == nullptr) return usage("torvyn_host_find_flow wants a name and a place for the id");
  return with(host, [&](auto& real) -> torvyn_error* {
    const std::optional<FlowId> found = real.find_flow(name);
    if (!found)
      return made(torvyn::Error(torvyn::ErrorCode::unknown_flow_or_node,
                                "the host knows no flow `" + std::string(name) + "`", "start it first"));
    *id = found->value();
    return nullptr;
  });
}

torvyn_error* torvyn_host_stop_flow(torvyn_host* host, uint64_t id) {
  return with(host, [id](auto& real) { return done(real.stop_flow(FlowId(id))); });
}

torvyn_error* torvyn_host_cancel_flow(torvyn_host* host, uint64_t id) {
  return with(host, [id](auto& real) { return done(real.cancel_flow(FlowId(id))); });
}

torvyn_error* torvyn_host_flow_state(const torvyn_host* host, uint64_t id, const char** state) {
  if (state == nullptr) return usage("torvyn_host_flow_state wants a place for the state");
  return with(host, [&](auto& real) -> torvyn_error* {
    const auto known = real.flow_state(FlowId(id));
    if (!known) return made(known.error());
    *state = torvyn::observability::flow_state_name(*known).data();
    return nullptr;
  });
}

torvyn_error* torvyn_host_wait(torvyn_host* host, uint64_t id, char** report) {
  return with(host, [&](auto& real) { return give(real.wait(FlowId(id)), report); });
}

torvyn_error* torvyn_host_report(torvyn_host* host, uint64_t id, char** report) {
  return with(host, [&](auto& real) { return give(real.report(FlowId(id)), report); });
}

torvyn_error* torvyn_host_swap(torvyn_host* host, uint64_t id, const char* node, const char* component) {
  if (node == nullptr || component == nullptr) return usage("torvyn_host_swap wants a node and a component");
  return with(host, [&](auto& real) -> torvyn_error* {
    const auto swapped = real.swap(FlowId(id), node, component, false);
    return swapped ? nullptr : made(swapped.error());
  });
}

torvyn_error* torvyn_host_set_level(torvyn_host* host, const char* level) {
  if (level == nullptr) return usage("torvyn_host_set_level wants a level");
  return with(host, [level](auto& real) -> torvyn_error* {
    for (const auto& [name, value] : levels)
      if (name == level) return done(real.set_level(value));
    return made(torvyn::Error(torvyn::ErrorCode::out_of_range, "there is no level `" + std::string(level) + "`",
                              "there are off, production and diagnostic"));
  });
}
