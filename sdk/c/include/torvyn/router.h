/* A router: sends each element to named output ports, and copies nothing but what it reads.
 *
 *   #include <torvyn/router.h>
 *
 *   static bool by_status(const torvyn_element* in, torvyn_ports* ports) {
 *     torvyn_route(ports, in->size > 0 && in->bytes[0] == '5' ? "errors" : "output");
 *     return true;
 *   }
 *   TORVYN_ROUTER(by_status)
 *
 * Ports are those that the flow's edges leave the node by; a name that is none of them ends the instance (E0204). No port
 * drops the element, several share it. False: torvyn_fail said what is wrong. Define TORVYN_PER_ELEMENT before the include
 * for the per-element contract. */
#pragma once

#include "torvyn/element.h"
#include "torvyn/output.h"
#include "torvyn/settings.h"

#ifdef __wasm__
#if !defined(TORVYN_OWN_WORLD) && defined(TORVYN_PER_ELEMENT)
#include "torvyn/content_router.h"
#elif !defined(TORVYN_OWN_WORLD)
#include "torvyn/batch_content_router.h"
#endif
#ifdef TORVYN_PER_ELEMENT
#include "torvyn/detail/one.h"
#else
#include "torvyn/detail/batch.h"
#endif
#endif

/* One port, and what goes there. */
typedef struct {
  char* name;
  uint32_t* indices; /* rising */
  size_t count;
  size_t capacity;
} torvyn_port;

/* The members are the SDK's own. `{0}` is an empty one, as a test uses; torvyn_ports_free frees its memory. */
typedef struct {
  torvyn_port* ports; /* all that were ever named */
  size_t count;
  uint32_t index; /* of the element that is on */
} torvyn_ports;

static inline torvyn_port* torvyn_find_port(torvyn_ports* ports, const char* name) {
  for (size_t i = 0; i < ports->count; ++i) {
    if (strcmp(ports->ports[i].name, name) == 0) return &ports->ports[i];
  }
  const size_t size = strlen(name) + 1;
  ports->ports = (torvyn_port*)torvyn_resize(ports->ports, (ports->count + 1) * sizeof *ports->ports);
  torvyn_port* const port = &ports->ports[ports->count++];
  memset(port, 0, sizeof *port);
  port->name = (char*)memcpy(torvyn_resize(NULL, size), name, size);
  return port;
}

/* Sends the element to the port `name`, once however often it is said. */
static inline void torvyn_route(torvyn_ports* ports, const char* name) {
  torvyn_port* const port = torvyn_find_port(ports, name);
  if (port->count != 0 && port->indices[port->count - 1] == ports->index) return;
  if (port->count == port->capacity) {
    port->capacity = port->capacity == 0 ? 64 : 2 * port->capacity;
    port->indices = (uint32_t*)torvyn_resize(port->indices, port->capacity * sizeof *port->indices);
  }
  port->indices[port->count++] = ports->index;
}

/* Whether the element was sent there. */
static inline bool torvyn_is_routed(const torvyn_ports* ports, const char* name) {
  for (size_t i = 0; i < ports->count; ++i) {
    const torvyn_port* const port = &ports->ports[i];
    if (port->count != 0 && port->indices[port->count - 1] == ports->index && strcmp(port->name, name) == 0)
      return true;
  }
  return false;
}

/* Forgets where elements go, but not the ports. */
static inline void torvyn_ports_clear(torvyn_ports* ports) {
  for (size_t i = 0; i < ports->count; ++i) ports->ports[i].count = 0;
}

static inline void torvyn_ports_free(torvyn_ports* ports) {
  for (size_t i = 0; i < ports->count; ++i) {
    free(ports->ports[i].name);
    free(ports->ports[i].indices);
  }
  free(ports->ports);
  memset(ports, 0, sizeof *ports);
}

