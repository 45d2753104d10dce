/* torvyn_bridge.h as a C11 compiler sees it. Its numbers and sizes are written down here, and in bridge/src/layout.rs for Rust: what one
 * side changes alone doesn't build. */
#include <assert.h>
#include <stddef.h>

#include "torvyn_bridge.h"

#define SIZE(type, bytes) static_assert(sizeof(type) == (bytes), #type)
SIZE(tvb_view, 16);
SIZE(tvb_string, 16);
SIZE(tvb_status, 4);
SIZE(tvb_failure, 80);
SIZE(tvb_batch_meta, 32);
SIZE(tvb_host, 40 * sizeof(void (*)(void)));
SIZE(tvb_engine_options, 40);
SIZE(tvb_folder, 40);
SIZE(tvb_variable, 32);
SIZE(tvb_grants, 64);
SIZE(tvb_instance_options, 88);
SIZE(tvb_address, 20);
SIZE(tvb_guest_error, 24);
SIZE(tvb_element_in, 40);
SIZE(tvb_element_out, 24);
SIZE(tvb_wit_file, 48);

#define AT(type, field, bytes) static_assert(offsetof(type, field) == (bytes), #type "." #field)
AT(tvb_failure, message, 8);
AT(tvb_failure, file, 40);
AT(tvb_failure, line, 56);
AT(tvb_failure, memory_grow_failed, 64);
AT(tvb_failure, engine_memory_full, 72);
AT(tvb_batch_meta, content_type, 24);
AT(tvb_engine_options, max_stack_bytes, 8);
AT(tvb_engine_options, tick_ms, 16);
AT(tvb_engine_options, max_memory_bytes, 24);
AT(tvb_engine_options, typed_only, 32);
AT(tvb_grants, handles_max, 48);
AT(tvb_grants, stdin_open, 56);
AT(tvb_address, port, 16);
AT(tvb_instance_options, stop, 8);
AT(tvb_instance_options, start_ticks_max, 16);
AT(tvb_instance_options, grants, 24);
AT(tvb_guest_error, index, 4);
AT(tvb_guest_error, text, 8);
AT(tvb_element_in, content_type, 16);
AT(tvb_element_in, payload_rep, 32);
AT(tvb_element_in, context_rep, 36);
AT(tvb_element_out, content_type, 8);

#define IS(name, number) static_assert((name) == (number), #name)
IS(TVB_PAUSE, 4);
IS(TVB_FAILURE_LIMIT, 6);
IS(TVB_FAILURE_UNREACHABLE, 10);
IS(TVB_FAILURE_EXIT, 21);
IS(TVB_FAILURE_FOLDER, 22);
IS(TVB_FAILURE_WASI_HANDLES, 23);
IS(TVB_FAILURE_TRAP, 29);
IS(TVB_UDP_RECEIVE, 6);
IS(TVB_REFUSED, 0x10000);
IS(TVB_HAS_BATCH_PUSH, 1u << 12);

/* The C++ tests look at what compiled this. */
long torvyn_bridge_header_c_version(void);
long torvyn_bridge_header_c_version(void) { return __STDC_VERSION__; }
