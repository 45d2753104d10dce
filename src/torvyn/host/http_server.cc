#include "torvyn/host/http_server.h"

// Before Boost's headers, which rely on them.
#include <fcntl.h>
#include <grp.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <coroutine>
#include <csignal>
#include <set>
#include <thread>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "torvyn/types/file.h"

// NOLINTBEGIN(bugprone-unused-return-value): Asio gives the error back that it has put into its last argument.
namespace torvyn::host {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using asio::local::stream_protocol;
using boost::system::error_code;

namespace {

constexpr std::size_t target_bytes_max = 4096;
// After a descriptor could not be had (EMFILE), before the next try.
constexpr std::chrono::milliseconds accept_retry{100};

std::string json_error(std::string_view message) {
  // The messages are this file's own: nothing in them needs an escape.
  return "{\"errors\":[{\"code\":\"E0006\",\"message\":\"" + std::string(message) + "\"}]}\n";
}

HttpResponse refusal(unsigned status, std::string_view message) {
  return {.status = status, .body = json_error(message)};
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) c = ' ';
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    decoded += c;
  }
  return decoded;
}

// Takes as long whatever stands in it.
bool equal_secrets(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view view_of(beast::string_view text) noexcept { return {text.data(), text.size()}; }

// A page in somebody's browser may send requests to this machine's own addresses: what tells them apart is what every browser adds.
bool from_a_browser(const http::fields& fields) { return fields.find(http::field::origin) != fields.end(); }

// Against a name that an attacker lets point at this machine: such a request carries that name.
bool names_this_machine(std::string_view host) {
  if (host.empty()) return true;
  if (host.front() == '[') return true;
  if (const auto colon = host.rfind(':'); colon != std::string_view::npos) host = host.substr(0, colon);
  error_code error;
  static_cast<void>(asio::ip::make_address(std::string(host), error));
  return !error || host == "localhost";
}

// Held for as long as a server listens at a path.
class SocketLock {
 public:
  static Result<SocketLock> take(const std::filesystem::path& socket) {
    const std::string path = socket.string() + ".lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return fail(io_error("cannot open", path, errno));
    SocketLock lock(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
      return fail(ErrorCode::address_in_use, "another host listens at `" + socket.string() + "`",
                  "stop it, or give this one another TORVYN_STATE_DIR");
    return lock;
  }
  SocketLock(SocketLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  SocketLock& operator=(SocketLock&&) = delete;
  ~SocketLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit SocketLock(int fd) noexcept : fd_(fd) {}
  int fd_;
};

Result<gid_t> group_of(const std::string& name) {
  std::vector<char> scratch(std::size_t{64} * 1024);
  group entry{};
  group* found = nullptr;
  ::getgrnam_r(name.c_str(), &entry, scratch.data(), scratch.size(), &found);
  if (found == nullptr)
    return fail(ErrorCode::out_of_range, "there is no group `" + name + "` for the socket",
                "name one in [api] socket_group");
  return found->gr_gid;
}

// Where one listener listens, and what is behind it.
struct Site {
  explicit Site(HttpListener given) : listener(std::move(given)) {}
  Site(Site&&) = default;
  ~Site() {
    if (lock) ::unlink(listener.socket_path.c_str());
  }

  HttpListener listener;
  std::string address;
  bool is_tcp = false;
  std::optional<SocketLock> lock;
  std::optional<tcp::acceptor> tcp_acceptor;
  std::optional<stream_protocol::acceptor> unix_acceptor;
  std::unique_ptr<asio::ssl::context> tls;
};

Error refused(const std::string& address, const error_code& error) {
  return {ErrorCode::address_in_use, "cannot listen at `" + address + "`: " + error.message(),
          "choose another address, or stop what uses this one"};
}

Status listen_at_path(Site& site, asio::io_context& context) {
  const HttpListener& listener = site.listener;
  const std::string path = listener.socket_path.string();
  const std::string unfinished = path + "." + std::to_string(::getpid());
  if (unfinished.size() >= sizeof(sockaddr_un::sun_path))
    return fail(ErrorCode::out_of_range, "the socket's path `" + path + "` is too long for the system",
                "set TORVYN_STATE_DIR to a folder with a shorter name");
  TORVYN_LET(SocketLock lock, SocketLock::take(listener.socket_path));
  site.lock.emplace(std::move(lock));
  // It takes nobody in before its mode is right, and replaces the one before in one step.
  ::unlink(unfinished.c_str());
  error_code error;
  stream_protocol::acceptor acceptor(context);
  acceptor.open(stream_protocol(), error);
  if (!error) acceptor.bind(stream_protocol::endpoint(unfinished), error);
  if (error) return fail(refused(path, error));
  Status made = [&]() -> Status {
    if (::chmod(unfinished.c_str(), listener.socket_mode) != 0)
      return fail(io_error("cannot set the mode of", path, errno));
    if (!listener.socket_group.empty()) {
      TORVYN_LET(const gid_t group, group_of(listener.socket_group));
      if (::chown(unfinished.c_str(), static_cast<uid_t>(-1), group) != 0)
        return fail(io_error("cannot give to its group", path, errno));
    }
    acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return fail(refused(path, error));
    if (::rename(unfinished.c_str(), path.c_str()) != 0) return fail(io_error("cannot make", path, errno));
    return {};
  }();
  if (!made) {
    ::unlink(unfinished.c_str());
    return made;
  }
  site.unix_acceptor.emplace(std::move(acceptor));
  site.address = path;
  return {};
}

Status load_certificate(Site& site) {
  const HttpListener& listener = site.listener;
  if (listener.tls_cert.empty()) return {};
  site.tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  error_code error;
  site.tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                        asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  site.tls->use_certificate_chain_file(listener.tls_cert, error);
  if (error)
    return fail(ErrorCode::io_failed, "cannot use the certificate `" + listener.tls_cert + "`: " + error.message(),
                "[api] tls_cert names a file in PEM, the server's own certificate first");
  site.tls->use_private_key_file(listener.tls_key, asio::ssl::context::pem, error);
  if (error)
    return fail(ErrorCode::io_failed, "cannot use the key `" + listener.tls_key + "`: " + error.message(),
                "[api] tls_key names a file in PEM, the key of tls_cert");
  return {};
}

Status listen_at_address(Site& site, asio::io_context& context) {
  const std::string& address = site.listener.address;
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return fail(ErrorCode::out_of_range, "`" + address + "` is not an address to listen at", "write HOST:PORT");
  std::string host = address.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  TORVYN_TRY(load_certificate(site));
  error_code error;
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, address.substr(colon + 1), tcp::resolver::passive, error);
  if (error) return fail(refused(address, error));
  const tcp::endpoint endpoint = found.begin()->endpoint();
  tcp::acceptor acceptor(context);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(refused(address, error));
  const auto bound = acceptor.local_endpoint(error);
  const std::string numeric = bound.address().to_string();
  site.address = (bound.address().is_v6() ? "[" + numeric + "]" : numeric) + ":" + std::to_string(bound.port());
  site.is_tcp = true;
  site.tcp_acceptor.emplace(std::move(acceptor));
  return {};
}

class BeastServer final : public HttpServer {
 public:
  BeastServer(const HttpLimits& limits, EventSink& events)
      : limits_(limits), events_(events), handlers_(limits.handlers_max) {}

  Status open(std::vector<HttpListener> listeners) {
    for (HttpListener& listener : listeners) {
      auto site = std::make_unique<Site>(std::move(listener));
      TORVYN_TRY(site->listener.socket_path.empty() ? listen_at_address(*site, context_)
                                                    : listen_at_path(*site, context_));
      sites_.push_back(std::move(site));
    }
    return {};
  }

  void start() {
    for (const auto& site : sites_) {
      if (site->tcp_acceptor) spawn(accept(*site, *site->tcp_acceptor));
      if (site->unix_acceptor) spawn(accept(*site, *site->unix_acceptor));
    }
    thread_ = std::thread([this] { context_.run(); });
  }

  // Everything ends by itself once it is asked to: what is suspended is unwound by its own thread.
  ~BeastServer() override {
    asio::post(context_, [this] {
      stopping_ = true;
      for (const auto& site : sites_) {
        error_code ignored;
        if (site->tcp_acceptor) site->tcp_acceptor->close(ignored);
        if (site->unix_acceptor) site->unix_acceptor->close(ignored);
      }
      wake_acceptors();
      for (const Connection* connection : connections_) connection->close();
    });
    if (thread_.joinable()) thread_.join();
    handlers_.join();
  }

  std::vector<std::string> addresses() const override {
    std::vector<std::string> addresses;
    for (const auto& site : sites_) addresses.push_back(site->address);
    return addresses;
  }

 private:
  using Request = http::request<http::string_body>;

  void spawn(asio::awaitable<void> task) {
    asio::co_spawn(context_, std::move(task), [this](const std::exception_ptr& thrown) {
      if (!thrown) return;
      try {
        std::rethrow_exception(thrown);
      } catch (const std::exception& exception) {
        events_.event(Severity::debug, "", "", std::string("a connection ended: ") + exception.what());
      }
    });
  }

  template <class Acceptor>
  asio::awaitable<void> accept(Site& site, Acceptor& acceptor) {
    using Protocol = typename Acceptor::protocol_type;
    asio::steady_timer timer(context_);
    while (!stopping_) {
      if (connections_.size() >= limits_.connections_max) {
        timer.expires_at(asio::steady_timer::time_point::max());
        waiting_.push_back(&timer);
        error_code woken;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        continue;
      }
      error_code error;
      typename Protocol::socket socket =
          co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (stopping_) co_return;
      if (error) {
        timer.expires_after(accept_retry);
        co_await timer.async_wait(asio::use_awaitable);
        continue;
      }
      spawn(connection(site, beast::basic_stream<Protocol>(std::move(socket))));
    }
  }

  void wake_acceptors() {
    for (asio::steady_timer* timer : std::exchange(waiting_, {})) timer->cancel();
  }

  // One that is open, in the server's book.
  class Connection {
   public:
    Connection(BeastServer& server, std::function<void()> close) : server_(server), close_(std::move(close)) {
      server_.connections_.insert(this);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
      server_.connections_.erase(this);
      server_.wake_acceptors();
    }
    void close() const { close_(); }

   private:
    BeastServer& server_;
    std::function<void()> close_;
  };

  template <class Protocol>
  asio::awaitable<void> connection(Site& site, beast::basic_stream<Protocol> accepted) {
    // Where it ends up, TLS or not, the socket is closed from here.
    beast::basic_stream<Protocol> stream(std::move(accepted));
    beast::basic_stream<Protocol>* lowest = &stream;
    const Connection entry(*this, [&lowest] { lowest->close(); });
    if constexpr (std::is_same_v<Protocol, tcp>) {
      if (site.tls) {
        beast::ssl_stream<beast::basic_stream<Protocol>> secured(std::move(stream), *site.tls);
        lowest = &beast::get_lowest_layer(secured);
        lowest->expires_after(limits_.request_timeout);
        co_await secured.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
        co_await serve(site, secured);
        co_return;
      }
    }
    co_await serve(site, stream);
  }

  // Requests one after the other, until the caller has no more.
  template <class Stream>
  asio::awaitable<void> serve(Site& site, Stream& stream) {
    beast::flat_buffer buffer(limits_.header_bytes_max + 4096);
    bool keep_alive = true;
    while (keep_alive && !stopping_) {
      auto& socket = beast::get_lowest_layer(stream);
      socket.expires_after(limits_.idle_timeout);
      error_code error;
      if (buffer.size() == 0) {
        const std::size_t read =
            co_await stream.async_read_some(buffer.prepare(2048), asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        buffer.commit(read);
      }
      socket.expires_after(limits_.request_timeout);
      http::request_parser<http::string_body> parser;
      parser.header_limit(limits_.header_bytes_max);
      parser.body_limit(limits_.body_bytes_max);
      co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
      HttpResponse response;
      bool head = false;
      keep_alive = false;
      if (error) {
        if (!is_bad_request(error)) co_return;
        response = bad_request(error);
      } else if (std::optional<HttpResponse> no = refuse(site, parser.get())) {
        head = parser.get().method() == http::verb::head;
        response = *std::move(no);
      } else {
        head = parser.get().method() == http::verb::head;
        if (view_of(parser.get()[http::field::expect]) == "100-continue") co_await go_ahead(stream);
        co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
        if (error) {
          if (!is_bad_request(error)) co_return;
          response = bad_request(error);
        } else {
          keep_alive = parser.get().keep_alive();
          socket.expires_never();
          response = co_await answer(site, parser.release());
          socket.expires_after(limits_.request_timeout);
        }
      }
      co_await write(stream, response, head, keep_alive);
    }
    co_await close(stream);
  }

  // Whether the caller can be told what is wrong; else it went away, or took too long.
  static bool is_bad_request(const error_code& error) {
    return error.category() == error_code(http::error::bad_method).category() && error != http::error::end_of_stream &&
           error != http::error::partial_message;
  }

  static HttpResponse bad_request(const error_code& error) {
    if (error == http::error::header_limit) return refusal(431, "the request's header is too large");
    if (error == http::error::body_limit) return refusal(413, "the request's body is too large");
    return refusal(400, "this is no HTTP/1.1 request");
  }

  static std::optional<HttpResponse> refuse(const Site& site, const Request& request) {
    if (from_a_browser(request)) return refusal(403, "requests of web pages are not answered");
    if (!site.listener.token.empty()) {
      constexpr std::string_view scheme = "Bearer ";
      const std::string_view given = view_of(request[http::field::authorization]);
      if (!given.starts_with(scheme) || !equal_secrets(given.substr(scheme.size()), site.listener.token))
        return refusal(401, "this address asks for `Authorization: Bearer TOKEN`");
    } else if (site.is_tcp && !names_this_machine(view_of(request[http::field::host]))) {
      return refusal(403, "ask by the machine's address, not by a name");
    }
    if (request.target().size() > target_bytes_max) return refusal(414, "the request's target is too long");
    if (request.version() != 11 && request.version() != 10) return refusal(505, "HTTP/1.1 is spoken here");
    return std::nullopt;
  }

  template <class Stream>
  asio::awaitable<void> go_ahead(Stream& stream) {
    http::response<http::empty_body> response(http::status::continue_, 11);
    co_await http::async_write(stream, response, asio::use_awaitable);
  }

  asio::awaitable<HttpResponse> answer(Site& site, Request request) {
    std::optional<HttpRequest> given = parse_target(view_of(request.target()));
    if (!given) co_return refusal(400, "the request's target cannot be read");
    given->method = request.method() == http::verb::head ? "GET" : std::string(view_of(request.method_string()));
    given->body = std::move(request.body());
    // A variable: GCC 12 destroys a lambda with captures twice where it is a temporary of a co_await expression.
    auto task = [&handler = site.listener.handler, asked = *std::move(given)]() -> asio::awaitable<HttpResponse> {
      try {
        co_return handler(asked);
      } catch (const std::exception&) {
        co_return refusal(500, "the host failed to answer: this is a defect of Torvyn");
      }
    };
    co_return co_await asio::co_spawn(handlers_, std::move(task), asio::use_awaitable);
  }

  template <class Stream>
  asio::awaitable<void> write(Stream& stream, HttpResponse& answer, bool head, bool keep_alive) {
    http::response<http::string_body> response(http::int_to_status(answer.status), 11);
    response.set(http::field::content_type, answer.content_type);
    response.set(http::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    if (!answer.allow.empty()) response.set(http::field::allow, answer.allow);
    if (answer.status == 401) response.set(http::field::www_authenticate, "Bearer");
    response.keep_alive(keep_alive);
    response.content_length(answer.body.size());
    response.body() = std::move(answer.body);
    http::response_serializer<http::string_body> serializer(response);
    if (head)
      co_await http::async_write_header(stream, serializer, asio::use_awaitable);
    else
      co_await http::async_write(stream, serializer, asio::use_awaitable);
  }

  // Takes what the caller still sends before it closes: else the caller may lose the answer with the rest of the connection.
  template <class Stream>
  asio::awaitable<void> close(Stream& stream) {
    auto& lowest = beast::get_lowest_layer(stream);
    error_code ignored;
    lowest.expires_after(std::chrono::seconds(1));
    lowest.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    std::array<char, 4096> scratch{};
    for (std::size_t taken = 0; taken < limits_.body_bytes_max;) {
      error_code error;
      const std::size_t read =
          co_await lowest.async_read_some(asio::buffer(scratch), asio::redirect_error(asio::use_awaitable, error));
      if (error || read == 0) break;
      taken += read;
    }
  }

  HttpLimits limits_;
  EventSink& events_;
  asio::io_context context_{1};
  std::vector<std::unique_ptr<Site>> sites_;
  // On the thread of `context_` alone:
  bool stopping_ = false;
  std::set<const Connection*> connections_;
  std::vector<asio::steady_timer*> waiting_;  // those of acceptors that found too many connections
  asio::thread_pool handlers_;
  std::thread thread_;
};

}  // namespace

std::optional<std::string_view> HttpRequest::parameter(std::string_view name) const noexcept {
  const auto found = std::ranges::find(query, name, [](const auto& one) { return std::string_view(one.first); });
  if (found == query.end()) return std::nullopt;
  return found->second;
}

std::optional<HttpRequest> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  HttpRequest request;
  const auto question = target.find('?');
  std::optional<std::string> path = percent_decoded(target.substr(0, question), false);
  if (!path) return std::nullopt;
  request.path = *std::move(path);
  if (question == std::string_view::npos) return request;
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view one = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (one.empty()) continue;
    const auto equals = one.find('=');
    std::optional<std::string> name = percent_decoded(one.substr(0, equals), true);
    std::optional<std::string> value =
        equals == std::string_view::npos ? std::string() : percent_decoded(one.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    request.query.emplace_back(*std::move(name), *std::move(value));
  }
  return request;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(std::vector<HttpListener> listeners, const HttpLimits& limits,
                                                      EventSink& events) {
  // All threads are made here, with every signal blocked.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  auto server = std::make_unique<BeastServer>(limits, events);
  const Status opened = server->open(std::move(listeners));
  if (opened) server->start();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!opened) return fail(opened.error());
  return server;
}

}  // namespace torvyn::host
// NOLINTEND(bugprone-unused-return-value)
