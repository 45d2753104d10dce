/* Torvyn for programs in C, and in whatever calls C: plugins, hosts, and flows with functions and data of the program's own.
 *
 * Conventions
 *   Results    What can fail returns a torvyn_error*: NULL is success. The caller frees it with torvyn_error_free. An out parameter is written only
 *              on success.
 *   Handles    Opaque; whoever got one frees it with the matching _free; freeing NULL does nothing. NULL where a handle is wanted is E0006.
 *   Text       In: ended by a zero byte, UTF-8, valid for the call. Out: as said there; a char* the caller owns is freed by torvyn_text_free.
 *   Options    Structures begin with their size, which torvyn_…_init writes with the defaults: a program that was built against an older
 *              header goes on working.
 *   Threads    A host and an inlet may be used from any thread, all functions at once; anything else by one thread at a time. Callbacks run on threads of
 *              the host's, one call of a function at a time; they may not wait for long, call the host or unwind (no longjmp, no exceptions).
 *   Global     There is no state but in handles, and nothing to initialise.
 */
#ifndef TORVYN_C_TORVYN_H
#define TORVYN_C_TORVYN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TORVYN_API __attribute__((visibility("default")))
#else
#define TORVYN_API
#endif

/* "0.1.0", of the library that runs. Static. */
TORVYN_API const char* torvyn_version(void);

/* ---- errors --------------------------------------------------------------------------------------------------------- */

typedef struct torvyn_error torvyn_error;

/* "E0104"; what happened; what to do about it, or "". All of it in one line. Valid until the error is freed. */
TORVYN_API const char* torvyn_error_code(const torvyn_error* error);
TORVYN_API const char* torvyn_error_message(const torvyn_error* error);
TORVYN_API const char* torvyn_error_hint(const torvyn_error* error);
TORVYN_API const char* torvyn_error_text(const torvyn_error* error);
TORVYN_API void torvyn_error_free(torvyn_error* error);

TORVYN_API void torvyn_text_free(char* text);

/* What a person may want to read: level 0 trace … 4 error; `code` is "W0500" or ""; `node` the stage it is about, or "". A line that a guest
 * wrote comes with the code "guest". Called from any thread; the texts are valid for the call. */
typedef void (*torvyn_event_function)(void* user, int level, const char* code, const char* node, const char* text);

/* ---- a component without a flow ------------------------------------------------------------------------------------- */

typedef struct torvyn_plugin torvyn_plugin;

typedef struct torvyn_plugin_options {
  size_t size;
  uint64_t max_memory_bytes; /* linear memories and tables together */
  uint64_t max_buffer_bytes; /* of one input or output */
  uint64_t call_timeout_ns;  /* of guest time in one call */
  uint64_t max_log_bytes_per_s;
  const char* const* grants; /* "filesystem-read:/data"; NULL: clocks and random */
  size_t grant_count;
  const char* settings;        /* handed to `init`; NULL: none */
  const char* cache_directory; /* of compiled code; NULL: it is compiled at every load */
  torvyn_event_function on_event;
  void* user;
} torvyn_plugin_options;
TORVYN_API void torvyn_plugin_options_init(torvyn_plugin_options* options);

typedef enum torvyn_plugin_status {
  TORVYN_PLUGIN_OK = 0,
  TORVYN_PLUGIN_REFUSED = 1, /* the component cannot deal with the input: `text`. It goes on with the next one */
  TORVYN_PLUGIN_ENDED =
      2 /* it trapped or ran out of time: torvyn_plugin_failure. It answers nothing else until it is restarted */
} torvyn_plugin_status;

typedef struct torvyn_output {
  const uint8_t* bytes;
  size_t size;
  const char* content_type; /* not ended by a zero byte */
  size_t content_type_size;
  uint32_t input; /* which one of the run it came from */
} torvyn_output;

/* Valid until the plugin's next call. */
typedef struct torvyn_answer {
  torvyn_plugin_status status;
  uint32_t done; /* inputs that were dealt with */
  const torvyn_output* outputs;
  size_t output_count;
  const char* text; /* of a refusal; not ended by a zero byte */
  size_t text_size;
} torvyn_answer;

typedef struct torvyn_bytes {
  const void* data;
  size_t size;
} torvyn_bytes;

/* A processor or filter. `options` may be NULL. */
TORVYN_API torvyn_error* torvyn_plugin_load(const char* path, const torvyn_plugin_options* options,
                                            torvyn_plugin** plugin);
TORVYN_API void torvyn_plugin_free(torvyn_plugin* plugin);
/* On the caller's thread; allocates nothing in steady state. `content_type` may be NULL. */
TORVYN_API torvyn_error* torvyn_plugin_process(torvyn_plugin* plugin, const void* data, size_t size,
                                               const char* content_type, torvyn_answer* answer);
