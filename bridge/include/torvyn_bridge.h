/* The engine and the WIT tools behind one narrow C interface. No policy lives here: no scheduling, pools, limit
 * arithmetic, retries or configuration.
 *
 * Conventions
 *   Objects    tvb_engine, tvb_component, tvb_instance and tvb_stop are opaque. Whoever got one from a tvb_…_new, _compile or _load frees
 *              it with the matching _free; freeing NULL does nothing. A component keeps its engine alive, an instance its component and its stop.
 *   Views      A pointer and a 64-bit length, valid for the call. Text is UTF-8 without a terminator and is checked.
 *   Owned text A tvb_string filled by this library belongs to the caller: tvb_string_free. Freeing an empty one does nothing.
 *   Results    Functions return a tvb_status. Anything but TVB_OK (and, for guest calls, the outcomes named there) fills the
 *              tvb_failure, whose strings the caller frees with tvb_failure_free.
 *   Panics     None crosses: a panic inside becomes TVB_FAILED with kind TVB_FAILURE_PANIC. Callbacks must not throw.
 *   Threads    Engine and component functions may be called from any thread at once. An instance is used by one thread at
 *              a time, and callbacks run on that thread. tvb_engine_tick and tvb_stop_raise may be called from any thread.
 *   Allocation Memory of this library is counted apart: tvb_allocations.
 */
#ifndef TORVYN_BRIDGE_H
#define TORVYN_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TVB_ABI_VERSION 6u

/* ---- values ------------------------------------------------------------------------------------------------------- */

typedef struct tvb_engine tvb_engine;
typedef struct tvb_component tvb_component;
typedef struct tvb_instance tvb_instance;
typedef struct tvb_stop tvb_stop;

typedef struct tvb_view {
  const uint8_t* data;
  uint64_t size;
} tvb_view;

typedef struct tvb_string {
  uint8_t* data;
  uint64_t size;
} tvb_string;

typedef enum tvb_status {
  TVB_OK = 0,
  TVB_FAILED = 1,      /* the tvb_failure says why; for a call into a guest, the instance has ended */
  TVB_GUEST_ERROR = 2, /* the guest returned a process-error; the instance lives on */
  TVB_NOTHING = 3,     /* pull: end of stream; process: drop; evaluate: false; ingest: no result */
  TVB_PAUSE = 4        /* push: taken, and the sink asks for a pause */
} tvb_status;

typedef enum tvb_failure_kind {
  TVB_FAILURE_OTHER = 0,
  TVB_FAILURE_PANIC = 1,        /* a defect in this library */
  TVB_FAILURE_INVALID = 2,      /* bytes that are not a component, WIT that cannot be read */
  TVB_FAILURE_UNRESOLVED = 3,   /* WIT: unknown name or package */
  TVB_FAILURE_IMPORT = 4,       /* an import that nobody provides, or with other types than are provided */
  TVB_FAILURE_EXPORT = 5,       /* an export whose type is not the contract's */
  TVB_FAILURE_LIMIT = 6,        /* no room for another instance, or an instance larger than the pool's slots */
  TVB_FAILURE_UNREACHABLE = 10, /* from here on: traps */
  TVB_FAILURE_STACK_OVERFLOW = 11,
  TVB_FAILURE_MEMORY_BOUNDS = 12,
  TVB_FAILURE_ARITHMETIC = 13,    /* division by zero, integer overflow, bad conversion */
  TVB_FAILURE_INDIRECT_CALL = 14, /* null, out-of-bounds or wrongly typed table entry */
  TVB_FAILURE_TIMEOUT = 15,       /* guest time of the call used up */
  TVB_FAILURE_STOPPED = 16,       /* the stop was raised */
  TVB_FAILURE_HANDLE = 17,        /* unknown, stale, foreign or wrongly typed handle */
  TVB_FAILURE_BORROW = 18,        /* borrows not given back before the call ended */
  TVB_FAILURE_REFUSED = 19,       /* a callback refused: refusal_code and the message say why */
  TVB_FAILURE_CONTRACT = 20,      /* bytes that the canonical ABI does not allow: bad UTF-8, bad discriminant, … */
  TVB_FAILURE_EXIT = 21,          /* the guest called exit */
  TVB_FAILURE_FOLDER = 22,        /* a granted folder cannot be opened; no trap */
  TVB_FAILURE_WASI_HANDLES = 23,  /* a trap: the guest asked for more WASI handles than it may hold */
  TVB_FAILURE_TRAP = 29           /* any other trap */
} tvb_failure_kind;

