/* dials: does what each element asks for, by WASI's own functions, and gives out what came of it, a line for a line: "connect A.B.C.D:PORT", "listen PORT", "udp A.B.C.D:PORT",
 * "lookup NAME" (the first address), "call NAME PORT" (looks it up and connects), "has CAPABILITY", and "hold COUNT" (sockets, kept for good). */
#include "torvyn/dialling_transform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

typedef wasi_sockets_network_error_code_t error_code_t;
typedef wasi_sockets_network_ip_socket_address_t socket_address_t;
typedef wasi_sockets_tcp_own_tcp_socket_t tcp_socket_t;

static const char* const names[] = {"unknown",
                                    "access-denied",
                                    "not-supported",
                                    "invalid-argument",
                                    "out-of-memory",
                                    "timeout",
                                    "concurrency-conflict",
                                    "not-in-progress",
                                    "would-block",
                                    "invalid-state",
                                    "new-socket-limit",
                                    "address-not-bindable",
                                    "address-in-use",
                                    "remote-unreachable",
                                    "connection-refused",
                                    "connection-reset",
                                    "connection-aborted",
                                    "datagram-too-large",
                                    "name-unresolvable",
                                    "temporary-resolver-failure",
                                    "permanent-resolver-failure"};

static wasi_sockets_network_borrow_network_t network(void) {
  static wasi_sockets_instance_network_own_network_t own;
  static bool made = false;
  if (!made) own = wasi_sockets_instance_network_instance_network();
  made = true;
  return wasi_sockets_network_borrow_network(own);
}

static void wait_for(wasi_io_poll_own_pollable_t pollable) {
  wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(pollable));
  wasi_io_poll_pollable_drop_own(pollable);
}

static socket_address_t v4(unsigned a, unsigned b, unsigned c, unsigned d, unsigned port) {
  socket_address_t address = {.tag = WASI_SOCKETS_NETWORK_IP_SOCKET_ADDRESS_IPV4};
  address.val.ipv4.port = (uint16_t)port;
  address.val.ipv4.address.f0 = (uint8_t)a;
  address.val.ipv4.address.f1 = (uint8_t)b;
  address.val.ipv4.address.f2 = (uint8_t)c;
  address.val.ipv4.address.f3 = (uint8_t)d;
  return address;
}

static bool read_address(const char* text, socket_address_t* address) {
  unsigned a = 0, b = 0, c = 0, d = 0, port = 0;
  const bool read = sscanf(text, "%u.%u.%u.%u:%u", &a, &b, &c, &d, &port) == 5;
  *address = v4(a, b, c, d, port);
  return read;
}

static const char* connect_to(socket_address_t* address) {
  error_code_t error = 0;
  tcp_socket_t own;
  if (!wasi_sockets_tcp_create_socket_create_tcp_socket(WASI_SOCKETS_NETWORK_IP_ADDRESS_FAMILY_IPV4, &own, &error))
    return names[error];
  const wasi_sockets_tcp_borrow_tcp_socket_t socket = wasi_sockets_tcp_borrow_tcp_socket(own);
  const char* answer = "connected";
  if (!wasi_sockets_tcp_method_tcp_socket_start_connect(socket, network(), address, &error)) {
    answer = names[error];
  } else {
    wait_for(wasi_sockets_tcp_method_tcp_socket_subscribe(socket));
    wasi_sockets_tcp_tuple2_own_input_stream_own_output_stream_t streams;
    if (!wasi_sockets_tcp_method_tcp_socket_finish_connect(socket, &streams, &error)) {
      answer = names[error];
    } else {
      wasi_io_streams_input_stream_drop_own(streams.f0);
      wasi_io_streams_output_stream_drop_own(streams.f1);
    }
  }
  wasi_sockets_tcp_tcp_socket_drop_own(own);
  return answer;
}

static const char* listen_at(unsigned port) {
  error_code_t error = 0;
  tcp_socket_t own;
  if (!wasi_sockets_tcp_create_socket_create_tcp_socket(WASI_SOCKETS_NETWORK_IP_ADDRESS_FAMILY_IPV4, &own, &error))
    return names[error];
  const wasi_sockets_tcp_borrow_tcp_socket_t socket = wasi_sockets_tcp_borrow_tcp_socket(own);
  socket_address_t address = v4(127, 0, 0, 1, port);
  const bool listens = wasi_sockets_tcp_method_tcp_socket_start_bind(socket, network(), &address, &error) &&
                       wasi_sockets_tcp_method_tcp_socket_finish_bind(socket, &error) &&
                       wasi_sockets_tcp_method_tcp_socket_start_listen(socket, &error) &&
                       wasi_sockets_tcp_method_tcp_socket_finish_listen(socket, &error);
  wasi_sockets_tcp_tcp_socket_drop_own(own);
  return listens ? "listening" : names[error];
}

