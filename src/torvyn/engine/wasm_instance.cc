#include "torvyn/engine/wasm_instance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>
#include <tuple>
#include <utility>

#include "torvyn_bridge_values.h"

#include "torvyn/types/assert.h"
#include "torvyn/types/file.h"
#include "torvyn/types/short_bytes.h"

namespace torvyn::engine {

using bridge::bytes_of;
using bridge::text_of;
using bridge::view_of;
using contracts::Contract;
using contracts::Role;
using resources::AllocateStatus;
using resources::BufferAction;
using resources::BufferRef;
using resources::CopyKind;
using resources::HandleKind;
using resources::Rep;
using resources::TableStatus;

namespace {

// A per-element source is pulled on until about this long after the first element of a run.
constexpr std::uint64_t pull_window_ns = 50'000;
// Outputs of one batch or router call. A forwarded output costs its component four bytes and the host forty: without a limit a component
// could use up the host's memory. Far beyond what a run of the largest size can become in earnest.
constexpr std::uint64_t outputs_per_call_max = std::uint64_t{1} << 20;
// Handles an instance may hold between calls before it is said aloud: a component that keeps a few on purpose is not worth a word.
constexpr std::uint32_t handles_before_warning = 256;
// What sets the time of a call, for hints.
constexpr std::string_view call_timeout_setting = "the node's `timeout`";
constexpr std::string_view init_timeout_setting = "`component_init_timeout`";
constexpr std::string_view teardown_timeout_setting = "`component_teardown_timeout`";
// The reps of what is lent for one call and looked up in CallState. Buffers' reps come from the table.
constexpr Rep context_rep = 1;
constexpr Rep batch_rep = 2;
constexpr Rep writer_rep = 3;
// What a guest calls a port is told in an error, in so many bytes; and so many of its ports.
constexpr std::size_t told_port_bytes_max = 64;
constexpr std::size_t told_ports_max = 8;
constexpr std::string_view host_memory_hint =
    "raise max_memory in [runtime], run fewer flows beside each other, or give the components less (max_memory)";
constexpr std::string_view unknown_port_hint =
    "add an edge that leaves by that port, or have the component name another";

// What remains until a deadline, as the contract tells it: 0 = there is none, 1 = it is over.
std::uint64_t remaining_ns(std::uint64_t deadline_ns, std::uint64_t now_ns) noexcept {
  if (deadline_ns == 0) return 0;
  return deadline_ns > now_ns ? deadline_ns - now_ns : 1;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

// Between a panic and its trap lie half a dozen functions of Rust's own, which say nothing to whoever looks for the reason.
void drop_panic_frames(std::vector<std::string>& frames) {
  const auto panics = [](const std::string& frame) { return frame.find("panicking::") != std::string::npos; };
  const auto last = std::find_if(frames.rbegin(), frames.rend(), panics);
  frames.erase(frames.begin(), last.base());
}

std::string_view trap_name(std::uint32_t kind) noexcept {
  switch (kind) {
    case TVB_FAILURE_UNREACHABLE:
      return "unreachable";
    case TVB_FAILURE_STACK_OVERFLOW:
      return "stack-overflow";
    case TVB_FAILURE_MEMORY_BOUNDS:
      return "memory-out-of-bounds";
    case TVB_FAILURE_ARITHMETIC:
      return "arithmetic";
    case TVB_FAILURE_INDIRECT_CALL:
      return "indirect-call";
    case TVB_FAILURE_TIMEOUT:
      return "timeout";
    case TVB_FAILURE_STOPPED:
      return "stopped";
    case TVB_FAILURE_HANDLE:
      return "bad-handle";
    case TVB_FAILURE_BORROW:
      return "borrow-kept";
    case TVB_FAILURE_REFUSED:
      return "refused";
    case TVB_FAILURE_CONTRACT:
      return "contract-violation";
    case TVB_FAILURE_EXIT:
      return "exit";
    case TVB_FAILURE_WASI_HANDLES:
      return "handle-limit";
    case TVB_FAILURE_TRAP:
      return "trap";
    default:
      return "";
  }
}

}  // namespace

// The functions behind tvb_host. None throws: what they call is noexcept or bounded storage that was made before.
struct Callbacks {
  static WasmInstance& of(void* host) noexcept { return *static_cast<WasmInstance*>(host); }

  // Buffers.
  static const BufferRef* readable(WasmInstance& self, Rep rep) noexcept { return self.table_.readable(rep); }

  static std::uint32_t buffer_size(void* host, Rep rep, std::uint64_t* size) noexcept {
    WasmInstance& self = of(host);
    const BufferRef* buffer = readable(self, rep);
    if (buffer == nullptr) return self.refuse_table(TableStatus::stale);
    *size = buffer->size();
    return TVB_BUFFER_OK;
  }

  // A slice of a shared buffer has the content type of its element.
  static ContentTypeId content_type_of(const WasmInstance& self, const BufferRef& buffer) noexcept {
    const bool lent = self.call_.element != nullptr && &buffer == &self.call_.element->payload;
    return lent ? self.call_.element->meta.content_type : buffer.content_type();
  }

  static std::uint32_t buffer_content_type(void* host, Rep rep, tvb_view* text) noexcept {
    WasmInstance& self = of(host);
    const BufferRef* buffer = readable(self, rep);
    if (buffer == nullptr) return self.refuse_table(TableStatus::stale);
    *text = view_of(self.options_.content_types->text(content_type_of(self, *buffer)));
    return TVB_BUFFER_OK;
  }

  static tvb_view clipped(const BufferRef& buffer, std::uint64_t offset, std::uint64_t length) noexcept {
    const std::span<const std::byte> bytes = buffer.bytes();
    const std::uint64_t start = std::min<std::uint64_t>(offset, bytes.size());
    return view_of(bytes.subspan(start, std::min<std::uint64_t>(length, bytes.size() - start)));
  }

  static std::uint32_t buffer_read(void* host, Rep rep, std::uint64_t offset, std::uint64_t length,
                                   tvb_view* bytes) noexcept {
    WasmInstance& self = of(host);
    const BufferRef* buffer = readable(self, rep);
    if (buffer == nullptr) return self.refuse_table(TableStatus::stale);
    *bytes = clipped(*buffer, offset, length);
    self.copies_.record(CopyKind::guest_read, bytes->size);
    return TVB_BUFFER_OK;
  }

  static std::uint32_t buffer_drop(void* host, Rep rep) noexcept {
    WasmInstance& self = of(host);
    const TableStatus status = self.table_.drop(rep, HandleKind::buffer);
    return self.answer_of(status);
  }

  // Mutable buffers.
  static std::uint32_t mutable_allocate(void* host, std::uint64_t hint, Rep* rep) noexcept {
    return of(host).enter_mutable(hint, *rep);
  }

  static std::uint32_t mutable_clone(void* host, Rep source, Rep* rep) noexcept {
    WasmInstance& self = of(host);
    const BufferRef* from = readable(self, source);
    if (from == nullptr) return self.refuse_table(TableStatus::stale);
    // Kept: entering a handle may move the table's entries.
    const BufferRef kept = *from;
    const ContentTypeId content_type = content_type_of(self, *from);
    const std::uint32_t answer = self.enter_mutable(kept.size(), *rep);
    if (answer != TVB_BUFFER_OK) return answer;
    BufferRef* const entered = self.table_.writable(*rep);
    const bool written = entered != nullptr && entered->write(0, kept.bytes());
    TORVYN_ASSERT(written, "a new buffer is smaller than was asked for");
    entered->set_content_type(content_type);
    self.copies_.record(CopyKind::host_clone, kept.size());
    return TVB_BUFFER_OK;
  }