/* Many inputs in one call. */
TORVYN_API torvyn_error* torvyn_plugin_process_run(torvyn_plugin* plugin, const torvyn_bytes* inputs, size_t count,
                                                   const char* content_type, torvyn_answer* answer);
/* Why it ended; NULL where it has not. */
TORVYN_API torvyn_error* torvyn_plugin_failure(const torvyn_plugin* plugin);
/* A fresh instance. */
TORVYN_API torvyn_error* torvyn_plugin_restart(torvyn_plugin* plugin);
/* Ends the call that is under way, and every later one. Any thread. */
TORVYN_API void torvyn_plugin_stop(torvyn_plugin* plugin);
TORVYN_API uint64_t torvyn_plugin_memory_bytes(const torvyn_plugin* plugin);

/* ---- flows with stages of the program's own ------------------------------------------------------------------------- */

typedef struct torvyn_flow torvyn_flow;
typedef struct torvyn_inlet torvyn_inlet;
typedef struct torvyn_outputs torvyn_outputs;

typedef struct torvyn_element {
  const uint8_t* bytes;
  size_t size;
  const char* content_type; /* not ended by a zero byte */
  size_t content_type_size;
  uint64_t sequence;
  uint64_t timestamp_ns;
} torvyn_element;

/* What a function says of an element, or of itself. Anything but OK, NOTHING_YET and END is an error; torvyn_outputs_refuse, called before, gives the words. */
typedef enum torvyn_stage_result {
  TORVYN_STAGE_OK = 0,
  TORVYN_STAGE_NOTHING_YET = 1, /* a source: ask again a little later */
  TORVYN_STAGE_END = 2,         /* a source: that was all */
  TORVYN_STAGE_INVALID_INPUT = 10,
  TORVYN_STAGE_UNAVAILABLE = 11,
  TORVYN_STAGE_INTERNAL = 12,
  TORVYN_STAGE_FATAL = 14 /* ends the flow */
} torvyn_stage_result;

/* `element` is NULL for a source, `outputs` takes nothing but words of a sink. Both are valid for the call. */
typedef torvyn_stage_result (*torvyn_stage_function)(void* user, const torvyn_element* element,
                                                     torvyn_outputs* outputs);

/* Copies the bytes. `content_type` NULL: the input's. */
TORVYN_API void torvyn_outputs_emit(torvyn_outputs* outputs, const void* data, size_t size, const char* content_type);
/* The input as it is, without a copy. */
TORVYN_API void torvyn_outputs_pass(torvyn_outputs* outputs);
/* A router's: where the next ones go. */
TORVYN_API void torvyn_outputs_to(torvyn_outputs* outputs, const char* port);
TORVYN_API void torvyn_outputs_refuse(torvyn_outputs* outputs, const char* text);

typedef enum torvyn_role { TORVYN_SOURCE = 0, TORVYN_PROCESSOR = 1, TORVYN_ROUTER = 2, TORVYN_SINK = 3 } torvyn_role;

/* Nodes without edges are a chain in the order they were added. What is wrong shows when the flow is started. */
TORVYN_API torvyn_error* torvyn_flow_new(const char* name, torvyn_flow** flow);
TORVYN_API void torvyn_flow_free(torvyn_flow* flow);
/* A component by its path or a built-in stage by its name. `settings`: the text for `init`, or NULL. Grants as in a manifest. */
TORVYN_API torvyn_error* torvyn_flow_add_component(torvyn_flow* flow, const char* node, const char* path,
                                                   const char* settings, const char* const* grants, size_t grant_count);
/* `role` is a torvyn_role. `release` (may be NULL) is called with `user` once nothing can call `function` any more. */
TORVYN_API torvyn_error* torvyn_flow_add_function(torvyn_flow* flow, const char* node, int role,
                                                  torvyn_stage_function function, void* user,
                                                  void (*release)(void* user));
/* A source that the program fills. It may be filled once the flow was started, and outlives the flow. */
TORVYN_API torvyn_error* torvyn_flow_add_inlet(torvyn_flow* flow, const char* node, uint32_t elements_max,
                                               torvyn_inlet** inlet);
/* "node" or "node.port". */
TORVYN_API torvyn_error* torvyn_flow_connect(torvyn_flow* flow, const char* from, const char* to);

typedef enum torvyn_push_result {
  TORVYN_PUSH_OK = 0,
  TORVYN_PUSH_FULL = 1,   /* try_push: there is no room now */
  TORVYN_PUSH_CLOSED = 2, /* nobody will take it */
  TORVYN_PUSH_TOO_LARGE = 3,
  TORVYN_PUSH_NO_BUFFER = 4,
  TORVYN_PUSH_INVALID = 5 /* NULL where something is wanted */
} torvyn_push_result;

