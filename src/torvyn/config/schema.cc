#include "torvyn/config/schema.h"

#include <algorithm>
#include <array>

#include "torvyn/config/runtime_config.h"

namespace torvyn::config {
namespace {

constexpr std::uint64_t day_in_ns = std::uint64_t{24} * 3'600 * s_in_ns;

// The guest's addresses have 32 bits: no memory or buffer of its can be larger.
constexpr std::uint64_t guest_bytes_max = 4 * gib;
constexpr std::uint64_t host_bytes_max = 1024 * gib;
constexpr std::uint64_t call_ns_max = day_in_ns;
constexpr std::uint64_t flow_ns_max = 366 * day_in_ns;

// A run of retries holds its node up: more of them than this are a stop by another name.
constexpr std::uint64_t retries_max = 1'000;
// The times of a node's last restarts are kept.
constexpr std::uint64_t restarts_max = 1'000;
// A thread's worth of work each: where cores are fewer, more instances gain nothing.
constexpr std::uint64_t node_instances_max = 256;
// A flow that fails at once is not restarted in a tight loop, and not waited for longer than the doubling goes.
constexpr std::uint64_t restart_backoff_ns_min = ms_in_ns;
constexpr std::uint64_t restart_backoff_ns_max = 60 * s_in_ns;
constexpr std::uint64_t flow_restarts_max = 1'000'000;
// Beyond this the bound on bytes is met first, whatever the elements.
constexpr std::uint64_t queue_depth_max = 1 << 20;
constexpr std::uint64_t worker_threads_max = 1'024;

constexpr std::array<std::string_view, 3> languages = {"c", "cpp", "rust"};
constexpr std::array<std::string_view, 4> error_actions = {"fail", "skip", "retry", "dead-letter"};
constexpr std::array<std::string_view, 2> trap_actions = {"fail", "restart"};
constexpr std::array<std::string_view, 2> restart_policies = {"never", "on-failure"};
constexpr std::array<std::string_view, 4> full_policies = {"block", "drop-oldest", "drop-newest", "error"};
constexpr std::array<std::string_view, 2> exhaustion_policies = {"fallback-alloc", "error"};

constexpr std::array error_policy_keys = std::to_array<KeySchema>({
    {.name = "invalid-input",
     .type = ValueType::choice,
     .summary = "the component could not read the element",
     .example = R"(invalid-input = "skip")",
     .choices = error_actions},
    {.name = "unavailable",
     .type = ValueType::choice,
     .summary = "something the component needs was not there",
     .example = R"(unavailable = "retry")",
     .choices = error_actions},
    {.name = "internal",
     .type = ValueType::choice,
     .summary = "the component failed by itself",
     .example = R"(internal = "skip")",
     .choices = error_actions},
    {.name = "deadline-exceeded",
     .type = ValueType::choice,
     .summary = "the element's time was over",
     .example = R"(deadline-exceeded = "skip")",
     .choices = error_actions},
    {.name = "default",
     .type = ValueType::choice,
     .summary = "every case not named",
     .example = R"(default = "fail")",
     .choices = error_actions},
});
constexpr TableSchema error_policy_table = {error_policy_keys};

constexpr std::array node_keys = std::to_array<KeySchema>({
    {.name = "component",
     .type = ValueType::text,
     .summary = "a path, the name of a [[component]], or builtin:NAME",
     .example = R"(component = "./upper.wasm")",
     .required = true,
     .minimum = 1},
    {.name = "config",
     .type = ValueType::text,
     .summary = "what the component's init is handed: a text, or a table that becomes JSON",
     .example = R"(config = { path = "in.txt" })",
     .or_table = true},
    {.name = "on_error",
     .type = ValueType::choice,
     .summary = "what to do about an error the component reports",
     .example = R"(on_error = "skip")",
     .choices = error_actions,
     .table = &error_policy_table,
     .or_table = true},
    {.name = "retries",
     .type = ValueType::count,
     .summary = "times an element is offered again",
     .example = "retries = 3",
     .maximum = retries_max},
    {.name = "retry_backoff",
     .type = ValueType::duration,
     .summary = "wait before the first retry, doubled before each other",
     .example = R"(retry_backoff = "10ms")",
     .maximum = call_ns_max},
    {.name = "dead_letter",
     .type = ValueType::name,
     .summary = "the node that gets the elements this one sends away",
     .example = R"(dead_letter = "rejected")"},
    {.name = "on_trap",
     .type = ValueType::choice,
     .summary = "what to do where the component traps",
     .example = R"(on_trap = "restart")",
     .choices = trap_actions},
    {.name = "restarts",
     .type = ValueType::count,
     .summary = "traps within restart_window after which a fresh instance goes on",
     .example = "restarts = 3",
     .minimum = 1,
     .maximum = restarts_max},
    {.name = "restart_window",
     .type = ValueType::duration,
     .summary = "time in which restarts are counted",
     .example = R"(restart_window = "60s")",
     .minimum = 1,
     .maximum = flow_ns_max},
    {.name = "instances",
     .type = ValueType::count,
     .summary = "instances side by side; elements keep their order",
     .example = "instances = 4",
     .minimum = 1,
     .maximum = node_instances_max},
    {.name = "timeout",
     .type = ValueType::duration,
     .summary = "guest time of one call",
     .example = R"(timeout = "1s")",
     .minimum = 1,
     .maximum = call_ns_max},
    {.name = "max_memory",
     .type = ValueType::size,
     .summary = "memory of one instance",
     .example = R"(max_memory = "64MiB")",
     .minimum = 1,
     .maximum = guest_bytes_max},
});
constexpr TableSchema node_table = {node_keys};

// What an edge says of its stream and the runtime of all.
constexpr KeySchema queue_bytes_key = {.name = "queue_bytes",
                                       .type = ValueType::size,
                                       .summary = "bytes a stream holds; a larger element passes alone",
                                       .example = R"(queue_bytes = "16MiB")",
                                       .minimum = 1,
                                       .maximum = host_bytes_max};
constexpr KeySchema backpressure_policy_key = {
    .name = "backpressure_policy",
    .type = ValueType::choice,
    .summary = "what becomes of an element that a full stream has no room for",
    .example = R"(backpressure_policy = "block")",
    .choices = full_policies};
constexpr KeySchema low_watermark_ratio_key = {
    .name = "low_watermark_ratio",
    .type = ValueType::ratio,
    .summary = "how full a stream that was full may be to take elements again",
    .example = "low_watermark_ratio = 0.5"};

constexpr std::array endpoint_keys = std::to_array<KeySchema>({
    {.name = "node",
     .type = ValueType::name,
     .summary = "a node of the flow",
     .example = R"(node = "upper")",
     .required = true},
    {.name = "port", .type = ValueType::name, .summary = "a port of the node", .example = R"(port = "output")"},
});
constexpr TableSchema endpoint_table = {endpoint_keys};

constexpr std::array edge_keys = std::to_array<KeySchema>({
    {.name = "from",
     .type = ValueType::text,
     .summary = "where elements come from: node, node.port or a table",
     .example = R"(from = "upper")",
     .required = true,
     .table = &endpoint_table,
     .or_table = true},
    {.name = "to",
     .type = ValueType::text,
     .summary = "where they go: node, node.port or a table",
     .example = R"(to = "out")",
     .required = true,
     .table = &endpoint_table,
     .or_table = true},
    {.name = "queue_depth",
     .type = ValueType::count,
     .summary = "elements the stream holds",
     .example = "queue_depth = 64",
     .minimum = 1,
     .maximum = queue_depth_max},
    queue_bytes_key,
    backpressure_policy_key,
    low_watermark_ratio_key,
});
constexpr TableSchema edge_table = {edge_keys};

constexpr std::array flow_keys = std::to_array<KeySchema>({
    {.name = "description",
     .type = ValueType::text,
     .summary = "for people",
     .example = R"(description = "upper-cases lines")"},
    {.name = "timeout",
     .type = ValueType::duration,
     .summary = "time the whole flow may take; none if left out",
     .example = R"(timeout = "10m")",
     .minimum = 1,
     .maximum = flow_ns_max},
    {.name = "deadline",
     .type = ValueType::duration,
     .summary = "time each element may take from its source on; none if left out",
     .example = R"(deadline = "500ms")",
     .minimum = 1,
     .maximum = flow_ns_max},
    {.name = "weight",
     .type = ValueType::count,
     .summary = "the flow's share of the workers, beside that of other flows",
     .example = "weight = 1",
     .minimum = 1,
     .maximum = 10'000},
    {.name = "priority",
     .type = ValueType::count,
     .summary = "each step doubles the flow's share of the workers",
     .example = "priority = 5",
     .maximum = 10},
    {.name = "restart",
     .type = ValueType::choice,
     .summary = "whether the flow begins anew when it fails",
     .example = R"(restart = "on-failure")",
     .choices = restart_policies},
    {.name = "restart_backoff",
     .type = ValueType::duration,
     .summary = "wait before the first restart, doubled up to a minute before each other",
     .example = R"(restart_backoff = "1s")",
     .minimum = restart_backoff_ns_min,
     .maximum = restart_backoff_ns_max},
    {.name = "restart_max",
     .type = ValueType::count,
     .summary = "restarts in all; 0 for no bound",
     .example = "restart_max = 0",
     .maximum = flow_restarts_max},
    {.name = "nodes",
     .type = ValueType::table_map,
     .summary = "the flow's stages",
     .example = "[flow.main.nodes.upper]",
     .table = &node_table},
    {.name = "edges",
     .type = ValueType::table_list,
     .summary = "which stage feeds which; without it, the nodes form one chain in file order",
     .example = "[[flow.main.edges]]",
     .table = &edge_table},
});
constexpr TableSchema flow_table = {flow_keys};

constexpr std::array project_keys = std::to_array<KeySchema>({
    {.name = "name",
     .type = ValueType::project_name,
     .summary = "the project's name",
     .example = R"(name = "my-pipeline")",
     .required = true},
    {.name = "version",
     .type = ValueType::version,
     .summary = "the project's version",
     .example = R"(version = "0.1.0")",
     .required = true},
    {.name = "contract_version",
     .type = ValueType::version,
     .summary = "the version of the Torvyn contract its components are written for",
     .example = R"(contract_version = "0.1.0")",
     .required = true},
    {.name = "description",
     .type = ValueType::text,
     .summary = "for people",
     .example = R"(description = "upper-cases lines")"},
    {.name = "authors",
     .type = ValueType::text_list,
     .summary = "who wrote it",
     .example = R"(authors = ["Ada <ada@example.org>"])"},
    {.name = "license",
     .type = ValueType::text,
     .summary = "an SPDX expression",
     .example = R"(license = "Apache-2.0")"},
    {.name = "repository",
     .type = ValueType::text,
     .summary = "where its source is",
     .example = R"(repository = "https://example.org/my-pipeline")"},
});
constexpr TableSchema project_table = {project_keys};

constexpr std::array component_keys = std::to_array<KeySchema>({
    {.name = "name",
     .type = ValueType::name,
     .summary = "what nodes call it",
     .example = R"(name = "upper")",
     .required = true},
    {.name = "path",
     .type = ValueType::text,
     .summary = "its folder or source file, relative to the manifest",
     .example = R"(path = "components/upper")",
     .required = true,
     .minimum = 1},
    {.name = "language",
     .type = ValueType::choice,
     .summary = "what it is written in; found from its sources if left out",
     .example = R"(language = "cpp")",
     .choices = languages},
});
constexpr TableSchema component_table = {component_keys};

constexpr std::array torvyn_capability_keys = std::to_array<KeySchema>({
    {.name = "max-buffer-size",
     .type = ValueType::size,
     .summary = "the largest buffer a component may ask for",
     .example = R"(max-buffer-size = "16MiB")",
     .minimum = 1,
     .maximum = guest_bytes_max},
    {.name = "max-memory",
     .type = ValueType::size,
     .summary = "memory of one instance",
     .example = R"(max-memory = "64MiB")",
     .minimum = 1,
     .maximum = guest_bytes_max},
});
constexpr TableSchema torvyn_capability_table = {torvyn_capability_keys};

constexpr std::array capability_keys = std::to_array<KeySchema>({
    {.name = "torvyn",
     .type = ValueType::table,
     .summary = "what components ask of Torvyn itself",
     .example = "[capabilities.torvyn]",
     .table = &torvyn_capability_table},
});
constexpr TableSchema capability_table = {capability_keys};

constexpr std::array backpressure_keys = std::to_array<KeySchema>({
    {.name = "default_queue_depth",
     .type = ValueType::count,
     .summary = "elements a stream holds",
     .example = "default_queue_depth = 64",
     .minimum = 1,
     .maximum = queue_depth_max},
    queue_bytes_key,
    backpressure_policy_key,
    low_watermark_ratio_key,
});
constexpr TableSchema backpressure_table = {backpressure_keys};

constexpr std::uint64_t pool_buffers_max = 1 << 20;

constexpr std::array pool_keys = std::to_array<KeySchema>({
    {.name = "small_pool_size",
     .type = ValueType::count,
     .summary = "buffers of up to 4 KiB kept",
     .example = "small_pool_size = 4096",
     .minimum = 1,
     .maximum = pool_buffers_max},
    {.name = "medium_pool_size",
     .type = ValueType::count,
     .summary = "buffers of up to 64 KiB kept",
     .example = "medium_pool_size = 1024",
     .minimum = 1,
     .maximum = pool_buffers_max},
    {.name = "large_pool_size",
     .type = ValueType::count,
     .summary = "buffers of up to 1 MiB kept",
     .example = "large_pool_size = 256",
     .minimum = 1,
     .maximum = pool_buffers_max},
    {.name = "huge_pool_size",
     .type = ValueType::count,
     .summary = "larger buffers kept once made",
     .example = "huge_pool_size = 32",
     .minimum = 1,
     .maximum = pool_buffers_max},
    {.name = "exhaustion_policy",
     .type = ValueType::choice,
     .summary = "what happens where a pool is empty",
     .example = R"(exhaustion_policy = "error")",
     .choices = exhaustion_policies},
});
constexpr TableSchema pool_table = {pool_keys};

constexpr std::array runtime_keys = std::to_array<KeySchema>({
    {.name = "worker_threads",
     .type = ValueType::count,
     .summary = "threads that drive flows; 0 for as many as the process may use cores",
     .example = "worker_threads = 0",
     .maximum = worker_threads_max},
    {.name = "max_memory_per_component",
     .type = ValueType::size,
     .summary = "memories and tables of one instance together",
     .example = R"(max_memory_per_component = "64MiB")",
     .minimum = 1,
     .maximum = guest_bytes_max},
    {.name = "max_handles",
     .type = ValueType::count,
     .summary = "buffer handles one instance may hold",
     .example = "max_handles = 4096",
     .minimum = 1,
     .maximum = 65'536},
    {.name = "max_host_buffers",
     .type = ValueType::size,
     .summary = "bytes of buffers one instance may hold",
     .example = R"(max_host_buffers = "64MiB")",
     .minimum = 1,
     .maximum = host_bytes_max},
    {.name = "max_log",
     .type = ValueType::rate,
     .summary = "log and output of one instance, a second",
     .example = R"(max_log = "64KiB/s")",
     .minimum = 1,
     .maximum = guest_bytes_max},
    {.name = "invocation_timeout",
     .type = ValueType::duration,
     .summary = "guest time of one call",
     .example = R"(invocation_timeout = "1s")",
     .minimum = 1,
     .maximum = call_ns_max},
    {.name = "component_init_timeout",
     .type = ValueType::duration,
     .summary = "guest time of init",
     .example = R"(component_init_timeout = "5s")",
     .minimum = 1,
     .maximum = call_ns_max},
    {.name = "component_teardown_timeout",
     .type = ValueType::duration,
     .summary = "guest time of teardown",
     .example = R"(component_teardown_timeout = "2s")",
     .minimum = 1,
     .maximum = call_ns_max},
    {.name = "max_batch",
     .type = ValueType::count,
     .summary = "most elements handed to a stage at once",
     .example = "max_batch = 64",
     .minimum = 1,
     .maximum = 65'536},
    {.name = "max_batch_bytes",
     .type = ValueType::size,
     .summary = "most bytes handed to a stage at once",
     .example = R"(max_batch_bytes = "1MiB")",
     .minimum = 1,
     .maximum = guest_bytes_max},
    {.name = "max_instances",
     .type = ValueType::count,
     .summary = "instances of the whole host",
     .example = "max_instances = 16384",
     .minimum = 1,
     .maximum = 1 << 20},
    {.name = "compile_cache",
     .type = ValueType::flag,
     .summary = "keep compiled components on disk",
     .example = "compile_cache = true"},
    {.name = "backpressure",
     .type = ValueType::table,
     .summary = "what a stream holds where its edge says nothing else",
     .example = "[runtime.backpressure]",
     .table = &backpressure_table},
    {.name = "pools",
     .type = ValueType::table,
     .summary = "buffers kept for reuse",
     .example = "[runtime.pools]",
     .table = &pool_table},
});
constexpr TableSchema runtime_table = {runtime_keys};

constexpr std::array manifest_keys = std::to_array<KeySchema>({
    {.name = "torvyn",
     .type = ValueType::table,
     .summary = "the project",
     .example = "[torvyn]",
     .required = true,
     .table = &project_table},
    {.name = "component",
     .type = ValueType::table_list,
     .summary = "a component built from source",
     .example = "[[component]]",
     .table = &component_table},
    {.name = "capabilities",
     .type = ValueType::table,
     .summary = "what the components ask for",
     .example = "[capabilities.torvyn]",
     .table = &capability_table},
    {.name = "flow",
     .type = ValueType::table_map,
     .summary = "a pipeline",
     .example = "[flow.main]",
     .table = &flow_table},
    {.name = "runtime",
     .type = ValueType::table,
     .summary = "the runtime's settings",
     .example = "[runtime]",
     .table = &runtime_table},
});
constexpr TableSchema manifest_table = {manifest_keys};

}  // namespace

const KeySchema* TableSchema::find(std::string_view name) const noexcept {
  const auto key = std::ranges::find(keys, name, &KeySchema::name);
  return key == keys.end() ? nullptr : &*key;
}

const TableSchema& manifest_schema() noexcept { return manifest_table; }

}  // namespace torvyn::config