typedef struct tvb_failure {
  uint32_t kind;         /* tvb_failure_kind */
  uint32_t refusal_code; /* what a callback answered, with TVB_FAILURE_REFUSED */
  tvb_string message;
  tvb_string backtrace; /* guest frames, innermost first, one a line: "function at file:line" as far as known */
  tvb_string file;      /* WIT: where */
  uint32_t line;        /* from 1; 0 = unknown */
  uint32_t column;
  uint64_t memory_grow_failed; /* bytes the guest last asked for in vain; 0 = none */
  bool engine_memory_full;     /* that was because of the engine's bound, not the instance's */
} tvb_failure;

void tvb_string_free(tvb_string* text);
void tvb_failure_free(tvb_failure* failure);
uint32_t tvb_abi_version(void);
/* "48.0.8". Static. */
tvb_view tvb_engine_version(void);
/* Allocations (not frees) this library, the engine included, has made so far in this process. */
uint64_t tvb_allocations(void);

/* ---- what a component may call back ------------------------------------------------------------------------------- */

/* Answers of callbacks. Anything of TVB_REFUSED or more traps the guest: refusal_code is the answer less TVB_REFUSED, and `refusal`
 * is asked for the words. */
enum {
  TVB_BUFFER_OK = 0,
  TVB_BUFFER_CAPACITY_EXCEEDED = 1,
  TVB_BUFFER_OUT_OF_BOUNDS = 2,
  TVB_BUFFER_ALLOCATION_FAILED = 3, /* `refusal` gives the text */
  TVB_REFUSED = 0x10000
};

typedef struct tvb_batch_meta {
  uint64_t sequence;
  uint64_t timestamp_ns;
  uint64_t deadline_ns;
  uint32_t content_type;
  uint32_t reserved; /* 0 */
} tvb_batch_meta;

/* IPv4 in the first four bytes. An IPv4 address that was written as an IPv6 one comes as IPv4. */
typedef struct tvb_address {
  uint8_t ip[16];
  uint16_t port;
  bool is_v6;
} tvb_address;

/* What a socket wants with an address. */
typedef enum tvb_address_use {
  TVB_TCP_BIND = 0, /* the address to bind to; the unspecified one and port 0 where the guest leaves the choice */
  TVB_TCP_LISTEN = 1,
  TVB_TCP_ACCEPT = 2, /* the peer's */
  TVB_TCP_CONNECT = 3,
  TVB_UDP_BIND = 4,
  TVB_UDP_SEND = 5,
  TVB_UDP_RECEIVE = 6
} tvb_address_use;

/* The host of one instance: `host` is the pointer given to tvb_instance_new. `rep` names an entry of the host's table for this
 * instance. Views given out must stay valid and unchanged until the callback's caller has copied them: until the next
 * callback or the end of the guest call, whichever is first; content types and names until the instance is freed. */