/* What TORVYN_ROUTER makes of its arguments. All but the first may be NULL. */
typedef struct {
  bool (*route)(const torvyn_element* in, torvyn_ports* ports);
  bool (*init)(torvyn_settings* settings); /* before the first element */
  void (*teardown)(void);                  /* after the last one */
} torvyn_router;

/* TORVYN_ROUTER(by_status) or TORVYN_ROUTER(by_status, .init = configure), once in a component. In a test on the host
 * machine it defines `torvyn_component` with these functions. */
#define TORVYN_ROUTER(...) TORVYN_EXPORT_ROUTER(.route = __VA_ARGS__)

#if !defined(__wasm__)
#define TORVYN_EXPORT_ROUTER(...) static const torvyn_router torvyn_component __attribute__((unused)) = {__VA_ARGS__};

#elif defined(TORVYN_PER_ELEMENT)
#define TORVYN_EXPORT_ROUTER(...)                                                                    \
  static const torvyn_router torvyn_component = {__VA_ARGS__};                                       \
  bool exports_torvyn_filtering_router_route(torvyn_stream_element* input, torvyn_list_string_t* to, \
                                             torvyn_process_error* error) {                          \
    return torvyn_call_router(&torvyn_component, input, to, error);                                  \
  }                                                                                                  \
  TORVYN_EXPORT_LIFECYCLE(torvyn_component)

static inline bool torvyn_call_router(const torvyn_router* router, torvyn_stream_element* input,
                                      torvyn_list_string_t* to, torvyn_process_error* error) {
  static torvyn_ports ports;
  const torvyn_element element = torvyn_open_element(input);
  const bool good = router->route(&element, &ports);
  torvyn_close_element(input, &element);
  to->len = 0;
  to->ptr = NULL;
  if (good && ports.count != 0) {
    to->ptr = (torvyn_string_t*)torvyn_resize(NULL, ports.count * sizeof *to->ptr);
    for (size_t i = 0; i < ports.count; ++i) {
      if (ports.ports[i].count != 0) torvyn_string_dup(&to->ptr[to->len++], ports.ports[i].name);
    }
    if (to->len == 0) free(to->ptr); /* the caller's side frees no empty list */
  }
  torvyn_ports_clear(&ports);
  return good || torvyn_give_error(error);
}

#else
#define TORVYN_EXPORT_ROUTER(...)                                                                         \
  static const torvyn_router torvyn_component = {__VA_ARGS__};                                            \
  bool exports_torvyn_batching_batch_router_route(torvyn_batch_handle input, torvyn_writer_handle output, \
                                                  torvyn_batch_error* error) {                            \
    return torvyn_call_router(&torvyn_component, input, output, error);                                   \
  }                                                                                                       \
  TORVYN_EXPORT_LIFECYCLE(torvyn_component)

static inline bool torvyn_call_router(const torvyn_router* router, torvyn_batch_handle input,
                                      torvyn_writer_handle writer, torvyn_batch_error* error) {
  static torvyn_ports ports; /* kept from call to call: its room is used again */
  const uint32_t count = torvyn_open_run(input);
  uint32_t start = 0;
  uint32_t done = 0;
  for (; done < count; ++done) {
    const torvyn_element element = torvyn_run_element(done, start);
    start += (uint32_t)element.size;
    ports.index = done;
    torvyn_clear_error();
    if (!router->route(&element, &ports)) break;
  }
  for (size_t i = 0; i < ports.count; ++i) {
    torvyn_port* const port = &ports.ports[i];
    if (done < count && port->count != 0 && port->indices[port->count - 1] == done) port->count--; /* it failed */
    if (port->count == 0) continue;
    torvyn_string_t name;
    torvyn_string_set(&name, port->name); /* lent for the call */
    torvyn_list_u32_t indices = {port->indices, port->count};
    torvyn_batching_types_method_batch_writer_forward_to(writer, &name, &indices);
  }
  torvyn_ports_clear(&ports);
  torvyn_close_run();
  torvyn_batching_types_batch_writer_drop_borrow(writer);
  return done == count || torvyn_give_batch_error(error, done);
}
#endif
