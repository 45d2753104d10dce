#include "torvyn/host/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <future>
#include <latch>
#include <stdexcept>

namespace torvyn::host {
namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "torvyn-http-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// One connection, byte by byte.
class Caller {
 public:
  explicit Caller(const std::string& address) {
    if (address.starts_with('/')) {
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      address.copy(name.sun_path, sizeof name.sun_path - 1);
      fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
    } else {
      sockaddr_in name{};
      name.sin_family = AF_INET;
      const auto colon = address.rfind(':');
      ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &name.sin_addr);
      name.sin_port = htons(static_cast<std::uint16_t>(std::stoul(address.substr(colon + 1))));
      fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
    }
  }
  ~Caller() { ::close(fd_); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  bool connected() const { return connected_; }
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Until the other side closes.
  std::string rest() {
    std::string all;
    char bytes[4096];
    for (ssize_t got = 0; (got = ::recv(fd_, bytes, sizeof bytes, 0)) > 0;)
      all.append(bytes, static_cast<std::size_t>(got));
    return all;
  }
  // One answer with a Content-Length.
  std::string answer() {
    std::string all;
    char byte = 0;
    while (all.find("\r\n\r\n") == std::string::npos && ::recv(fd_, &byte, 1, 0) == 1) all += byte;
    const auto length = all.find("Content-Length: ");
    if (length == std::string::npos) return all;
    for (auto left = std::stoul(all.substr(length + 16)); left > 0 && ::recv(fd_, &byte, 1, 0) == 1; --left)
      all += byte;
    return all;
  }
  std::string ask(std::string_view text) {
    if (!send(text)) return "not sent";
    return answer();
  }

 private:
  int fd_ = -1;
  bool connected_ = false;
};

HttpResponse echo(const HttpRequest& request) {
  std::string text = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
  return {.content_type = "text/plain", .body = text + " " + request.body};
}

unsigned status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? static_cast<unsigned>(std::stoul(answer.substr(9, 3))) : 0;
}
std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

struct Served {
  TemporaryFolder folder;
  NullEventSink events;
  std::unique_ptr<HttpServer> server;

  explicit Served(HttpListener listener = {.handler = echo}, const HttpLimits& limits = {}) {
    if (listener.address.empty()) listener.socket_path = folder / "s";
    std::vector<HttpListener> listeners;
    listeners.push_back(std::move(listener));
    Result<std::unique_ptr<HttpServer>> started = HttpServer::start(std::move(listeners), limits, events);
    EXPECT_TRUE(started) << started.error().to_string();
    if (started) server = *std::move(started);
  }
  std::string address() const { return server->addresses().front(); }
};