typedef struct tvb_host {
  uint32_t (*buffer_size)(void* host, uint32_t rep, uint64_t* size);
  uint32_t (*buffer_content_type)(void* host, uint32_t rep, tvb_view* text);
  /* The bytes [offset, offset + length) clipped to the end. The copy into the guest is made by the caller, right after. */
  uint32_t (*buffer_read)(void* host, uint32_t rep, uint64_t offset, uint64_t length, tvb_view* bytes);
  uint32_t (*buffer_drop)(void* host, uint32_t rep);

  uint32_t (*mutable_allocate)(void* host, uint64_t capacity_hint, uint32_t* rep);
  uint32_t (*mutable_clone)(void* host, uint32_t buffer_rep, uint32_t* rep);
  uint32_t (*mutable_write)(void* host, uint32_t rep, uint64_t offset, tvb_view bytes);
  uint32_t (*mutable_append)(void* host, uint32_t rep, tvb_view bytes);
  uint32_t (*mutable_size)(void* host, uint32_t rep, uint64_t* size);
  uint32_t (*mutable_capacity)(void* host, uint32_t rep, uint64_t* capacity);
  uint32_t (*mutable_set_content_type)(void* host, uint32_t rep, tvb_view text);
  uint32_t (*mutable_freeze)(void* host, uint32_t rep, uint32_t* buffer_rep);
  uint32_t (*mutable_drop)(void* host, uint32_t rep);

  uint32_t (*context_trace_id)(void* host, uint32_t rep, uint8_t out[32]);
  uint32_t (*context_span_id)(void* host, uint32_t rep, uint8_t out[16]);
  uint32_t (*context_deadline_ns)(void* host, uint32_t rep, uint64_t* out);
  uint32_t (*context_flow_id)(void* host, uint32_t rep, tvb_view* text);

  uint32_t (*batch_count)(void* host, uint32_t rep, uint32_t* count);
  /* `ends` views `count` 32-bit offsets. */
  uint32_t (*batch_read)(void* host, uint32_t rep, tvb_view* bytes, const uint32_t** ends, uint64_t* count);
  uint32_t (*batch_read_one)(void* host, uint32_t rep, uint32_t index, uint64_t offset, uint64_t length,
                             tvb_view* bytes);
  uint32_t (*batch_sizes)(void* host, uint32_t rep, const uint64_t** sizes, uint64_t* count);
  uint32_t (*batch_metas)(void* host, uint32_t rep, const tvb_batch_meta** metas, uint64_t* count);
  uint32_t (*batch_content_types)(void* host, uint32_t rep, const tvb_view** texts, uint64_t* count);
  uint32_t (*batch_flow_id)(void* host, uint32_t rep, tvb_view* text);
  uint32_t (*batch_trace_id)(void* host, uint32_t rep, uint32_t index, uint8_t out[32]);
  uint32_t (*batch_span_id)(void* host, uint32_t rep, uint8_t out[16]);

  uint32_t (*writer_emit)(void* host, uint32_t rep, tvb_view bytes, const uint32_t* ends, uint64_t count,
                          const uint32_t* origins, uint64_t origin_count);
  /* `port` as the guest named it; "output" where it named none. */
  uint32_t (*writer_forward)(void* host, uint32_t rep, tvb_view port, const uint32_t* indices, uint64_t count);
  uint32_t (*writer_set_content_type)(void* host, uint32_t rep, tvb_view text);

  /* level: 0 trace … 4 error. */
  void (*log)(void* host, uint32_t level, tvb_view text);
  /* Bytes the guest wrote to its stdout (stream 1) or stderr (2), as they came. May be called from a helper thread of the
   * engine, never at the same time as another callback of this instance. */
  void (*output)(void* host, uint32_t stream, tvb_view bytes);
  /* The guest called `function` ("wall-clock.now") of a capability it was not granted, and the function has no error to answer
   * with. Always refuses. */
  uint32_t (*denied)(void* host, tvb_view capability, tvb_view function);
  /* The guest called `function` of a capability, about `target` (a path, a family of addresses; may be empty). Where it was not allowed, the
   * guest is given the interface's own error after this; unless the answer refuses. */
  uint32_t (*accessed)(void* host, tvb_view capability, tvb_view function, tvb_view target, bool allowed);
  /* Whether the guest may ask for the addresses of `name`; and an address that it is then told. */
  bool (*may_look_up)(void* host, tvb_view name);
  void (*looked_up)(void* host, tvb_view name, const tvb_address* address);
  /* Whether a socket may do `use` (tvb_address_use) with the address. Called from any thread, also beside another callback; never once
   * tvb_instance_free has returned. */
  bool (*check_address)(void* host, uint32_t use, const tvb_address* address);
  /* Whether the guest may send requests over HTTP to `name`, which may be an address, at `port`; and whether to the address that the name was
   * found to stand for. The second is called as check_address is. */
  bool (*may_request)(void* host, tvb_view name, uint16_t port);
  bool (*may_reach)(void* host, tvb_view name, const tvb_address* address);
  bool (*has_capability)(void* host, tvb_view name);
  /* Words for the last refusal or failed allocation. */
  void (*refusal)(void* host, tvb_view* text);
} tvb_host;

/* ---- engine ------------------------------------------------------------------------------------------------------- */

typedef struct tvb_engine_options {
  uint32_t
      max_instances; /* slots of the pooling allocator, in core instances and memories; 0 = allocate on demand, no pool */
  uint64_t max_stack_bytes;  /* guest stack of one call; 0 = the default, 512 KiB */
  uint32_t tick_ms;          /* how often tvb_engine_tick will be called: the unit of call limits */
  uint64_t max_memory_bytes; /* of all instances together, counted as an instance's; 0 = no bound */
  bool typed_only; /* all components go by the engine's typed calls, those too that could be called directly */
} tvb_engine_options;

tvb_status tvb_engine_new(const tvb_engine_options* options, const tvb_host* host, tvb_engine** out,
                          tvb_failure* failure);
