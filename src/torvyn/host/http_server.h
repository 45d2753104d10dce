// A small HTTP server for few and trusted callers, robust against the others: the inspection API stands on it.
//
//   HttpListener listener{.socket_path = "/run/torvyn/host.sock", .handler = answer};
//   TORVYN_LET(const std::unique_ptr<HttpServer> server, HttpServer::start({std::move(listener)}, {}, events));
//
// It speaks HTTP/1.1 over Unix sockets, TCP and TLS, and answers whole bodies. Whatever a caller may do, it holds the server up by no more
// than the limits below: connections beyond them wait in the kernel's queue, slow ones are closed, large requests are refused before they
// are read.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/types/error.h"
#include "torvyn/types/event_sink.h"

namespace torvyn::host {

// A request as it was read. All of it is what a stranger wrote.
struct HttpRequest {
  std::string method;                                      // "GET"; HEAD is given as GET
  std::string path;                                        // begins with "/", percent-decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::string body;

  // The first of that name.
  std::optional<std::string_view> parameter(std::string_view name) const noexcept;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow = {};  // with 405: the methods there are
};

// Answers one request; may wait. What it throws becomes 500. Thread: several at once.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

// Splits and decodes a request's target: path, then query. Nothing where it is no target of a server's own: it doesn't begin with "/",
// an escape is cut short, or holds a zero byte.
std::optional<HttpRequest> parse_target(std::string_view target);

// A place to listen at: a Unix socket or a TCP address.
struct HttpListener {
  // At most 107 bytes. Its folder exists. It appears with its mode and owner set, in the place of one that a dead server left; FILE.lock
  // beside it is held while the server lives.
  std::filesystem::path socket_path = {};
  std::uint32_t socket_mode = 0600;
  std::string socket_group = {};  // empty: the process's

  std::string address = {};   // "HOST:PORT", "[::1]:0"; port 0 = any
  std::string tls_cert = {};  // files in PEM, both or none
  std::string tls_key = {};

  // Where set, a request without "Authorization: Bearer TOKEN" is answered with 401.
  std::string token = {};
  HttpHandler handler;
};

// How far anybody can go.
struct HttpLimits {
  std::uint32_t connections_max = 64;                         // open at once, all listeners together
  std::uint32_t handlers_max = 4;                             // answering at once: threads
  std::uint32_t header_bytes_max = 16 * 1024;                 // of one request, with its first line
  std::uint64_t body_bytes_max = std::uint64_t{1024} * 1024;  // of one request
  std::chrono::milliseconds request_timeout{
      10'000};  // from a request's first byte to its last, and for the answer to be taken
  std::chrono::milliseconds idle_timeout{30'000};  // between requests of a connection
};

class HttpServer {
 public:
  // Listens when it returns. Its threads block all signals.
  // Errors: E0520 where an address is in use (by a living server, for a socket) or refused; E0004 where a certificate or key cannot be
  // read; E0702 a group that there is not, a path too long, an address that is none.
  static Result<std::unique_ptr<HttpServer>> start(std::vector<HttpListener> listeners, const HttpLimits& limits,
                                                   EventSink& events);
  // Closes every connection; waits for handlers that are at work. Removes its sockets.
  virtual ~HttpServer() = default;

  // Where the listeners listen, in their order: a path, or "HOST:PORT" with the port that was given.
  virtual std::vector<std::string> addresses() const = 0;
};

}  // namespace torvyn::host
