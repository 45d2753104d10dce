/* fetches: sends the requests that elements ask for, by WASI's own functions, and gives out what came back, a line for a line: "get URL", "post URL BODY", "hurry URL" (a
 * get that waits 200 ms for anything). The answer is the status and the body, or the error's name. */
#include "torvyn/fetching_transform.h"

#include <string.h>

#include "request.h"

typedef wasi_http_types_error_code_t http_error_t;

static const uint64_t hurry_ns = 200 * 1000 * 1000;

static const char* const names[] = {"DNS-timeout",
                                    "DNS-error",
                                    "destination-not-found",
                                    "destination-unavailable",
                                    "destination-IP-prohibited",
                                    "destination-IP-unroutable",
                                    "connection-refused",
                                    "connection-terminated",
                                    "connection-timeout",
                                    "connection-read-timeout",
                                    "connection-write-timeout",
                                    "connection-limit-reached",
                                    "TLS-protocol-error",
                                    "TLS-certificate-error",
                                    "TLS-alert-received",
                                    "HTTP-request-denied"};

static const char* name_of(const http_error_t* error) {
  if (error->tag < sizeof names / sizeof *names) return names[error->tag];
  if (error->tag == WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_URI_INVALID) return "HTTP-request-URI-invalid";
  if (error->tag == WASI_HTTP_TYPES_ERROR_CODE_HTTP_PROTOCOL_ERROR) return "HTTP-protocol-error";
  return "another error";
}

static torvyn_string_t string_of(const char* text, size_t size) { return (torvyn_string_t){(uint8_t*)text, size}; }

/* False: the URL is none. */
static bool set_url(wasi_http_types_borrow_outgoing_request_t request, const char* url, size_t size) {
  const char* const colon = memchr(url, ':', size);
  if (colon == NULL || size < (size_t)(colon - url) + 3) return false;
  wasi_http_types_scheme_t scheme = {.tag = WASI_HTTP_TYPES_SCHEME_OTHER};
  scheme.val.other = string_of(url, (size_t)(colon - url));
  if (strncmp(url, "http:", 5) == 0) scheme.tag = WASI_HTTP_TYPES_SCHEME_HTTP;
  if (strncmp(url, "https:", 6) == 0) scheme.tag = WASI_HTTP_TYPES_SCHEME_HTTPS;
  const char* const authority = colon + 3;
  const char* const end = url + size;
  const char* const slash = memchr(authority, '/', (size_t)(end - authority));
  const char* const path = slash == NULL ? end : slash;
  torvyn_string_t authority_text = string_of(authority, (size_t)(path - authority));
  torvyn_string_t path_text = string_of(path, (size_t)(end - path));
  return wasi_http_types_method_outgoing_request_set_scheme(request, &scheme) &&
         wasi_http_types_method_outgoing_request_set_authority(request, &authority_text) &&
         wasi_http_types_method_outgoing_request_set_path_with_query(request, path == end ? NULL : &path_text);
}

static bool write_body(wasi_http_types_own_outgoing_body_t body, const char* text) {
  wasi_http_types_own_output_stream_t stream;
  if (!wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(body), &stream)) return false;
  torvyn_list_u8_t bytes = {(uint8_t*)text, strlen(text)};
  wasi_io_streams_stream_error_t error;
  const bool written = wasi_io_streams_method_output_stream_blocking_write_and_flush(
      wasi_io_streams_borrow_output_stream(stream), &bytes, &error);
  wasi_io_streams_output_stream_drop_own(stream);
  http_error_t why;
  return wasi_http_types_static_outgoing_body_finish(body, NULL, &why) && written;
}