void tvb_engine_free(tvb_engine* engine);
/* Moves time on: running guests look at their limits and stops. To be called every `tick_ms` while a guest runs. */
void tvb_engine_tick(tvb_engine* engine);
/* Bytes of memories and tables that its instances have now. */
uint64_t tvb_engine_memory(const tvb_engine* engine);
/* Names version, settings and CPU features: compiled code may be loaded by an engine that answers the same. */
tvb_string tvb_engine_fingerprint(const tvb_engine* engine);

/* ---- components --------------------------------------------------------------------------------------------------- */

tvb_status tvb_component_compile(tvb_engine* engine, tvb_view wasm, tvb_component** out, tvb_failure* failure);
/* Compiled code as bytes, to be given to tvb_component_load. */
tvb_status tvb_component_serialize(const tvb_component* component, tvb_string* out, tvb_failure* failure);
/* Requires: `code` came from tvb_component_serialize of an engine with the same fingerprint and is unchanged. It is machine
 * code and will be run: the caller has checked a digest. */
tvb_status tvb_component_load(tvb_engine* engine, tvb_view code, tvb_component** out, tvb_failure* failure);
void tvb_component_free(tvb_component* component);
/* Imports and exports as JSON:
 *   {"imports": [{"name": "torvyn:streaming/types@0.1.0", "kind": "instance", "items": ["buffer", …]}, …], "exports": […],
 *    "typed_because": null}: why it goes by the engine's typed calls; null where it is called directly. */
tvb_status tvb_component_describe(const tvb_component* component, tvb_string* json, tvb_failure* failure);
/* Whether every import is provided, with the types it asks for. TVB_FAILURE_IMPORT names one that is not. */
tvb_status tvb_component_check_imports(const tvb_component* component, tvb_failure* failure);

/* ---- instances ---------------------------------------------------------------------------------------------------- */

/* Ends an instance from outside, for good: a guest that runs ends at the next tick, one that waits inside a WASI call at once, and no
 * later call enters. */
tvb_stop* tvb_stop_new(void);
void tvb_stop_raise(const tvb_stop* stop);
void tvb_stop_free(tvb_stop* stop);

/* A folder the guest finds preopened. What is in it is all it can reach: no link and no `..` leads out. */
typedef struct tvb_folder {
  tvb_view guest_path;
  tvb_view host_path;
  bool writable;
} tvb_folder;

typedef struct tvb_variable {
  tvb_view name;
  tvb_view value;
} tvb_variable;

/* What a guest may do beyond computing. All 0: nothing. */
typedef struct tvb_grants {
  const tvb_folder* folders;
  uint64_t folder_count;
  const tvb_variable* variables;
  uint64_t variable_count;
  const tvb_view* arguments; /* the first is the program's name */
  uint64_t argument_count;
  uint32_t handles_max; /* files, sockets, streams and pollables that it may hold at a time */
  bool clocks;          /* without: `denied` is called, and the call traps; so for random */
  bool random;
  bool tcp; /* sockets may be made; `check_address` is asked about each address; so for udp */
  bool udp;
  bool stdin_open; /* without: at its end from the start */
} tvb_grants;

typedef struct tvb_instance_options {
  uint64_t max_memory_bytes; /* all linear memories together, and 8 bytes a table entry */
  const tvb_stop* stop;      /* one an instance; it may be freed before the instance */
  uint64_t start_ticks_max;  /* guest time the start functions may take */
  tvb_grants grants;         /* what it points to need not outlive the call */
} tvb_instance_options;

/* Instantiates. Exports whose types are not the contract's: TVB_FAILURE_EXPORT. */
tvb_status tvb_instance_new(tvb_component* component, void* host, const tvb_instance_options* options,
                            tvb_instance** out, tvb_failure* failure);
void tvb_instance_free(tvb_instance* instance);
/* Bytes of linear memory now. */
uint64_t tvb_instance_memory(const tvb_instance* instance);

/* Functions an instance was found to have, bit by bit. */
enum {
  TVB_HAS_INIT = 1u << 0,
  TVB_HAS_PULL = 1u << 1,
  TVB_HAS_PROCESS = 1u << 2,
  TVB_HAS_PUSH = 1u << 3,
  TVB_HAS_EVALUATE = 1u << 4,
  TVB_HAS_ROUTE = 1u << 5,
  TVB_HAS_INGEST = 1u << 6,
  TVB_HAS_ACKNOWLEDGE = 1u << 7,
  TVB_HAS_BATCH_PULL = 1u << 8,
  TVB_HAS_BATCH_PROCESS = 1u << 9,
  TVB_HAS_BATCH_ROUTE = 1u << 10,
  TVB_HAS_BATCH_INGEST = 1u << 11,
  TVB_HAS_BATCH_PUSH = 1u << 12
};
uint32_t tvb_instance_functions(const tvb_instance* instance);

