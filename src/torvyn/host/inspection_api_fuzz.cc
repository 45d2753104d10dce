// Any bytes on the inspection API's socket: each connection is answered in HTTP or closed, and the host goes on answering others.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "torvyn/config/manifest.h"
#include "torvyn/host/host_builder.h"
#include "torvyn/host/http_server.h"
#include "torvyn/host/inspection_api.h"

namespace {

using namespace torvyn;

// Flows that end at once: what strangers start must not fill the machine.
constexpr const char* manifest_text = R"(
[torvyn]
name = "t"
version = "0.1.0"
contract_version = "0.1.0"
[flow.main]
autostart = false
[flow.main.nodes.in]
component = "builtin:generate"
config = { count = 1 }
[flow.main.nodes.out]
component = "builtin:null"
)";

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

template <class T>
T made(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "the fuzzer cannot begin: %s\n", result.error().to_string().c_str());
    std::abort();
  }
  return *std::move(result);
}

// A call of the system again, where the fuzzer's own timer came in between.
template <class Call>
auto undisturbed(const Call& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

class Silence final : public EventSink {
 public:
  void event(Severity, std::string_view, std::string_view, std::string_view) noexcept override {}
  void guest_line(Severity, std::string_view, std::string_view) noexcept override {}
};

class World {
 public:
  World() {
    std::string name = (std::filesystem::temp_directory_path() / "torvyn-fuzz-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "no folder to listen in");
    folder_ = name;
    const config::Manifest manifest = made(config::parse_manifest(manifest_text, "Torvyn.toml"));
    host_ = made(host::HostBuilder().with_manifest(manifest).with_worker_threads(1).build());
    require(host_->start().has_value(), "the host does not start");
    host::HttpListener listener{
        .socket_path = folder_ / "host.sock",
        .handler = host::inspection_handler(
            *host_, {.name = "t",
                     .version = "1",
                     .configuration = [] { return std::string("[]"); },
                     .reload = [this, manifest](bool dry_run) { return host_->reload(manifest, dry_run); }})};
    std::vector<host::HttpListener> listeners;
    listeners.push_back(std::move(listener));
    server_ = made(host::HttpServer::start(std::move(listeners), limits(), events_));
  }
  ~World() {
    server_.reset();
    std::ignore = host_->shutdown(1'000'000'000);
    std::filesystem::remove_all(folder_);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // What comes back until the other side closes.
  std::string say(std::string_view bytes) {
    const int connection = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const std::string path = (folder_ / "host.sock").string();
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    const auto connected =
        undisturbed([&] { return ::connect(connection, reinterpret_cast<const sockaddr*>(&name), sizeof name); });
    require(connected == 0, "nobody listens");
    while (!bytes.empty()) {
      const ssize_t sent = undisturbed([&] { return ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
      if (sent <= 0) break;  // it has heard enough
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    ::shutdown(connection, SHUT_WR);
    std::string all;
    char part[4096];
    const auto receive = [&] { return undisturbed([&] { return ::recv(connection, part, sizeof part, 0); }); };
    for (ssize_t got = 0; (got = receive()) > 0;) all.append(part, static_cast<std::size_t>(got));
    ::close(connection);
    return all;
  }

 private:
  static host::HttpLimits limits() {
    host::HttpLimits limits;
    limits.body_bytes_max = 64 * 1024;
    return limits;
  }

  Silence events_;
  std::filesystem::path folder_;
  std::unique_ptr<host::Host> host_;
  std::unique_ptr<host::HttpServer> server_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
  static World world;
  const std::string_view bytes(reinterpret_cast<const char*>(data), length);
  const std::string answer = world.say(bytes);
  require(answer.empty() || answer.starts_with("HTTP/1.1 "), "an answer that is no HTTP");
  // What nobody foresaw.
  require(!answer.starts_with("HTTP/1.1 500"), "a request that the host has no answer to");
  const std::string health = world.say("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  require(health.starts_with("HTTP/1.1 200"), "the host does not answer others any more");
  // A target by itself: only what begins with a slash is one.
  if (const auto target = host::parse_target(bytes)) require(target->path.starts_with('/'), "a path that is none");
  return 0;
}