static const char* read_response(wasi_http_types_own_incoming_response_t response, char* room, size_t room_size) {
  const unsigned status =
      wasi_http_types_method_incoming_response_status(wasi_http_types_borrow_incoming_response(response));
  int used = snprintf(room, room_size, "%u ", status);
  wasi_http_types_own_incoming_body_t body;
  if (!wasi_http_types_method_incoming_response_consume(wasi_http_types_borrow_incoming_response(response), &body))
    return "no body";
  wasi_http_types_own_input_stream_t stream;
  if (!wasi_http_types_method_incoming_body_stream(wasi_http_types_borrow_incoming_body(body), &stream))
    return "no stream";
  const char* answer = room;
  for (size_t rest; (rest = room_size - (size_t)used - 1) > 0;) {
    torvyn_list_u8_t bytes;
    wasi_io_streams_stream_error_t error;
    if (!wasi_io_streams_method_input_stream_blocking_read(wasi_io_streams_borrow_input_stream(stream), rest, &bytes,
                                                           &error)) {
      if (error.tag == WASI_IO_STREAMS_STREAM_ERROR_LAST_OPERATION_FAILED) answer = "the body ended too early";
      wasi_io_streams_stream_error_free(&error);
      break;
    }
    memcpy(room + used, bytes.ptr, bytes.len);
    used += (int)bytes.len;
    room[used] = '\0';
    torvyn_list_u8_free(&bytes);
  }
  wasi_io_streams_input_stream_drop_own(stream);
  wasi_http_types_incoming_body_drop_own(body);
  wasi_http_types_incoming_response_drop_own(response);
  return answer;
}

static const char* send_request(wasi_http_types_own_outgoing_request_t request,
                                wasi_http_types_own_request_options_t* options, const char* text, char* room,
                                size_t room_size) {
  wasi_http_types_own_outgoing_body_t body;
  if (text != NULL &&
      !wasi_http_types_method_outgoing_request_body(wasi_http_types_borrow_outgoing_request(request), &body))
    return "no body";
  http_error_t error;
  wasi_http_types_own_future_incoming_response_t own;
  if (!wasi_http_outgoing_handler_handle(request, options, &own, &error)) return name_of(&error);
  if (text != NULL && !write_body(body, text)) return "the body was not taken";
  const wasi_http_types_borrow_future_incoming_response_t future = wasi_http_types_borrow_future_incoming_response(own);
  const wasi_io_poll_own_pollable_t pollable = wasi_http_types_method_future_incoming_response_subscribe(future);
  wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(pollable));
  wasi_io_poll_pollable_drop_own(pollable);
  wasi_http_types_result_result_own_incoming_response_error_code_void_t result;
  const bool is_there = wasi_http_types_method_future_incoming_response_get(future, &result);
  wasi_http_types_future_incoming_response_drop_own(own);
  if (!is_there || result.is_err) return "nothing came";
  if (result.val.ok.is_err) return name_of(&result.val.ok.val.err);
  return read_response(result.val.ok.val.ok, room, room_size);
}

static const char* answer_to(const char* verb, const char* what, char* room, size_t room_size) {
  const size_t url_size = strcspn(what, " ");
  const char* text = NULL;
  const wasi_http_types_own_outgoing_request_t own =
      wasi_http_types_constructor_outgoing_request(wasi_http_types_constructor_fields());
  const wasi_http_types_borrow_outgoing_request_t request = wasi_http_types_borrow_outgoing_request(own);
  if (!set_url(request, what, url_size)) return "what?";
  if (strcmp(verb, "post") == 0) {
    wasi_http_types_method_t method = {.tag = WASI_HTTP_TYPES_METHOD_POST};
    if (!wasi_http_types_method_outgoing_request_set_method(request, &method)) return "no method";
    text = what[url_size] == '\0' ? "" : what + url_size + 1;
  }
  if (strcmp(verb, "hurry") != 0) return send_request(own, NULL, text, room, room_size);
  wasi_http_types_own_request_options_t options = wasi_http_types_constructor_request_options();
  const wasi_http_types_borrow_request_options_t changed = wasi_http_types_borrow_request_options(options);
  uint64_t duration_ns = hurry_ns;
  if (!wasi_http_types_method_request_options_set_first_byte_timeout(changed, &duration_ns) ||
      !wasi_http_types_method_request_options_set_between_bytes_timeout(changed, &duration_ns))
    return "no options";
  return send_request(own, &options, text, room, room_size);
}