/* What a guest said when it returned a process-error. The text is owned by the instance, until its next call. */
typedef struct tvb_guest_error {
  uint32_t kind;  /* index of the case: invalid-input, unavailable, internal, deadline-exceeded, fatal */
  uint32_t index; /* of the element in the run; batch calls only */
  tvb_view text;
} tvb_guest_error;

typedef struct tvb_element_in {
  uint64_t sequence;
  uint64_t timestamp_ns;
  tvb_view content_type; /* UTF-8, taken on trust */
  uint32_t payload_rep;
  uint32_t context_rep;
} tvb_element_in;

typedef struct tvb_element_out {
  uint32_t payload_rep;  /* ownership has moved to the host */
  tvb_view content_type; /* owned by the instance, until its next call */
} tvb_element_out;

/* Every call takes `ticks_max`, the guest time it may use in engine ticks; waiting inside a WASI call is not counted.
 * TVB_FAILED ends the instance: only tvb_instance_free and _memory may follow. */
tvb_status tvb_call_init(tvb_instance* instance, uint64_t ticks_max, tvb_view config, tvb_guest_error* error,
                         tvb_failure* failure);
tvb_status tvb_call_teardown(tvb_instance* instance, uint64_t ticks_max, tvb_failure* failure);
tvb_status tvb_call_pull(tvb_instance* instance, uint64_t ticks_max, tvb_element_out* out, tvb_guest_error* error,
                         tvb_failure* failure);
/* For sources of either contract. */
tvb_status tvb_call_notify_backpressure(tvb_instance* instance, uint64_t ticks_max, bool pause, tvb_failure* failure);
tvb_status tvb_call_acknowledge(tvb_instance* instance, uint64_t ticks_max, uint64_t up_to, tvb_failure* failure);
tvb_status tvb_call_process(tvb_instance* instance, uint64_t ticks_max, const tvb_element_in* in, tvb_element_out* out,
                            tvb_guest_error* error, tvb_failure* failure);
tvb_status tvb_call_evaluate(tvb_instance* instance, uint64_t ticks_max, const tvb_element_in* in,
                             tvb_guest_error* error, tvb_failure* failure);
/* `port` is called once a port name, in order. */
tvb_status tvb_call_route(tvb_instance* instance, uint64_t ticks_max, const tvb_element_in* in,
                          void (*port)(void* user, tvb_view name), void* user, tvb_guest_error* error,
                          tvb_failure* failure);
tvb_status tvb_call_ingest(tvb_instance* instance, uint64_t ticks_max, const tvb_element_in* in, tvb_element_out* out,
                           tvb_guest_error* error, tvb_failure* failure);
/* `element` is called once a result, in order. */
tvb_status tvb_call_flush(tvb_instance* instance, uint64_t ticks_max,
                          void (*element)(void* user, const tvb_element_out* out), void* user, tvb_guest_error* error,
                          tvb_failure* failure);
tvb_status tvb_call_push(tvb_instance* instance, uint64_t ticks_max, const tvb_element_in* in, tvb_guest_error* error,
                         tvb_failure* failure);
/* For sinks of either contract. */
tvb_status tvb_call_complete(tvb_instance* instance, uint64_t ticks_max, tvb_guest_error* error, tvb_failure* failure);

/* TVB_NOTHING: the stream has ended (what was written counts). */
tvb_status tvb_call_batch_pull(tvb_instance* instance, uint64_t ticks_max, uint32_t max, uint32_t writer_rep,
                               tvb_guest_error* error, tvb_failure* failure);
tvb_status tvb_call_batch_process(tvb_instance* instance, uint64_t ticks_max, uint32_t batch_rep, uint32_t writer_rep,
                                  tvb_guest_error* error, tvb_failure* failure);
tvb_status tvb_call_batch_route(tvb_instance* instance, uint64_t ticks_max, uint32_t batch_rep, uint32_t writer_rep,
                                tvb_guest_error* error, tvb_failure* failure);
tvb_status tvb_call_batch_ingest(tvb_instance* instance, uint64_t ticks_max, uint32_t batch_rep, uint32_t writer_rep,
                                 tvb_guest_error* error, tvb_failure* failure);