  // The buffer a guest is writing, or the answer that refuses.
  static BufferRef* writable(WasmInstance& self, Rep rep, std::uint32_t& answer) noexcept {
    BufferRef* buffer = self.table_.writable(rep);
    if (buffer == nullptr)
      answer = self.table_.spent(rep) ? self.refuse(ErrorCode::stale_handle, "the buffer was used after `freeze`")
                                      : self.refuse_table(TableStatus::stale);
    return buffer;
  }

  static std::uint32_t write(WasmInstance& self, BufferRef& buffer, std::uint64_t offset, tvb_view bytes) noexcept {
    if (offset > buffer.size()) return TVB_BUFFER_OUT_OF_BOUNDS;
    if (!buffer.write(offset, bytes_of(bytes))) return TVB_BUFFER_CAPACITY_EXCEEDED;
    self.copies_.record(CopyKind::guest_write, bytes.size);
    return TVB_BUFFER_OK;
  }

  static std::uint32_t mutable_write(void* host, Rep rep, std::uint64_t offset, tvb_view bytes) noexcept {
    WasmInstance& self = of(host);
    std::uint32_t answer = TVB_BUFFER_OK;
    BufferRef* buffer = writable(self, rep, answer);
    return buffer == nullptr ? answer : write(self, *buffer, offset, bytes);
  }

  static std::uint32_t mutable_append(void* host, Rep rep, tvb_view bytes) noexcept {
    WasmInstance& self = of(host);
    std::uint32_t answer = TVB_BUFFER_OK;
    BufferRef* buffer = writable(self, rep, answer);
    return buffer == nullptr ? answer : write(self, *buffer, buffer->size(), bytes);
  }

  static std::uint32_t mutable_size(void* host, Rep rep, std::uint64_t* size) noexcept {
    std::uint32_t answer = TVB_BUFFER_OK;
    const BufferRef* buffer = writable(of(host), rep, answer);
    if (buffer != nullptr) *size = buffer->size();
    return answer;
  }

  static std::uint32_t mutable_capacity(void* host, Rep rep, std::uint64_t* capacity) noexcept {
    std::uint32_t answer = TVB_BUFFER_OK;
    const BufferRef* buffer = writable(of(host), rep, answer);
    if (buffer != nullptr) *capacity = buffer->capacity();
    return answer;
  }

  static std::uint32_t intern(WasmInstance& self, tvb_view text, ContentTypeId& id) noexcept {
    id = self.intern(text_of(text));
    if (id != resources::content_type_rejected) return TVB_BUFFER_OK;
    return self.refuse(ErrorCode::capacity_exceeded, "content type too long, or too many different ones");
  }

  static std::uint32_t mutable_set_content_type(void* host, Rep rep, tvb_view text) noexcept {
    WasmInstance& self = of(host);
    std::uint32_t answer = TVB_BUFFER_OK;
    BufferRef* buffer = writable(self, rep, answer);
    if (buffer == nullptr) return answer;
    ContentTypeId id = 0;
    answer = intern(self, text, id);
    if (answer == TVB_BUFFER_OK) buffer->set_content_type(id);
    return answer;
  }

  static std::uint32_t mutable_freeze(void* host, Rep rep, Rep* frozen) noexcept {
    WasmInstance& self = of(host);
    std::uint32_t answer = TVB_BUFFER_OK;
    if (writable(self, rep, answer) == nullptr) return answer;
    const TableStatus status = self.table_.freeze(rep, *frozen);
    return self.answer_of(status);
  }

  static std::uint32_t mutable_drop(void* host, Rep rep) noexcept {
    WasmInstance& self = of(host);
    const TableStatus status = self.table_.drop(rep, HandleKind::mutable_buffer);
    return self.answer_of(status);
  }

  // The flow context: one a call.
  static std::uint32_t context_trace_id(void* host, Rep, std::uint8_t* out) noexcept {
    of(host).options_.trace_id.write_hex(reinterpret_cast<char*>(out));
    return TVB_BUFFER_OK;
  }
  static std::uint32_t context_span_id(void* host, Rep, std::uint8_t* out) noexcept {
    of(host).options_.span_id.write_hex(reinterpret_cast<char*>(out));
    return TVB_BUFFER_OK;
  }
  static std::uint32_t context_deadline_ns(void* host, Rep, std::uint64_t* out) noexcept {
    const WasmInstance& self = of(host);
    *out = remaining_ns(self.call_.element->meta.deadline_ns, self.options_.clock->monotonic_ns());
    return TVB_BUFFER_OK;
  }
  static std::uint32_t context_flow_id(void* host, Rep, tvb_view* text) noexcept {
    *text = view_of(of(host).options_.flow);
    return TVB_BUFFER_OK;
  }

  // The run of a batch call.
  static std::uint32_t check_batch(WasmInstance& self, Rep rep) noexcept {
    if (rep == batch_rep && self.call_.reading) return TVB_BUFFER_OK;
    return self.refuse_table(TableStatus::stale);
  }
  static std::uint32_t check_index(WasmInstance& self, Rep rep, std::uint32_t index) noexcept {
    const std::uint32_t answer = check_batch(self, rep);
    if (answer != TVB_BUFFER_OK || index < self.call_.run.size()) return answer;
    return self.refuse(ErrorCode::sandbox_violation,
                       fmt::format("element {} of a run of {}", index, self.call_.run.size()));
  }

  static std::uint32_t batch_count(void* host, Rep rep, std::uint32_t* count) noexcept {
    WasmInstance& self = of(host);
    *count = static_cast<std::uint32_t>(self.call_.run.size());
    return check_batch(self, rep);
  }

  static std::uint32_t batch_read(void* host, Rep rep, tvb_view* bytes, const std::uint32_t** ends,
                                  std::uint64_t* count) noexcept {
    WasmInstance& self = of(host);
    const std::uint32_t answer = check_batch(self, rep);
    if (answer != TVB_BUFFER_OK) return answer;
    if (!self.read_run(*bytes)) return self.refuse(ErrorCode::capacity_exceeded, "the run is larger than 4 GiB");
    *ends = self.ends_.data();
    *count = self.ends_.size();
    self.copies_.record(CopyKind::guest_read, bytes->size);
    return TVB_BUFFER_OK;
  }

  static std::uint32_t batch_read_one(void* host, Rep rep, std::uint32_t index, std::uint64_t offset,
                                      std::uint64_t length, tvb_view* bytes) noexcept {
    WasmInstance& self = of(host);
    const std::uint32_t answer = check_index(self, rep, index);
    if (answer != TVB_BUFFER_OK) return answer;
    *bytes = clipped(self.call_.run[index].payload, offset, length);
    self.copies_.record(CopyKind::guest_read, bytes->size);
    return TVB_BUFFER_OK;
  }

  static std::uint32_t batch_sizes(void* host, Rep rep, const std::uint64_t** sizes, std::uint64_t* count) noexcept {
    WasmInstance& self = of(host);
    self.sizes_.clear();
    for (const Element& element : self.call_.run) self.sizes_.push_back(element.payload.size());
    *sizes = self.sizes_.data();
    *count = self.sizes_.size();
    return check_batch(self, rep);
  }

  // Content types of the run, numbered as they first appear; the index of `id` in them.
  static std::uint32_t content_type_index(WasmInstance& self, ContentTypeId id) noexcept {
    auto& ids = self.content_type_ids_;
    // Runs have one or two: a search from the back finds it at once.
    for (std::size_t i = ids.size(); i-- > 0;)
      if (ids[i] == id) return static_cast<std::uint32_t>(i);
    ids.push_back(id);
    return static_cast<std::uint32_t>(ids.size() - 1);
  }

