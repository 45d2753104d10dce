// The stable error codes a user meets. A code is never reused; new ones go at the end of their range.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace torvyn {

// X(number, name, title): the title is one line, without a full stop, and names what went wrong rather than where.
#define TORVYN_ERROR_CODES(X)                                                    \
  X(1, manifest_not_found, "manifest not found")                                 \
  X(2, manifest_not_toml, "manifest is not TOML")                                \
  X(3, directory_not_empty, "directory not empty")                               \
  X(4, io_failed, "file or folder cannot be read or written")                    \
  X(5, pipeline_syntax, "pipeline string cannot be read")                        \
  X(6, usage, "wrong usage")                                                     \
  X(7, internal_error, "a defect in torvyn itself")                              \
  X(10, tool_missing, "a tool is missing")                                       \
  X(11, build_failed, "the compiler refused the source")                         \
  X(100, wit_syntax, "WIT syntax")                                               \
  X(101, wit_unresolved, "unresolved `use` or package in WIT")                   \
  X(102, no_torvyn_interface, "component or world exports no Torvyn interface")  \
  X(103, undeclared_capability, "import needs an undeclared capability")         \
  X(104, not_a_component, "not a WebAssembly component")                         \
  X(110, deprecated_contract, "deprecated contract version")                     \
  X(200, interfaces_incompatible, "interfaces incompatible")                     \
  X(201, version_incompatible, "contract versions not compatible")               \
  X(202, capability_not_granted, "capability not granted")                       \
  X(203, graph_invalid, "graph invalid")                                         \
  X(204, unknown_port, "router named an unknown port")                           \
  X(205, import_not_provided, "import nobody provides")                          \
  X(206, settings_without_lifecycle, "settings for a component that takes none") \
  X(207, unknown_flow_or_node, "unknown flow or node")                           \
  X(210, component_not_found, "component not found")                             \
  X(300, allocation_failed, "allocation failed")                                 \
  X(301, pool_exhausted, "buffer pool exhausted")                                \
  X(302, not_the_owner, "not the owner of this buffer")                          \
  X(303, stale_handle, "stale or invalid handle")                                \
  X(304, borrows_outstanding, "borrowed handles were not given back")            \
  X(305, capacity_exceeded, "capacity exceeded")                                 \
  X(310, memory_budget, "component memory budget exceeded")                      \
  X(311, host_memory_limit, "host memory limit reached")                         \
  X(312, instance_limit, "instance limit reached")                               \
  X(400, deadline_exceeded, "deadline exceeded")                                 \
  X(401, call_timed_out, "component call timed out")                             \
  X(402, flow_cancelled, "flow cancelled")                                       \
  X(403, element_failed, "component reported an error for an element")           \
  X(410, component_fatal, "component reported `fatal`")                          \
  X(411, init_failed, "component's `init` failed")                               \
  X(412, complete_failed, "component's `flush` or `complete` failed")            \
  X(420, component_trapped, "component trapped")                                 \
  X(421, restart_limit, "restart limit reached")                                 \
  X(500, capability_denied, "capability denied")                                 \
  X(501, sandbox_violation, "sandbox violation")                                 \
  X(502, beyond_ceiling, "beyond the machine's ceiling")                         \
  X(510, audit_failed, "audit log cannot be written")                            \
  X(520, address_in_use, "address in use or socket refused")                     \
  X(600, artifact_invalid, "artifact invalid")                                   \
  X(601, registry_credentials, "registry refused the credentials")               \
  X(602, push_failed, "push failed")                                             \
  X(603, signing_failed, "signing failed")                                       \
  X(604, signature_invalid, "signature missing or wrong")                        \
  X(700, wrong_type, "wrong type of value")                                      \
  X(701, unknown_key, "unknown key")                                             \
  X(702, out_of_range, "value out of range")                                     \
  X(703, reference_unfilled, "reference cannot be filled in")

// Stable numbers: `E0203` is `ErrorCode::graph_invalid`.
enum class ErrorCode : std::uint16_t {
#define TORVYN_CODE_ENUM(number, name, title) name = number,
  TORVYN_ERROR_CODES(TORVYN_CODE_ENUM)
#undef TORVYN_CODE_ENUM
};

// "E0203".
std::string code_string(ErrorCode code);
// "W0203": the same thing where it keeps nothing from working.
std::string warning_code_string(ErrorCode code);

// The code that `text` spells, as code_string does; nothing where it is none.
std::optional<ErrorCode> error_code_from(std::string_view text) noexcept;

// The one-line title of a code, for instance "graph invalid".
std::string_view code_title(ErrorCode code) noexcept;

}  // namespace torvyn