/* TVB_NOTHING: nothing is left; TVB_OK: call again. */
tvb_status tvb_call_batch_flush(tvb_instance* instance, uint64_t ticks_max, uint32_t writer_rep, tvb_guest_error* error,
                                tvb_failure* failure);
tvb_status tvb_call_batch_push(tvb_instance* instance, uint64_t ticks_max, uint32_t batch_rep, tvb_guest_error* error,
                               tvb_failure* failure);

/* ---- for component authors ---------------------------------------------------------------------------------------- */

/* One WIT file: `package` groups the files of one package (any name, the same for all its files), `path` is shown in messages. */
typedef struct tvb_wit_file {
  tvb_view package;
  tvb_view path;
  tvb_view text;
} tvb_wit_file;

/* Parses and resolves WIT packages, in any order, into a JSON model. TVB_FAILURE_INVALID (syntax) or TVB_FAILURE_UNRESOLVED, with file,
 * line and column, for the first error. The model's lists refer to each other by index:
 *   {"packages":   [{"name": "torvyn:streaming@0.1.0"}, …],
 *    "interfaces": [{"name": "torvyn:streaming/types@0.1.0", "package": 0, "types": [TYPE…], "functions": [FUNCTION…], PLACE}, …],
 *    "worlds":     [{"name": "transform", "package": 0, "imports": [ITEM…], "exports": [ITEM…], PLACE}, …],
 *    "world":      null}
 *   TYPE     {"name": "element-meta", "text": "record element-meta {…}", "shape": "0123456789abcdef", "resource": false, "refers": […],
 *            PLACE}, and "use": its full name where `use` brought it in
 *   FUNCTION {"name": "buffer.read", "text": "buffer.read: func(offset: u64, len: u64) -> list<u8>", "shape": …, "refers": […], PLACE}
 *   ITEM     {"name": "torvyn:streaming/types@0.1.0", PLACE} and one of "interface": index, "function": FUNCTION, "type": TYPE
 *   PLACE    "file", "line" and "column" where known, and "deprecated": the version since which, where it is marked so
 * `text` is WIT. `shape` is equal for what is the same on the wire: names of types and parameters don't count, nor versions; names of
 * fields, cases and resources do. `refers` lists the named types it is directly made of, in full: "torvyn:streaming/types@0.1.0.buffer". */
tvb_status tvb_wit_model(const tvb_wit_file* files, uint64_t count, tvb_string* json, tvb_failure* failure);

/* All that is wrong with the files, as far as it can be told: `problem` is called once each, with what tvb_wit_model would have
 * filled; it is valid for the call and is not freed. TVB_OK, whether there are problems or not. */
tvb_status tvb_wit_problems(const tvb_wit_file* files, uint64_t count,
                            void (*problem)(void* user, const tvb_failure* problem), void* user, tvb_failure* failure);

/* A component as a model, from its bytes, without compiling: "world" is the index of the one it is. It has those parts of
 * interfaces that the component uses, and no places. */
tvb_status tvb_wasm_model(tvb_view wasm, tvb_string* json, tvb_failure* failure);

/* Guest bindings in C for `world` ("package:name/world@version"): each generated file is handed to `file`, its name without a
 * folder. The header is "torvyn.h", all names begin with "torvyn_" or "exports_". */
tvb_status tvb_bindings_c(const tvb_wit_file* files, uint64_t count, tvb_view world,
                          void (*file)(void* user, tvb_view name, tvb_view bytes), void* user, tvb_failure* failure);

/* Makes a component of a core module that carries its world (a wit-bindgen object or macro put it there); where the module imports
 * `wasi_snapshot_preview1` the preview1 adapter is built in. Debug names are kept. */
tvb_status tvb_componentize(tvb_view core_module, tvb_string* component, tvb_failure* failure);

/* Puts the type of `world` into a core module that has none, so that tvb_componentize can be used on it. */
tvb_status tvb_embed_world(tvb_view core_module, const tvb_wit_file* files, uint64_t count, tvb_view world,
                           tvb_string* out, tvb_failure* failure);

/* A component's imports and exports from its bytes alone, without compiling: JSON as tvb_component_describe. */
tvb_status tvb_wasm_describe(tvb_view wasm, tvb_string* json, tvb_failure* failure);

#ifdef __cplusplus
}
#endif

#endif /* TORVYN_BRIDGE_H */