  static std::uint32_t batch_metas(void* host, Rep rep, const tvb_batch_meta** metas, std::uint64_t* count) noexcept {
    WasmInstance& self = of(host);
    self.metas_.clear();
    self.content_type_ids_.clear();
    const std::uint64_t now_ns = self.options_.clock->monotonic_ns();
    for (const Element& element : self.call_.run)
      self.metas_.push_back({.sequence = element.meta.sequence,
                             .timestamp_ns = element.meta.timestamp_ns,
                             .deadline_ns = remaining_ns(element.meta.deadline_ns, now_ns),
                             .content_type = content_type_index(self, element.meta.content_type),
                             .reserved = 0});
    *metas = self.metas_.data();
    *count = self.metas_.size();
    return check_batch(self, rep);
  }

  static std::uint32_t batch_content_types(void* host, Rep rep, const tvb_view** texts, std::uint64_t* count) noexcept {
    WasmInstance& self = of(host);
    self.content_type_ids_.clear();
    self.content_type_views_.clear();
    for (const Element& element : self.call_.run) content_type_index(self, element.meta.content_type);
    for (const ContentTypeId id : self.content_type_ids_)
      self.content_type_views_.push_back(view_of(self.options_.content_types->text(id)));
    *texts = self.content_type_views_.data();
    *count = self.content_type_views_.size();
    return check_batch(self, rep);
  }

  static std::uint32_t batch_flow_id(void* host, Rep rep, tvb_view* text) noexcept {
    *text = view_of(of(host).options_.flow);
    return check_batch(of(host), rep);
  }
  static std::uint32_t batch_trace_id(void* host, Rep rep, std::uint32_t index, std::uint8_t* out) noexcept {
    of(host).options_.trace_id.write_hex(reinterpret_cast<char*>(out));
    return check_index(of(host), rep, index);
  }
  static std::uint32_t batch_span_id(void* host, Rep rep, std::uint8_t* out) noexcept {
    of(host).options_.span_id.write_hex(reinterpret_cast<char*>(out));
    return check_batch(of(host), rep);
  }

  static std::uint32_t check_writer(WasmInstance& self, Rep rep) noexcept {
    if (rep == writer_rep && self.call_.writing) return TVB_BUFFER_OK;
    return self.refuse_table(TableStatus::stale);
  }

  static std::uint32_t writer_emit(void* host, Rep rep, tvb_view bytes, const std::uint32_t* ends, std::uint64_t count,
                                   const std::uint32_t* origins, std::uint64_t origin_count) noexcept {
    const std::uint32_t answer = check_writer(of(host), rep);
    return answer == TVB_BUFFER_OK ? of(host).emit(bytes, ends, count, origins, origin_count) : answer;
  }

  static std::uint32_t writer_forward(void* host, Rep rep, tvb_view port, const std::uint32_t* indices,
                                      std::uint64_t count) noexcept {
    const std::uint32_t answer = check_writer(of(host), rep);
    return answer == TVB_BUFFER_OK ? of(host).forward(text_of(port), indices, count) : answer;
  }

  static std::uint32_t writer_set_content_type(void* host, Rep rep, tvb_view text) noexcept {
    WasmInstance& self = of(host);
    std::uint32_t answer = check_writer(self, rep);
    ContentTypeId id = 0;
    if (answer == TVB_BUFFER_OK) answer = intern(self, text, id);
    if (answer == TVB_BUFFER_OK) self.call_.content_type = id;
    return answer;
  }

  static void log(void* host, std::uint32_t level, tvb_view text) noexcept {
    of(host).log_.message(static_cast<Severity>(std::min<std::uint32_t>(level, 4)), text_of(text));
  }
  static void output(void* host, std::uint32_t stream, tvb_view bytes) noexcept {
    WasmInstance& self = of(host);
    const security::Sandbox& sandbox = self.guard_.sandbox();
    const bool error_stream = stream == 2;
    if (!(error_stream ? sandbox.standard_error : sandbox.standard_output)) {
      self.log_.output(stream, text_of(bytes));
      return;
    }
    // Whoever reads may have gone away: as with any program, that is not the component's concern.
    std::ignore = write_all(error_stream ? self.options_.stderr_fd : self.options_.stdout_fd, bytes_of(bytes));
  }
  static std::uint32_t denied(void* host, tvb_view capability, tvb_view function) noexcept {
    WasmInstance& self = of(host);
    self.denied_capability_.assign(text_of(capability));
    if (!self.guard_.accessed(text_of(capability), text_of(function), {}, false)) return self.refuse_unrecorded();
    return self.refuse(ErrorCode::capability_denied,
                       fmt::format("the component called `{}`, which needs the capability `{}`, and was not granted it",
                                   text_of(function), text_of(capability)));
  }
  static std::uint32_t accessed(void* host, tvb_view capability, tvb_view function, tvb_view target,
                                bool allowed) noexcept {
    WasmInstance& self = of(host);
    const bool recorded = self.guard_.accessed(text_of(capability), text_of(function), text_of(target), allowed);
    if (!recorded) return self.refuse_unrecorded();
    return TVB_BUFFER_OK;
  }
  static bool may_look_up(void* host, tvb_view name) noexcept { return of(host).guard_.may_look_up(text_of(name)); }
  static void looked_up(void* host, tvb_view name, const tvb_address* address) noexcept {
    of(host).guard_.looked_up(text_of(name), ip_of(*address));
  }
  // From any thread: of the instance it uses the guard alone.
  static bool check_address(void* host, std::uint32_t use, const tvb_address* address) noexcept {
    return of(host).guard_.allows(static_cast<security::AddressUse>(use), {ip_of(*address), address->port});
  }
  static bool may_request(void* host, tvb_view name, std::uint16_t port) noexcept {
    return of(host).guard_.may_request(text_of(name), port);
  }
  static bool may_reach(void* host, tvb_view name, const tvb_address* address) noexcept {
    return of(host).guard_.may_reach(text_of(name), {ip_of(*address), address->port});
  }
  static security::IpAddress ip_of(const tvb_address& address) noexcept {
    security::IpAddress ip{.is_v6 = address.is_v6};
    std::ranges::copy(address.ip, ip.bytes.begin());
    return ip;
  }
  static bool has_capability(void* host, tvb_view name) noexcept {
    return of(host).guard_.sandbox().allows(text_of(name));
  }
  static void refusal(void* host, tvb_view* text) noexcept { *text = view_of(of(host).refusal_); }

  struct PortSink {
    WasmInstance* self;
    const Element* element;
    Run* out;
  };
  static void port(void* user, tvb_view name) noexcept {
    auto& sink = *static_cast<PortSink*>(user);
    sink.self->append_port(text_of(name), *sink.element, *sink.out);
  }