static const char* send_to(socket_address_t* address) {
  error_code_t error = 0;
  wasi_sockets_udp_own_udp_socket_t own;
  if (!wasi_sockets_udp_create_socket_create_udp_socket(WASI_SOCKETS_NETWORK_IP_ADDRESS_FAMILY_IPV4, &own, &error))
    return names[error];
  const wasi_sockets_udp_borrow_udp_socket_t socket = wasi_sockets_udp_borrow_udp_socket(own);
  socket_address_t any = v4(0, 0, 0, 0, 0);
  wasi_sockets_udp_tuple2_own_incoming_datagram_stream_own_outgoing_datagram_stream_t streams;
  const char* answer = "sent";
  if (!wasi_sockets_udp_method_udp_socket_start_bind(socket, network(), &any, &error) ||
      !wasi_sockets_udp_method_udp_socket_finish_bind(socket, &error) ||
      !wasi_sockets_udp_method_udp_socket_stream(socket, NULL, &streams, &error)) {
    answer = names[error];
  } else {
    const wasi_sockets_udp_borrow_outgoing_datagram_stream_t out =
        wasi_sockets_udp_borrow_outgoing_datagram_stream(streams.f1);
    wasi_sockets_udp_outgoing_datagram_t datagram = {.data = {(uint8_t*)"hello", 5},
                                                     .remote_address = {.is_some = true, .val = *address}};
    wasi_sockets_udp_list_outgoing_datagram_t all = {&datagram, 1};
    uint64_t count = 0;
    if (!wasi_sockets_udp_method_outgoing_datagram_stream_check_send(out, &count, &error) ||
        !wasi_sockets_udp_method_outgoing_datagram_stream_send(out, &all, &count, &error))
      answer = names[error];
    wasi_sockets_udp_incoming_datagram_stream_drop_own(streams.f0);
    wasi_sockets_udp_outgoing_datagram_stream_drop_own(streams.f1);
  }
  wasi_sockets_udp_udp_socket_drop_own(own);
  return answer;
}

/* The first IPv4 address of `name`, with port 0. NULL, or what went wrong. */
static const char* look_up(const char* name, socket_address_t* address) {
  error_code_t error = 0;
  torvyn_string_t text = {(uint8_t*)name, strlen(name)};
  wasi_sockets_ip_name_lookup_own_resolve_address_stream_t own;
  if (!wasi_sockets_ip_name_lookup_resolve_addresses(network(), &text, &own, &error)) return names[error];
  const wasi_sockets_ip_name_lookup_borrow_resolve_address_stream_t stream =
      wasi_sockets_ip_name_lookup_borrow_resolve_address_stream(own);
  const char* answer = "no-address";
  for (;;) {
    wasi_sockets_ip_name_lookup_option_ip_address_t found;
    if (!wasi_sockets_ip_name_lookup_method_resolve_address_stream_resolve_next_address(stream, &found, &error)) {
      if (error != WASI_SOCKETS_NETWORK_ERROR_CODE_WOULD_BLOCK) {
        answer = names[error];
        break;
      }
      wait_for(wasi_sockets_ip_name_lookup_method_resolve_address_stream_subscribe(stream));
    } else if (!found.is_some) {
      break;
    } else if (found.val.tag == WASI_SOCKETS_NETWORK_IP_ADDRESS_IPV4) {
      const wasi_sockets_network_ipv4_address_t ip = found.val.val.ipv4;
      *address = v4(ip.f0, ip.f1, ip.f2, ip.f3, 0);
      answer = NULL;
      break;
    }
  }
  wasi_sockets_ip_name_lookup_resolve_address_stream_drop_own(own);
  return answer;
}

static const char* hold(unsigned count) {
  error_code_t error = 0;
  for (unsigned i = 0; i < count; ++i) {
    tcp_socket_t own;
    if (!wasi_sockets_tcp_create_socket_create_tcp_socket(WASI_SOCKETS_NETWORK_IP_ADDRESS_FAMILY_IPV4, &own, &error))
      return names[error];
  }
  return "held";
}

static const char* answer_to(const char* verb, const char* what, char* room, size_t room_size) {
  socket_address_t address;
  if (strcmp(verb, "connect") == 0 && read_address(what, &address)) return connect_to(&address);
  if (strcmp(verb, "udp") == 0 && read_address(what, &address)) return send_to(&address);
  if (strcmp(verb, "listen") == 0) return listen_at((unsigned)strtoul(what, NULL, 10));
  if (strcmp(verb, "hold") == 0) return hold((unsigned)strtoul(what, NULL, 10));
  if (strcmp(verb, "has") == 0) {
    torvyn_string_t name = {(uint8_t*)what, strlen(what)};
    return torvyn_capabilities_capability_query_has_capability(&name) ? "yes" : "no";
  }
  if (strcmp(verb, "lookup") == 0) {
    const char* error = look_up(what, &address);
    if (error != NULL) return error;
    const wasi_sockets_network_ipv4_address_t ip = address.val.ipv4.address;
    snprintf(room, room_size, "%u.%u.%u.%u", ip.f0, ip.f1, ip.f2, ip.f3);
    return room;
  }
  if (strcmp(verb, "call") == 0) {
    char name[256] = {0};
    unsigned port = 0;
    if (sscanf(what, "%255s %u", name, &port) != 2) return "what?";
    const char* error = look_up(name, &address);
    if (error != NULL) return error;
    address.val.ipv4.port = (uint16_t)port;
    return connect_to(&address);
  }
  return "what?";
}