/* Copies; waits for room. */
TORVYN_API torvyn_push_result torvyn_inlet_push(torvyn_inlet* inlet, const void* data, size_t size,
                                                const char* content_type);
TORVYN_API torvyn_push_result torvyn_inlet_try_push(torvyn_inlet* inlet, const void* data, size_t size,
                                                    const char* content_type);
/* Without a copy: the bytes stay as they are until `release` is called, once, on any thread; with another result than OK it is not called. */
TORVYN_API torvyn_push_result torvyn_inlet_push_adopted(torvyn_inlet* inlet, const void* data, size_t size,
                                                        const char* content_type, void (*release)(void* user),
                                                        void* user);
/* No more will come. */
TORVYN_API void torvyn_inlet_close(torvyn_inlet* inlet);
TORVYN_API void torvyn_inlet_free(torvyn_inlet* inlet);

/* ---- hosts ---------------------------------------------------------------------------------------------------------- */

typedef struct torvyn_host torvyn_host;

typedef struct torvyn_host_options {
  size_t size;
  const char* manifest;        /* a Torvyn.toml, whose flows the host knows; NULL: none */
  const char* base_directory;  /* relative paths are taken from here; NULL: the manifest's folder, or the current one */
  const char* cache_directory; /* of compiled code; NULL: none */
  int32_t
      worker_threads; /* -1: as the manifest says, or as many as cores; 0: nothing happens but in torvyn_host_run_some */
  torvyn_event_function on_event;
  void* user;
} torvyn_host_options;
TORVYN_API void torvyn_host_options_init(torvyn_host_options* options);

/* `options` may be NULL. Freeing a host cancels what still runs. */
TORVYN_API torvyn_error* torvyn_host_new(const torvyn_host_options* options, torvyn_host** host);
TORVYN_API void torvyn_host_free(torvyn_host* host);
/* "ready", "running", "shutting-down", "stopped". Static. */
TORVYN_API const char* torvyn_host_state(const torvyn_host* host);
TORVYN_API torvyn_error* torvyn_host_start(torvyn_host* host);
/* Starts all flows of the manifest and waits for their ends. `reports`: a JSON list, as of torvyn_host_wait; may be NULL. */
TORVYN_API torvyn_error* torvyn_host_run(torvyn_host* host, char** reports);
/* No new flows; what is in flight is finished, or cancelled after `drain_timeout_ns`. */
TORVYN_API torvyn_error* torvyn_host_shutdown(torvyn_host* host, uint64_t drain_timeout_ns);
/* Without worker threads: drives flows on the calling thread for about so long. `more` (may be NULL): there was more to do. */
TORVYN_API torvyn_error* torvyn_host_run_some(torvyn_host* host, uint64_t budget_ns, bool* more);
/* Takes another manifest; nothing is changed where something is wrong with it. */
TORVYN_API torvyn_error* torvyn_host_reload(torvyn_host* host, const char* manifest);

/* Of the manifest, by name; or one made here, which may be freed afterwards. `id` may be NULL. */
TORVYN_API torvyn_error* torvyn_host_start_flow(torvyn_host* host, const char* name, uint64_t* id);
TORVYN_API torvyn_error* torvyn_host_start_made(torvyn_host* host, const torvyn_flow* flow, uint64_t* id);
TORVYN_API torvyn_error* torvyn_host_find_flow(const torvyn_host* host, const char* name, uint64_t* id);
/* In good order; at once. Neither waits. */
TORVYN_API torvyn_error* torvyn_host_stop_flow(torvyn_host* host, uint64_t id);
TORVYN_API torvyn_error* torvyn_host_cancel_flow(torvyn_host* host, uint64_t id);
/* "running", "completed", "failed", … Static. */
TORVYN_API torvyn_error* torvyn_host_flow_state(const torvyn_host* host, uint64_t id, const char** state);
/* Waits for the flow's end. `report` (may be NULL): what `torvyn run --format json` says of it, with
 * `error` where it failed. */
TORVYN_API torvyn_error* torvyn_host_wait(torvyn_host* host, uint64_t id, char** report);
/* How it stands now. */
TORVYN_API torvyn_error* torvyn_host_report(torvyn_host* host, uint64_t id, char** report);
TORVYN_API torvyn_error* torvyn_host_swap(torvyn_host* host, uint64_t id, const char* node, const char* component);
/* "off", "production", "diagnostic". */
TORVYN_API torvyn_error* torvyn_host_set_level(torvyn_host* host, const char* level);

#ifdef __cplusplus
}
#endif

#endif