  struct FlushSink {
    WasmInstance* self;
    Run* out;
    bool accepted;
  };
  static void flushed(void* user, const tvb_element_out* element) noexcept {
    auto& sink = *static_cast<FlushSink*>(user);
    sink.accepted = sink.self->accept_output(*element, nullptr, *sink.out) && sink.accepted;
  }
};

const tvb_host& instance_callbacks() noexcept {
  static constexpr tvb_host callbacks{
      .buffer_size = Callbacks::buffer_size,
      .buffer_content_type = Callbacks::buffer_content_type,
      .buffer_read = Callbacks::buffer_read,
      .buffer_drop = Callbacks::buffer_drop,
      .mutable_allocate = Callbacks::mutable_allocate,
      .mutable_clone = Callbacks::mutable_clone,
      .mutable_write = Callbacks::mutable_write,
      .mutable_append = Callbacks::mutable_append,
      .mutable_size = Callbacks::mutable_size,
      .mutable_capacity = Callbacks::mutable_capacity,
      .mutable_set_content_type = Callbacks::mutable_set_content_type,
      .mutable_freeze = Callbacks::mutable_freeze,
      .mutable_drop = Callbacks::mutable_drop,
      .context_trace_id = Callbacks::context_trace_id,
      .context_span_id = Callbacks::context_span_id,
      .context_deadline_ns = Callbacks::context_deadline_ns,
      .context_flow_id = Callbacks::context_flow_id,
      .batch_count = Callbacks::batch_count,
      .batch_read = Callbacks::batch_read,
      .batch_read_one = Callbacks::batch_read_one,
      .batch_sizes = Callbacks::batch_sizes,
      .batch_metas = Callbacks::batch_metas,
      .batch_content_types = Callbacks::batch_content_types,
      .batch_flow_id = Callbacks::batch_flow_id,
      .batch_trace_id = Callbacks::batch_trace_id,
      .batch_span_id = Callbacks::batch_span_id,
      .writer_emit = Callbacks::writer_emit,
      .writer_forward = Callbacks::writer_forward,
      .writer_set_content_type = Callbacks::writer_set_content_type,
      .log = Callbacks::log,
      .output = Callbacks::output,
      .denied = Callbacks::denied,
      .accessed = Callbacks::accessed,
      .may_look_up = Callbacks::may_look_up,
      .looked_up = Callbacks::looked_up,
      .check_address = Callbacks::check_address,
      .may_request = Callbacks::may_request,
      .may_reach = Callbacks::may_reach,
      .has_capability = Callbacks::has_capability,
      .refusal = Callbacks::refusal,
  };
  return callbacks;
}

// ---- answers ------------------------------------------------------------------------------------------------------------

std::uint32_t WasmInstance::refuse(ErrorCode code, std::string_view text) noexcept {
  refusal_.assign(text);
  return TVB_REFUSED + static_cast<std::uint32_t>(code);
}

std::uint32_t WasmInstance::refuse_unrecorded() noexcept {
  return refuse(ErrorCode::audit_failed, guard_.failure().message());
}

std::uint32_t WasmInstance::answer_of(TableStatus status) noexcept {
  if (status != TableStatus::ok) return refuse_table(status);
  return TVB_BUFFER_OK;
}

std::uint32_t WasmInstance::refuse_table(TableStatus status) noexcept {
  switch (status) {
    case TableStatus::too_many:
      return refuse(ErrorCode::capacity_exceeded,
                    fmt::format("the component holds {} handles, its limit (max_handles)", table_.held()));
    case TableStatus::over_budget:
      return refuse(ErrorCode::memory_budget,
                    fmt::format("the component holds {} bytes of buffers, its limit is {} (max_host_buffers)",
                                table_.held_bytes(), options_.holdings.buffer_bytes));
    case TableStatus::wrong_state:
      return refuse(ErrorCode::not_the_owner, "the buffer is not in a state that allows this");
    case TableStatus::stale:
    case TableStatus::ok:
      break;
  }
  return refuse(ErrorCode::stale_handle, "the handle names nothing this component holds");
}

std::uint32_t WasmInstance::allocate(std::uint64_t bytes, BufferRef& buffer) noexcept {
  switch (options_.pool->allocate(bytes, buffer)) {
    case AllocateStatus::ok:
      return TVB_BUFFER_OK;
    case AllocateStatus::too_large:
      return TVB_BUFFER_CAPACITY_EXCEEDED;
    case AllocateStatus::exhausted:
      refuse(ErrorCode::pool_exhausted, "the buffer pool is used up (exhaustion_policy = \"error\")");
      break;
    case AllocateStatus::no_memory:
      refuse(ErrorCode::allocation_failed, "the machine has no memory left");
      break;
  }
  return TVB_BUFFER_ALLOCATION_FAILED;
}

std::uint32_t WasmInstance::enter_mutable(std::uint64_t capacity_hint, Rep& rep) noexcept {
  const std::uint64_t max_bytes = options_.pool->max_buffer_bytes();
  if (capacity_hint > max_bytes) return TVB_BUFFER_CAPACITY_EXCEEDED;
  const TableStatus admitted = table_.admits(capacity_hint);
  if (admitted != TableStatus::ok) {
    refuse_table(admitted);
    return TVB_BUFFER_ALLOCATION_FAILED;
  }
  BufferRef buffer;
  const std::uint32_t answer = allocate(capacity_hint, buffer);
  if (answer != TVB_BUFFER_OK) return answer;
  const TableStatus entered = table_.add_mutable(std::move(buffer), rep);
  if (entered == TableStatus::ok) return TVB_BUFFER_OK;
  refuse_table(entered);
  return TVB_BUFFER_ALLOCATION_FAILED;
}

bool WasmInstance::has_room_for(std::uint64_t outputs) const noexcept {
  return call_.out->size() - call_.out_start + outputs <= outputs_per_call_max;
}

std::uint32_t WasmInstance::refuse_outputs() noexcept {
  return refuse(ErrorCode::capacity_exceeded, fmt::format("more than {} outputs in one call", outputs_per_call_max));
}

// One read takes the whole run: straight from the buffer where its elements lie one after the other, gathered where they don't.
bool WasmInstance::read_run(tvb_view& bytes) noexcept {
  ends_.clear();
  std::uint64_t end = 0;
  bool adjacent = true;
  const BufferRef* previous = nullptr;
  for (const Element& element : call_.run) {
    const BufferRef& payload = element.payload;
    adjacent = adjacent && (previous == nullptr || (payload.same_buffer(*previous) &&
                                                    payload.offset() == previous->offset() + previous->size()));
    previous = &payload;
    end += payload.size();
    ends_.push_back(static_cast<std::uint32_t>(end));
  }
  if (end > resources::buffer_bytes_max) return false;
  if (adjacent) {
    bytes = {reinterpret_cast<const std::uint8_t*>(call_.run.front().payload.bytes().data()), end};
    return true;
  }
  gathered_.resize(end);
  std::byte* to = gathered_.data();
  for (const Element& element : call_.run) {
    const std::span<const std::byte> part = element.payload.bytes();
    std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  copies_.record(CopyKind::host_gather, end);
  bytes = view_of(std::span<const std::byte>(gathered_));
  return true;
}

std::uint32_t WasmInstance::emit(tvb_view bytes, const std::uint32_t* ends, std::uint64_t count,
                                 const std::uint32_t* origins, std::uint64_t origin_count) noexcept {
  const auto wrong = [this](std::string_view text) { return refuse(ErrorCode::sandbox_violation, text); };
  if (bytes.size > options_.pool->max_buffer_bytes()) return TVB_BUFFER_CAPACITY_EXCEEDED;
  if (count > resources::buffer_bytes_max) return TVB_BUFFER_CAPACITY_EXCEEDED;
  const auto outputs = static_cast<std::uint32_t>(count);
  if ((outputs == 0 ? 0 : ends[outputs - 1]) != bytes.size)
    return wrong(fmt::format("emit: `ends` does not end where `bytes` does, at {}", bytes.size));
  for (std::uint32_t i = 1; i < outputs; ++i)
    if (ends[i] < ends[i - 1]) return wrong(fmt::format("emit: `ends` falls at output {}", i));
  const bool one_to_one = call_.charged && origin_count == 0;
  if (one_to_one && outputs != call_.run.size())
    return wrong(fmt::format("emit: {} outputs without `origins` for a run of {}", outputs, call_.run.size()));
  if (!call_.charged && origin_count != 0) return wrong("emit: `origins` where there are no inputs to charge");
  if (call_.charged && origin_count != 0) {
    if (origin_count != count) return wrong(fmt::format("emit: {} `origins` for {} outputs", origin_count, count));
    for (std::uint32_t i = 0; i < outputs; ++i)
      if (origins[i] >= call_.run.size() || (i != 0 && origins[i] < origins[i - 1]))
        return wrong(fmt::format("emit: `origins` falls or leaves the run at output {}", i));
  }
  if (!has_room_for(outputs)) return refuse_outputs();
  if (call_.pull_max != 0 && call_.out->size() - call_.out_start + outputs > call_.pull_max)
    return wrong(fmt::format("emit: more than the {} elements that were asked for", call_.pull_max));
  if (outputs == 0) return TVB_BUFFER_OK;

  BufferRef buffer;
  const std::uint32_t answer = allocate(bytes.size, buffer);
  if (answer != TVB_BUFFER_OK) return answer;
  if (bytes.size != 0) std::memcpy(buffer.writable().data(), bytes.data, bytes.size);
  buffer.set_size(static_cast<std::uint32_t>(bytes.size));
  copies_.record(CopyKind::guest_write, bytes.size);
  buffer.set_content_type(call_.content_type.value_or(call_.charged ? call_.run.front().meta.content_type : 0));
  const bool published = buffer.apply(BufferAction::publish);
  TORVYN_ASSERT(published, "a new buffer could not be published");

  buffer.reserve_references(outputs);
  std::uint32_t start = 0;
  for (std::uint32_t i = 0; i < outputs; ++i) {
    Element& output = call_.out->emplace_back();
    output.payload = buffer.adopt_slice(start, ends[i] - start);
    start = ends[i];
    if (call_.charged) {
      const Element& input = call_.run[one_to_one ? i : origins[i]];
      output.meta = input.meta;
      output.lineage = input.lineage;
    }
    if (call_.content_type) output.meta.content_type = *call_.content_type;
  }
  return TVB_BUFFER_OK;
}

std::uint32_t WasmInstance::forward(std::string_view port, const std::uint32_t* indices, std::uint64_t count) noexcept {
  const std::optional<std::uint16_t> index = find_port(port);
  if (!index) return refuse(ErrorCode::unknown_port, "forward-to: " + unknown_port(port));
  for (std::uint64_t i = 0; i < count; ++i)
    if (indices[i] >= call_.run.size() || (i != 0 && indices[i] < indices[i - 1]))
      return refuse(ErrorCode::sandbox_violation, fmt::format("forward: `indices` falls or leaves the run at {}", i));
  if (!has_room_for(count)) return refuse_outputs();
  for (std::uint64_t i = 0; i < count; ++i) call_.out->emplace_back(call_.run[indices[i]]).port = *index;
  return TVB_BUFFER_OK;
}

// ---- life ---------------------------------------------------------------------------------------------------------------

WasmInstance::WasmInstance(std::shared_ptr<void> keep_alive, Ticker& ticker, const InstanceOptions& options,
                           std::string component_name)
    : keep_alive_(std::move(keep_alive)),
      ticker_(ticker),
      options_(options),
      component_name_(std::move(component_name)),
      guard_(options.sandbox, {.flow = options.flow,
                               .node = options.node,
                               .component = component_name_,
                               .audit = options.audit,
                               .events = options.events}),
      table_(options.holdings),
      log_(options.events, options.clock, options.node, options.max_log_bytes_per_s) {
  if (options_.role != Role::router) options_.ports = {"output"};
  TORVYN_ASSERT(options_.ports.size() <= std::numeric_limits<std::uint16_t>::max(),
                "more ports than can be told apart");
}

Result<std::unique_ptr<Instance>> WasmInstance::create(tvb_component* component, std::shared_ptr<void> keep_alive,
                                                       Ticker& ticker, const InstanceOptions& options,
                                                       std::string component_name) {
  std::unique_ptr<WasmInstance> self(
      new WasmInstance(std::move(keep_alive), ticker, options, std::move(component_name)));
  TORVYN_TRY(self->guard_.begin());
  const security::Sandbox& sandbox = self->guard_.sandbox();
  std::vector<tvb_folder> folders;
  for (const security::Folder& folder : sandbox.folders)
    folders.push_back({view_of(folder.guest_path), view_of(folder.host_path.native()), folder.writable});
  std::vector<tvb_variable> variables;
  for (const security::Variable& variable : sandbox.environment)
    variables.push_back({view_of(variable.name), view_of(variable.value)});
  // As any program, it is told its own name first.
  std::vector<tvb_view> arguments{view_of(options.node)};
  for (const std::string& argument : sandbox.arguments) arguments.push_back(view_of(argument));
  const security::NetworkRules& network = sandbox.network;
  const tvb_instance_options raw{
      .max_memory_bytes = options.max_memory_bytes,
      .stop = self->stop_.get(),
      .start_ticks_max = self->allow(options.init_timeout_ns, init_timeout_setting),
      .grants = {.folders = folders.data(),
                 .folder_count = folders.size(),
                 .variables = variables.data(),
                 .variable_count = variables.size(),
                 .arguments = arguments.data(),
                 .argument_count = sandbox.arguments.empty() ? 0 : arguments.size(),
                 .handles_max = options.holdings.handles,
                 .clocks = sandbox.clocks,
                 .random = sandbox.random,
                 .tcp = network.tcp_connect.granted || network.tcp_listen.granted,
                 .udp = network.udp.granted,
                 .stdin_open = sandbox.standard_input},
  };
  tvb_failure failure{};
  ticker.enter();
  const tvb_status status = tvb_instance_new(component, self.get(), &raw, &self->instance_, &failure);
  ticker.leave();
  if (status != TVB_OK) {
    Error error = self->failure_error(failure);
    tvb_failure_free(&failure);
    return fail(std::move(error));
  }
  self->functions_ = tvb_instance_functions(self->instance_);
  return std::unique_ptr<Instance>(std::move(self));
}

WasmInstance::~WasmInstance() {
  log_.finish_lines();
  tvb_instance_free(instance_);
  const std::uint32_t kept = table_.sweep();
  if (kept != 0 && !warned_of_handles_ && !failure_)
    options_.events->event(Severity::warn, "W0300", options_.node,
                           fmt::format("the component ended with {} buffer handles it had not dropped", kept));
}

void WasmInstance::stop() noexcept {
  stopped_.store(true, std::memory_order_relaxed);
  tvb_stop_raise(stop_.get());
}

std::uint64_t WasmInstance::allow(std::uint64_t timeout_ns, std::string_view setting) noexcept {
  timeout_ns_ = timeout_ns;
  timeout_setting_ = setting;
  return std::max<std::uint64_t>(1, timeout_ns / tick_ns);
}

std::uint64_t WasmInstance::allow_call() noexcept { return allow(options_.call_timeout_ns, call_timeout_setting); }

std::uint64_t WasmInstance::memory_bytes() const noexcept { return tvb_instance_memory(instance_); }

Error WasmInstance::failure_error(const tvb_failure& failure) const {
  ErrorCode code = ErrorCode::component_trapped;
  std::string message(text_of(failure.message));
  std::string hint;
  switch (failure.kind) {
    case TVB_FAILURE_PANIC:
      code = ErrorCode::internal_error;
      message = "the engine bridge panicked: " + message;
      hint = "please report this, with the component";
      break;
    case TVB_FAILURE_IMPORT:
      code = ErrorCode::import_not_provided;
      break;
    case TVB_FAILURE_FOLDER:
      code = ErrorCode::io_failed;
      hint = "grant a folder that is there, or make it before the flow starts";
      break;
    case TVB_FAILURE_EXPORT:
      code = ErrorCode::interfaces_incompatible;
      hint = "rebuild the component against the contract's WIT packages";
      break;
    case TVB_FAILURE_LIMIT:
      code = failure.memory_grow_failed != 0 ? ErrorCode::memory_budget : ErrorCode::instance_limit;
      if (failure.engine_memory_full) {
        code = ErrorCode::host_memory_limit;
        message = fmt::format(
            "there is no memory left for another component: all of them together reached their limit: {}", message);
        hint = host_memory_hint;
      } else if (code == ErrorCode::memory_budget) {
        message = fmt::format("the component needs more memory to start than its limit of {} bytes allows: {}",
                              options_.max_memory_bytes, message);
        hint = "raise max_memory for this node";
      }
      break;
    case TVB_FAILURE_TIMEOUT:
      code = ErrorCode::call_timed_out;
      message =
          fmt::format("the call used more than its {} ms of time", std::max<std::uint64_t>(1, timeout_ns_ / 1'000'000));
      hint = fmt::format("if the work takes that long, raise {}; else look for an endless loop", timeout_setting_);
      break;
    case TVB_FAILURE_STOPPED:
      code = ErrorCode::flow_cancelled;
      break;
    case TVB_FAILURE_HANDLE:
      code = ErrorCode::stale_handle;
      message = "the component used a handle that is not, or no longer, its own: " + message;
      break;
    case TVB_FAILURE_BORROW:
      code = ErrorCode::borrows_outstanding;
      hint = "drop payload and context before returning";
      break;
    case TVB_FAILURE_REFUSED:
      code = static_cast<ErrorCode>(failure.refusal_code);
      if (code == ErrorCode::audit_failed)
        hint = "make room for the audit log, or see `audit_on_failure` in [security]";
      if (code == ErrorCode::unknown_port) hint = unknown_port_hint;
      if (code == ErrorCode::capability_denied)
        hint = fmt::format("grant it: capabilities = [\"{}\"] in [security.grants.\"{}\"]", denied_capability_,
                           std::filesystem::path(component_name_).filename().string());
      break;
    case TVB_FAILURE_WASI_HANDLES:
      code = ErrorCode::capacity_exceeded;
      message = fmt::format("the component holds {} files, sockets and streams of WASI, its limit (max_handles)",
                            options_.holdings.handles);
      hint = "raise max_handles for this node if it needs that many; else look for what it does not close";
      break;
    case TVB_FAILURE_UNREACHABLE:
      message = "the component gave up: it ran into an `unreachable` instruction";
      break;
    case TVB_FAILURE_STACK_OVERFLOW:
      message = "the component's call stack is used up: recursion too deep, or without an end";
      break;
    default:
      break;
  }
  // A panic ends in an `unreachable`, an `abort` or an exit; any other trap has its own reason.
  const bool gave_up =
      failure.kind == TVB_FAILURE_UNREACHABLE || failure.kind == TVB_FAILURE_TRAP || failure.kind == TVB_FAILURE_EXIT;
  const LastWords* words = gave_up && log_.last_words() ? &*log_.last_words() : nullptr;
  if (words != nullptr) message = fmt::format("{} panicked: {}", options_.node, words->message);
  if (failure.memory_grow_failed != 0 && failure.engine_memory_full && code == ErrorCode::component_trapped) {
    code = ErrorCode::host_memory_limit;
    message += fmt::format(
        "; before that it asked for {} more bytes of memory in vain: all components together reached "
        "their limit",
        failure.memory_grow_failed);
    hint = host_memory_hint;
  } else if (failure.memory_grow_failed != 0 && code == ErrorCode::component_trapped) {
    message +=
        fmt::format("; before that it asked for {} more bytes of memory in vain (it has {} of {})",
                    failure.memory_grow_failed, instance_ != nullptr ? memory_bytes() : 0, options_.max_memory_bytes);
    hint = "raise max_memory for this node if the component needs that much";
  }
  Error error(code, std::move(message), std::move(hint));
  ErrorDetail& detail = error.detail();
  detail.guest_backtrace = split_lines(text_of(failure.backtrace));
  if (words != nullptr) {
    drop_panic_frames(detail.guest_backtrace);
    if (!words->place.empty()) detail.guest_backtrace.insert(detail.guest_backtrace.begin(), "at " + words->place);
  }
  detail.guest_lines = log_.last_lines();
  detail.trap_kind = trap_name(failure.kind);
  return error;
}

Error WasmInstance::failure() const {
  TORVYN_ASSERT(failure_.has_value(), "asked why an instance ended that has not");
  return *failure_;
}

void WasmInstance::end_with(ErrorCode code, std::string message, std::string hint) noexcept {
  if (failure_) return;  // the first reason is the reason
  failure_.emplace(code, std::move(message), std::move(hint));
  failure_->detail().guest_lines = log_.last_lines();
}

void WasmInstance::keep_guest_error() noexcept {
  error_kind_ = static_cast<ProcessErrorKind>(std::min<std::uint32_t>(raw_error_.kind, 4));
  error_text_.assign(cut_text(text_of(raw_error_.text), guest_line_bytes_max));
}

// ---- calls --------------------------------------------------------------------------------------------------------------

namespace {

// A guest is running: the ticker must be awake.
class Running {
 public:
  explicit Running(Ticker& ticker) noexcept : ticker_(ticker) { ticker_.enter(); }
  ~Running() { ticker_.leave(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  Ticker& ticker_;
};

}  // namespace

CallOutcome WasmInstance::outcome_of(tvb_status status, std::uint32_t done) noexcept {
  switch (status) {
    case TVB_OK:
    case TVB_NOTHING:
      return {CallStatus::ok, done};
    case TVB_PAUSE:
      return {CallStatus::pause, done};
    case TVB_GUEST_ERROR:
      keep_guest_error();
      return {CallStatus::element_error, done};
    case TVB_FAILED:
      break;
  }
  return {CallStatus::ended, done};
}

// Fills `failure_` where a call fails: the bridge's report lives only for that moment. Once it is filled nobody is let in again, also
// where it was the host that ended the instance.
#define TORVYN_GUEST_CALL(function, ...)                                                \
  [&]() noexcept -> tvb_status {                                                        \
    if (failure_) return TVB_FAILED;                                                    \
    log_.forget_last_words();                                                           \
    tvb_failure torvyn_failure{};                                                       \
    const tvb_status torvyn_status = function(instance_, __VA_ARGS__, &torvyn_failure); \
    if (torvyn_status == TVB_FAILED) {                                                  \
      log_.finish_lines();                                                              \
      failure_.emplace(failure_error(torvyn_failure));                                  \
      tvb_failure_free(&torvyn_failure);                                                \
    }                                                                                   \
    return torvyn_status;                                                               \
  }()

Status WasmInstance::call_status(tvb_status status, ErrorCode code, std::string_view function) {
  if (status == TVB_FAILED) return fail(*failure_);
  if (status == TVB_GUEST_ERROR) {
    keep_guest_error();
    return fail(code, fmt::format("`{}` returned {}: {}", function, process_error_name(error_kind_), error_text_));
  }
  return {};
}

Status WasmInstance::init(std::string_view config) {
  if ((functions_ & TVB_HAS_INIT) == 0) {
    initialised_ = true;
    return {};
  }
  const Running running(ticker_);
  const tvb_status status = TORVYN_GUEST_CALL(tvb_call_init, allow(options_.init_timeout_ns, init_timeout_setting),
                                              view_of(config), &raw_error_);
  TORVYN_TRY(call_status(status, ErrorCode::init_failed, "init"));
  initialised_ = true;
  return {};
}

Status WasmInstance::teardown() {
  const bool ended = failure_ || stopped_.load(std::memory_order_relaxed);
  if ((functions_ & TVB_HAS_INIT) == 0 || !initialised_ || ended) return {};
  initialised_ = false;
  const Running running(ticker_);
  const tvb_status status =
      TORVYN_GUEST_CALL(tvb_call_teardown, allow(options_.teardown_timeout_ns, teardown_timeout_setting));
  return call_status(status, ErrorCode::component_trapped, "teardown");
}

Status WasmInstance::complete() {
  const Running running(ticker_);
  const tvb_status status = TORVYN_GUEST_CALL(tvb_call_complete, allow_call(), &raw_error_);
  return call_status(status, ErrorCode::complete_failed, "complete");
}

CallOutcome WasmInstance::notify_backpressure(bool pause) noexcept {
  const Running running(ticker_);
  return outcome_of(TORVYN_GUEST_CALL(tvb_call_notify_backpressure, allow_call(), pause), 0);
}

CallOutcome WasmInstance::acknowledge(std::uint64_t up_to) noexcept {
  const Running running(ticker_);
  return outcome_of(TORVYN_GUEST_CALL(tvb_call_acknowledge, allow_call(), up_to), 0);
}

// A component says the same content type again and again: comparing is cheaper than looking up.
ContentTypeId WasmInstance::intern(std::string_view text) noexcept {
  if (same_text(text, last_content_type_text_)) return last_content_type_;
  std::uint32_t& room = options_.content_types_room != nullptr ? *options_.content_types_room : content_types_room_;
  const ContentTypeId id = options_.content_types->intern(text, room);
  if (id == resources::content_type_rejected) return id;
  last_content_type_ = id;
  last_content_type_text_ = options_.content_types->text(id);
  return id;
}

bool WasmInstance::accept_output(const tvb_element_out& raw, const Element* input, Run& out) noexcept {
  BufferRef payload;
  const TableStatus taken = table_.take(raw.payload_rep, payload);
  if (taken != TableStatus::ok) {
    end_with(ErrorCode::stale_handle, "the component returned a buffer it does not own");
    return false;
  }
  ContentTypeId content_type = payload.content_type();
  if (raw.content_type.size != 0) {
    content_type = intern(text_of(raw.content_type));
    if (content_type == resources::content_type_rejected) {
      end_with(ErrorCode::capacity_exceeded, "content type too long, or too many different ones");
      return false;
    }
    payload.set_content_type(content_type);
  }
  Element& output = out.emplace_back();
  if (input != nullptr) {
    output.meta = input->meta;
    output.lineage = input->lineage;
  }
  output.meta.content_type = content_type;
  output.payload = std::move(payload);
  return true;
}

std::optional<std::uint16_t> WasmInstance::find_port(std::string_view name) const noexcept {
  const auto found = std::ranges::find(options_.ports, name);
  if (found == options_.ports.end()) return std::nullopt;
  return static_cast<std::uint16_t>(found - options_.ports.begin());
}

std::string WasmInstance::unknown_port(std::string_view name) const {
  const auto& ports = options_.ports;
  std::string text = fmt::format("no port `{}` here; there {} ", cut_text(name, told_port_bytes_max),
                                 ports.size() == 1 ? "is" : "are");
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (i == told_ports_max) return text + fmt::format(" and {} more", ports.size() - i);
    text += fmt::format("{}`{}`", i == 0 ? "" : ", ", ports[i]);
  }
  return text;
}

void WasmInstance::append_port(std::string_view name, const Element& element, Run& out) noexcept {
  if (failure_) return;
  const std::optional<std::uint16_t> port = find_port(name);
  if (!port) return end_with(ErrorCode::unknown_port, "route: " + unknown_port(name), std::string(unknown_port_hint));
  // A port that is named again has the element already.
  const auto first = out.begin() + static_cast<std::ptrdiff_t>(call_.out_start);
  if (std::any_of(first, out.end(), [&port](const Element& output) { return output.port == *port; })) return;
  out.emplace_back(element).port = *port;
}

CallOutcome WasmInstance::pull(std::uint32_t elements_max, std::uint64_t bytes_max, Run& out) noexcept {
  const Running running(ticker_);
  return options_.contract == Contract::batch ? batch_pull(elements_max, out)
                                              : element_pull(elements_max, bytes_max, out);
}

CallOutcome WasmInstance::element_pull(std::uint32_t elements_max, std::uint64_t bytes_max, Run& out) noexcept {
  std::uint64_t bytes = 0;
  std::uint64_t window_end_ns = 0;
  std::uint32_t next_look = 1;  // at the clock: reading it for every element would be a fortieth of the whole cost
  const std::uint64_t ticks_max = allow_call();
  const std::uint64_t started_ns = options_.clock->monotonic_ns();
  for (std::uint32_t count = 0; count < elements_max;) {
    tvb_element_out raw{};
    const tvb_status status = TORVYN_GUEST_CALL(tvb_call_pull, ticks_max, &raw, &raw_error_);
    if (status == TVB_NOTHING) return {CallStatus::end_of_stream, count};
    if (status == TVB_GUEST_ERROR && raw_error_.kind == static_cast<std::uint32_t>(ProcessErrorKind::unavailable))
      return {count == 0 ? CallStatus::nothing_yet : CallStatus::ok, count};
    if (status != TVB_OK) return outcome_of(status, count);
    if (!accept_output(raw, nullptr, out)) return {CallStatus::ended, count};
    ++count;
    bytes += out.back().payload.size();
    if (bytes >= bytes_max) return {CallStatus::ok, count};
    if (count < next_look) continue;
    const std::uint64_t now_ns = options_.clock->monotonic_ns();
    const std::uint64_t took_ns = now_ns - started_ns;
    if (count == 1) {
      // A source that takes its time gives its elements one by one: nobody waits for a run to fill.
      if (took_ns > pull_window_ns) return {CallStatus::ok, count};
      window_end_ns = now_ns + pull_window_ns;
    }
    if (now_ns >= window_end_ns) return {CallStatus::ok, count};
    // Again when half of what is left of the window should be over.
    const std::uint64_t element_ns = took_ns / count + 1;
    next_look = count + 1 + static_cast<std::uint32_t>((window_end_ns - now_ns) / (2 * element_ns));
  }
  return {CallStatus::ok, elements_max};
}

CallOutcome WasmInstance::batch_pull(std::uint32_t elements_max, Run& out) noexcept {
  call_ = {};
  call_.out = &out;
  call_.out_start = out.size();
  call_.pull_max = elements_max;
  call_.writing = true;
  const tvb_status status = TORVYN_GUEST_CALL(tvb_call_batch_pull, allow_call(), elements_max, writer_rep, &raw_error_);
  const auto count = static_cast<std::uint32_t>(out.size() - call_.out_start);
  call_ = {};
  if (status == TVB_NOTHING) return {CallStatus::end_of_stream, count};
  if (status == TVB_OK) return {count == 0 ? CallStatus::nothing_yet : CallStatus::ok, count};
  if (status == TVB_GUEST_ERROR && raw_error_.kind == static_cast<std::uint32_t>(ProcessErrorKind::unavailable))
    return {count == 0 ? CallStatus::nothing_yet : CallStatus::ok, count};
  return outcome_of(status, count);
}

tvb_status WasmInstance::element_call(Element& element, Run* out) noexcept {
  Rep rep = 0;
  const TableStatus lent = table_.lend(element.payload, rep);
  TORVYN_ASSERT(lent == TableStatus::ok, "an element could not be lent to its stage");
  call_.element = &element;
  const tvb_element_in in{
      .sequence = element.meta.sequence,
      .timestamp_ns = element.meta.timestamp_ns,
      .content_type = view_of(options_.content_types->text(element.meta.content_type)),
      .payload_rep = rep,
      .context_rep = context_rep,
  };
  const std::uint64_t ticks_max = allow_call();
  tvb_element_out raw{};
  tvb_status status = TVB_FAILED;
  bool produced = false;
  bool forwarded = false;
  switch (options_.role) {
    case Role::processor:
      status = TORVYN_GUEST_CALL(tvb_call_process, ticks_max, &in, &raw, &raw_error_);
      produced = status == TVB_OK;
      break;
    case Role::aggregator:
      status = TORVYN_GUEST_CALL(tvb_call_ingest, ticks_max, &in, &raw, &raw_error_);
      produced = status == TVB_OK;
      break;
    case Role::filter:
      status = TORVYN_GUEST_CALL(tvb_call_evaluate, ticks_max, &in, &raw_error_);
      forwarded = status == TVB_OK;
      break;
    case Role::router: {
      call_.out = out;
      call_.out_start = out->size();
      Callbacks::PortSink sink{this, &element, out};
      status = TORVYN_GUEST_CALL(tvb_call_route, ticks_max, &in, Callbacks::port, &sink, &raw_error_);
      if (failure_) {
        out->resize(call_.out_start);  // an element goes to all of its ports or to none
        status = TVB_FAILED;
      }
      break;
    }
    case Role::sink:
      status = TORVYN_GUEST_CALL(tvb_call_push, ticks_max, &in, &raw_error_);
      break;
    case Role::source:
      TORVYN_ASSERT(false, "a source was handed an element");
  }
  table_.end_loan(rep);
  call_.element = nullptr;
  if (produced && !accept_output(raw, options_.role == Role::aggregator ? nullptr : &element, *out)) return TVB_FAILED;
  if (forwarded) out->emplace_back(std::move(element)).port = 0;
  return status;
}

CallOutcome WasmInstance::batch_call(std::span<Element> in, Run* out) noexcept {
  call_ = {};
  call_.run = in;
  call_.out = out;
  call_.out_start = out == nullptr ? 0 : out->size();
  call_.reading = true;
  call_.writing = out != nullptr;
  call_.charged = options_.role != Role::aggregator;
  // Lent as a whole; neighbours in one buffer count as one loan.
  const auto each_buffer = [in](auto&& step) {
    for (std::size_t i = 0; i < in.size(); ++i)
      if (i == 0 || !in[i].payload.same_buffer(in[i - 1].payload)) step(in[i].payload);
  };
  each_buffer([](BufferRef& buffer) {
    const bool lent = buffer.apply(BufferAction::lend);
    TORVYN_ASSERT(lent, "a run could not be lent to its stage");
  });
  const std::uint64_t ticks_max = allow_call();
  tvb_status status = TVB_FAILED;
  switch (options_.role) {
    case Role::processor:
    case Role::filter:
      status = TORVYN_GUEST_CALL(tvb_call_batch_process, ticks_max, batch_rep, writer_rep, &raw_error_);
      break;
    case Role::router:
      status = TORVYN_GUEST_CALL(tvb_call_batch_route, ticks_max, batch_rep, writer_rep, &raw_error_);
      break;
    case Role::aggregator:
      status = TORVYN_GUEST_CALL(tvb_call_batch_ingest, ticks_max, batch_rep, writer_rep, &raw_error_);
      break;
    case Role::sink:
      status = TORVYN_GUEST_CALL(tvb_call_batch_push, ticks_max, batch_rep, &raw_error_);
      break;
    case Role::source:
      TORVYN_ASSERT(false, "a source was handed a run");
  }
  each_buffer([](BufferRef& buffer) {
    const bool returned = buffer.apply(BufferAction::give_back);
    TORVYN_ASSERT(returned, "a run could not be taken back from its stage");
  });
  const std::size_t out_start = call_.out_start;
  call_ = {};

  std::uint32_t done = static_cast<std::uint32_t>(in.size());
  if (status == TVB_GUEST_ERROR) {
    done = raw_error_.index;
    if (done >= in.size()) {
      end_with(ErrorCode::sandbox_violation, fmt::format("an error about element {} of a run of {}", done, in.size()));
      status = TVB_FAILED;
    }
  }
  if (status == TVB_FAILED) done = 0;
  // What is charged to the element in error, or to later ones, is void; so is all of a call that failed.
  if (out != nullptr && (status == TVB_FAILED || status == TVB_GUEST_ERROR)) {
    const auto is_void = [&](const Element& output) {
      if (status == TVB_FAILED) return true;
      for (std::uint32_t i = done; i < in.size(); ++i)
        if (output.lineage == in[i].lineage && output.meta.sequence == in[i].meta.sequence) return true;
      return false;
    };
    const auto first = out->begin() + static_cast<std::ptrdiff_t>(out_start);
    out->erase(std::remove_if(first, out->end(), is_void), out->end());
  }
  CallOutcome outcome = outcome_of(status, done);
  outcome.charged = static_cast<std::uint32_t>(in.size());
  return outcome;
}

CallOutcome WasmInstance::process(std::span<Element> in, Run& out) noexcept {
  const Running running(ticker_);
  CallOutcome outcome{CallStatus::ok, static_cast<std::uint32_t>(in.size())};
  if (options_.contract == Contract::batch) {
    outcome = batch_call(in, &out);
  } else {
    for (std::uint32_t i = 0; i < in.size(); ++i) {
      const tvb_status status = element_call(in[i], &out);
      if (status == TVB_OK || status == TVB_NOTHING) continue;
      outcome = outcome_of(status, i);
      break;
    }
  }
  if (table_.held() > handles_before_warning && !warned_of_handles_) {
    warned_of_handles_ = true;
    options_.events->event(
        Severity::warn, "W0300", options_.node,
        fmt::format("the component holds {} buffer handles between calls: does it drop what it is done with? "
                    "(a mutable buffer's handle outlives `freeze`)",
                    table_.held()));
  }
  return outcome;
}

CallOutcome WasmInstance::push(std::span<Element> in) noexcept {
  const Running running(ticker_);
  if (options_.contract == Contract::batch) return batch_call(in, nullptr);
  bool pause = false;
  for (std::uint32_t i = 0; i < in.size(); ++i) {
    const tvb_status status = element_call(in[i], nullptr);
    pause = status == TVB_PAUSE;
    if (pause && i + 1 < in.size()) return {CallStatus::pause, i + 1};
    if (status == TVB_GUEST_ERROR || status == TVB_FAILED) return outcome_of(status, i);
  }
  return {pause ? CallStatus::pause : CallStatus::ok, static_cast<std::uint32_t>(in.size())};
}

CallOutcome WasmInstance::flush(Run& out) noexcept {
  const Running running(ticker_);
  return options_.contract == Contract::batch ? batch_flush(out) : element_flush(out);
}

CallOutcome WasmInstance::element_flush(Run& out) noexcept {
  Callbacks::FlushSink sink{this, &out, true};
  const tvb_status status = TORVYN_GUEST_CALL(tvb_call_flush, allow_call(), Callbacks::flushed, &sink, &raw_error_);
  if (!sink.accepted) return {CallStatus::ended, 0};
  if (status == TVB_OK) return {CallStatus::end_of_stream, 0};
  return outcome_of(status, 0);
}

CallOutcome WasmInstance::batch_flush(Run& out) noexcept {
  call_ = {};
  call_.out = &out;
  call_.out_start = out.size();
  call_.writing = true;
  const tvb_status status = TORVYN_GUEST_CALL(tvb_call_batch_flush, allow_call(), writer_rep, &raw_error_);
  call_ = {};
  if (status == TVB_NOTHING) return {CallStatus::end_of_stream, 0};
  return outcome_of(status, 0);
}

}  // namespace torvyn::engine