TEST(HttpServer, AnswersOverAUnixSocket) {
  const Served served;
  Caller caller(served.address());
  const std::string answer = caller.ask("POST /a%20b?x=1&y=%2f+z HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(status_of(answer), 200U) << answer;
  EXPECT_EQ(body_of(answer), "POST /a b x=1 y=/ z abc");
}

TEST(HttpServer, KeepsAConnectionForMoreRequests) {
  const Served served;
  Caller caller(served.address());
  ASSERT_TRUE(caller.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_EQ(body_of(caller.answer()), "GET /1 ");
  EXPECT_EQ(body_of(caller.answer()), "GET /2 ");
  EXPECT_EQ(body_of(caller.ask("GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")), "GET /3 ");
  EXPECT_EQ(caller.rest(), "");
}

TEST(HttpServer, AnswersHeadWithoutABody) {
  const Served served;
  Caller caller(served.address());
  ASSERT_TRUE(caller.send("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  const std::string answer = caller.rest();
  EXPECT_EQ(status_of(answer), 200U);
  EXPECT_NE(answer.find("Content-Length: 7"), std::string::npos) << answer;
  EXPECT_EQ(body_of(answer), "");
}

TEST(HttpServer, GivesItsSocketTheModeAskedFor) {
  const Served served({.socket_mode = 0640, .handler = echo});
  struct stat status{};
  ASSERT_EQ(::stat(served.address().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST(HttpServer, TakesTheSocketOfADeadServerAndNotOfALivingOne) {
  TemporaryFolder folder;
  NullEventSink events;
  const auto start = [&] {
    return HttpServer::start({HttpListener{.socket_path = folder / "s", .handler = echo}}, {}, events);
  };
  {
    // What a killed process leaves.
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    (folder / "s").string().copy(name.sun_path, sizeof name.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    ::close(fd);
  }
  auto first = start();
  ASSERT_TRUE(first) << first.error().to_string();
  const auto second = start();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::address_in_use);
  EXPECT_EQ(body_of(Caller(folder / "s").ask("GET /still HTTP/1.1\r\nHost: h\r\n\r\n")), "GET /still ");
  first->reset();
  EXPECT_FALSE(std::filesystem::exists(folder / "s"));
  EXPECT_TRUE(start());
}

TEST(HttpServer, RefusesAPathThatTheSystemCannotTake) {
  NullEventSink events;
  const auto started =
      HttpServer::start({HttpListener{.socket_path = "/tmp/" + std::string(120, 'x'), .handler = echo}}, {}, events);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), ErrorCode::out_of_range);
}

TEST(HttpServer, RefusesAGroupThatThereIsNot) {
  TemporaryFolder folder;
  NullEventSink events;
  const auto started = HttpServer::start(
      {HttpListener{.socket_path = folder / "s", .socket_group = "no-such-group", .handler = echo}}, {}, events);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), ErrorCode::out_of_range);
  EXPECT_FALSE(std::filesystem::exists(folder / "s"));
}

TEST(HttpServer, TellsThatAPortIsTaken) {
  const Served served({.address = "127.0.0.1:0", .handler = echo});
  NullEventSink events;
  const auto second = HttpServer::start({HttpListener{.address = served.address(), .handler = echo}}, {}, events);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::address_in_use);
  EXPECT_NE(second.error().message().find(served.address()), std::string::npos);
}

TEST(HttpServer, AsksForItsToken) {
  const Served served({.address = "127.0.0.1:0", .token = "s3cret", .handler = echo});
  const auto ask = [&](std::string_view header) {
    return status_of(
        Caller(served.address()).ask("GET / HTTP/1.1\r\nHost: example.org\r\n" + std::string(header) + "\r\n"));
  };
  EXPECT_EQ(ask(""), 401U);
  EXPECT_EQ(ask("Authorization: Bearer s3cre\r\n"), 401U);
  EXPECT_EQ(ask("Authorization: Bearer s3cret2\r\n"), 401U);
  EXPECT_EQ(ask("Authorization: Basic s3cret\r\n"), 401U);
  EXPECT_EQ(ask("Authorization: Bearer s3cret\r\n"), 200U);
}

TEST(HttpServer, AnswersNoPageInABrowser) {
  const Served served({.address = "127.0.0.1:0", .handler = echo});
  const auto ask = [&](std::string_view host, std::string_view header) {
    return status_of(Caller(served.address())
                         .ask("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n" + std::string(header) + "\r\n"));
  };
  EXPECT_EQ(ask("127.0.0.1:9", ""), 200U);
  EXPECT_EQ(ask("localhost:9", ""), 200U);
  EXPECT_EQ(ask("[::1]:9", ""), 200U);
  EXPECT_EQ(ask("127.0.0.1:9", "Origin: http://evil.example\r\n"), 403U);
  EXPECT_EQ(ask("evil.example", ""), 403U);
  EXPECT_EQ(ask("127.0.0.1.evil.example:9", ""), 403U);
}

TEST(HttpServer, RefusesWhatIsTooLargeBeforeReadingIt) {
  const Served served({.handler = echo}, {.header_bytes_max = 1024, .body_bytes_max = 100});
  EXPECT_EQ(
      status_of(Caller(served.address()).ask("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x') + "\r\n\r\n")),
      431U);
  EXPECT_EQ(status_of(Caller(served.address()).ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n")), 413U);
  EXPECT_EQ(
      status_of(
          Caller(served.address()).ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n")),
      413U);
  EXPECT_EQ(status_of(Caller(served.address())
                          .ask("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n" +
                               std::string(0xfff, 'x') + "\r\n0\r\n\r\n")),
            413U);
  EXPECT_EQ(status_of(Caller(served.address()).ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")),
            200U);
}

TEST(HttpServer, RefusesWhatIsNoRequest) {
  const Served served;
  for (const std::string_view text :
       {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET relative HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n"}) {
    EXPECT_EQ(status_of(Caller(served.address()).ask(text)), 400U) << text;
  }
}

TEST(HttpServer, ClosesConnectionsThatTakeTheirTime) {
  const Served served({.handler = echo}, {.request_timeout = std::chrono::milliseconds(50),
                                          .idle_timeout = std::chrono::milliseconds(50)});
  EXPECT_EQ(Caller(served.address()).rest(), "") << "idle";
  Caller slow(served.address());
  ASSERT_TRUE(slow.send("GET / HT"));
  EXPECT_EQ(slow.rest(), "");
  Caller slow_body(served.address());
  ASSERT_TRUE(slow_body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\na"));
  EXPECT_EQ(slow_body.rest(), "");
}

TEST(HttpServer, LetsConnectionsBeyondItsBoundWait) {
  const Served served({.handler = echo}, {.connections_max = 2});
  auto first = std::make_unique<Caller>(served.address());
  Caller second(served.address());
  EXPECT_EQ(status_of(first->ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200U);
  EXPECT_EQ(status_of(second.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200U);
  Caller third(served.address());
  ASSERT_TRUE(third.connected());
  ASSERT_TRUE(third.send("GET /third HTTP/1.1\r\nHost: h\r\n\r\n"));
  first.reset();
  EXPECT_EQ(body_of(third.answer()), "GET /third ");
}

TEST(HttpServer, AnswersWhileAHandlerWaits) {
  std::promise<void> go_on;
  const std::shared_future<void> went_on = go_on.get_future().share();
  const Served served({.handler = [went_on](const HttpRequest& request) {
    if (request.path == "/wait") went_on.wait();
    return echo(request);
  }});
  Caller waiting(served.address());
  ASSERT_TRUE(waiting.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_EQ(status_of(Caller(served.address()).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200U);
  go_on.set_value();
  EXPECT_EQ(body_of(waiting.answer()), "GET /wait ");
}

TEST(HttpServer, SurvivesAHandlerThatThrows) {
  const Served served({.handler = [](const HttpRequest& request) -> HttpResponse {
    if (request.path == "/throw") throw std::runtime_error("no");
    return echo(request);
  }});
  Caller caller(served.address());
  EXPECT_EQ(status_of(caller.ask("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n")), 500U);
  EXPECT_EQ(status_of(caller.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200U);
}

TEST(HttpServer, EndsWithConnectionsOpenAndAHandlerAtWork) {
  std::latch entered(1);
  std::atomic<bool> left = false;
  auto served = std::make_unique<Served>(HttpListener{.handler = [&](const HttpRequest& request) {
    if (request.path == "/slow") {
      entered.count_down();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      left = true;
    }
    return echo(request);
  }});
  Caller idle(served->address());
  ASSERT_EQ(status_of(idle.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")), 200U);
  Caller half(served->address());
  ASSERT_TRUE(half.send("GET / HTTP"));
  Caller slow(served->address());
  ASSERT_TRUE(slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"));
  entered.wait();
  served->server.reset();
  EXPECT_TRUE(left);
  EXPECT_EQ(idle.rest(), "");
  EXPECT_EQ(half.rest(), "");
}

TEST(HttpServer, ServesManyAtOnce) {
  const Served served({.handler = echo}, {.connections_max = 4});
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i)
        right +=
            status_of(Caller(served.address()).ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")) == 200;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 160);
}

TEST(HttpServer, TellsWhatIsWrongWithACertificate) {
  TemporaryFolder folder;
  NullEventSink events;
  std::ofstream(folder / "cert.pem") << "no certificate\n";
  const auto started = HttpServer::start(
      {HttpListener{
          .address = "127.0.0.1:0", .tls_cert = folder / "cert.pem", .tls_key = folder / "key.pem", .handler = echo}},
      {}, events);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), ErrorCode::io_failed);
  EXPECT_NE(started.error().message().find("cert.pem"), std::string::npos);
}

TEST(ParseTarget, SplitsAndDecodes) {
  const auto request = parse_target("/flows/a%2Fb?x=%41+&flag&=v&&");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->path, "/flows/a/b");
  EXPECT_EQ(request->parameter("x"), "A ");
  EXPECT_EQ(request->parameter("flag"), "");
  EXPECT_EQ(request->parameter(""), "v");
  EXPECT_EQ(request->parameter("y"), std::nullopt);
}

TEST(ParseTarget, RefusesWhatItCannotRead) {
  for (const std::string_view target : {"", "x", "*", "http://h/", "/%", "/%4", "/%4g", "/%00", "/?a=%", "/?%=a"})
    EXPECT_FALSE(parse_target(target)) << target;
}

}  // namespace
}  // namespace torvyn::host
