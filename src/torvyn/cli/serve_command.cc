// `torvyn serve`: a host as a service. It starts the flows that start by themselves, answers its inspection API, and stays until a signal
// ends it.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "torvyn/cli/cli_events.h"
#include "torvyn/cli/commands.h"
#include "torvyn/cli/config_view.h"
#include "torvyn/cli/error_view.h"
#include "torvyn/cli/flow_components.h"
#include "torvyn/cli/host_address.h"
#include "torvyn/cli/log_events.h"
#include "torvyn/cli/service_notify.h"
#include "torvyn/cli/signals.h"
#include "torvyn/cli/summary_view.h"
#include "torvyn/host/inspection_api.h"
#include "torvyn/types/file.h"

namespace torvyn::cli {
namespace {

using observability::FlowReport;
using observability::FlowState;

// What a service has to say: for a person on the screen, for a log as lines of JSON.
class ServiceLog {
 public:
  // Errors: E0004 the log's file cannot be opened.
  static Result<std::unique_ptr<ServiceLog>> open(const config::Manifest& manifest, Severity least,
                                                  const Session& session) {
    const config::LogConfig& config = manifest.log;
    auto log = std::unique_ptr<ServiceLog>(new ServiceLog(session));
    int fd = STDERR_FILENO;
    if (config.target != "stderr") {
      const std::string path = (manifest.directory / config.target).string();
      fd = log->file_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
      if (fd < 0) return fail(io_error("cannot open the log", path, errno));
    }
    const bool person = config.format == config::LogFormat::human ||
                        (config.format == config::LogFormat::automatic && session.screen.terminal().interactive);
    if (person && fd == STDERR_FILENO) {
      log->screen_.emplace(session.screen, CliEvents::Options{.least = least});
    } else {
      log->lines_.emplace(fd, least);
    }
    return log;
  }
  ~ServiceLog() {
    if (file_ >= 0) ::close(file_);
  }
  ServiceLog(const ServiceLog&) = delete;
  ServiceLog& operator=(const ServiceLog&) = delete;

  EventSink& events() noexcept {
    return screen_ ? static_cast<EventSink&>(*screen_) : static_cast<EventSink&>(*lines_);
  }
  void note(std::string_view text) noexcept { events().event(Severity::info, {}, {}, text); }
  void warn(const config::Notice& notice) {
    if (screen_) return screen_->warn(warning_of(notice));
    events().event(Severity::warn, notice.code, {}, notice.message);
  }
  void error(const Error& error) {
    if (screen_) return session_.screen.print(draw_error(error, session_.screen.palette(), session_.options.verbose));
    lines_->error(error);
  }
  void flow_ended(const FlowReport& report) {
    if (report.error) error(*report.error);
    std::string summary = draw_summary(report, Palette(), {.verbose = false, .named = true});
    note(summary.substr(0, summary.find('\n')));
  }

 private:
  explicit ServiceLog(const Session& session) : session_(session) {}
  const Session& session_;
  int file_ = -1;
  std::optional<CliEvents> screen_;
  std::optional<LogEvents> lines_;
};

// The manifest with built components in their nodes, and all that surrounds it.
Result<config::Configuration> load_project(const Session& session, bool build) {
  TORVYN_LET(config::Configuration configuration, find_configuration(session));
  if (!configuration.has_project) return fail(manifest_needed("`serve` runs the flows of one"));
  config::Manifest& manifest = configuration.manifest;
  for (config::FlowConfig& flow : manifest.flows) {
    const ComponentOrigins origins{
        .manifest = &manifest, .security = manifest.security, .base = manifest.directory, .build = build};
    TORVYN_TRY(build_components_of(flow, origins, session));
  }
  return configuration;
}

// A file that the manifest names; nothing where it names none.
std::string in_project(const config::Manifest& manifest, const std::string& path) {
  return path.empty() ? path : (manifest.directory / path).string();
}

// The first line of the file. Errors: E0004; E0702 an empty one.
Result<std::string> read_token(const std::filesystem::path& path) {
  TORVYN_LET(const std::vector<std::uint8_t> bytes, read_file(path));
  std::string token(bytes.begin(), std::ranges::find_if(bytes, [](std::uint8_t c) { return c == '\n' || c == '\r'; }));
  if (token.empty())
    return fail(ErrorCode::out_of_range, fmt::format("the token file `{}` is empty", path.string()),
                "write a long random line into it: head -c 32 /dev/urandom | base64");
  return token;
}

// Rung by signals; the main thread waits for the end, another one for orders to reload.
class Bell {
 public:
  void stop() { ring(stop_); }
  void reload() { ring(reload_); }

  // False where `interval_ns` has passed before it was rung.
  bool wait_for_stop(std::optional<std::uint64_t> interval_ns) {
    std::unique_lock lock(mutex_);
    const auto rung = [this] { return stop_; };
    if (interval_ns) return changed_.wait_for(lock, std::chrono::nanoseconds(*interval_ns), rung);
    changed_.wait(lock, rung);
    return true;
  }
  // False where the end has come.
  bool wait_for_reload() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stop_ || reload_; });
    return !stop_ && std::exchange(reload_, false);
  }

 private:
  void ring(bool& what) {
    const std::scoped_lock lock(mutex_);
    what = true;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  bool reload_ = false;
};

class Service {
 public:
  Service(const ServeOptions& options, const Session& session, ServiceLog& log, config::Configuration configuration)
      : options_(options), session_(session), log_(log), configuration_(std::move(configuration)) {}

  Status start();
  // Until the bell rings for the end.
  void run(Bell& bell);

 private:
  Result<host::ReloadResult> reload(bool dry_run);
  std::string effective_configuration() const;
  Status listen();
  Status start_flows();
  void reload_on_signal();
  void stop();

  const ServeOptions& options_;
  const Session& session_;
  ServiceLog& log_;
  const ServiceNotify manager_;
  mutable std::mutex mutex_;  // of what follows
  config::Configuration configuration_;
  std::mutex reload_mutex_;
  std::unique_ptr<host::Host> host_;
  std::unique_ptr<host::HttpServer> server_;  // goes before the host it tells of
};

Status Service::start() {
  const config::Manifest& manifest = configuration_.manifest;
  host::HostOptions options{.runtime = manifest.runtime,
                            .security = manifest.security,
                            .ceilings = configuration_.ceilings,
                            .cache_directory = cache_directory(),
                            .base_directory = manifest.directory,
                            .events = &log_.events(),
                            .flows = manifest.flows,
                            .level = manifest.observability.level,
                            .flow_ended = [this](const FlowReport& report) { log_.flow_ended(report); }};
  if (options.security.audit_path.empty()) options.security.audit_path = audit_log_path();
  TORVYN_LET(host_, host::Host::create(options));
  TORVYN_TRY(host_->start());
  TORVYN_TRY(listen());
  return start_flows();
}

Status Service::listen() {
  const config::Manifest& manifest = configuration_.manifest;
  const std::filesystem::path state = state_directory();
  TORVYN_TRY(make_state_directory(state));
  const host::HttpHandler all =
      host::inspection_handler(*host_, {.name = manifest.name,
                                        .version = TORVYN_VERSION,
                                        .configuration = [this] { return effective_configuration(); },
                                        .reload = [this](bool dry_run) { return reload(dry_run); }});
  std::vector<host::HttpListener> listeners;
  listeners.push_back({.socket_path = std::filesystem::absolute(socket_of(state, manifest.name)),
                       .socket_mode = manifest.api.socket_mode,
                       .socket_group = manifest.api.socket_group,
                       .handler = all});
  if (!manifest.api.listen.empty()) {
    host::HttpListener listener{.address = manifest.api.listen,
                                .tls_cert = in_project(manifest, manifest.api.tls_cert),
                                .tls_key = in_project(manifest, manifest.api.tls_key),
                                .handler = all};
    if (!manifest.api.token_file.empty()) {
      TORVYN_LET(listener.token, read_token(manifest.directory / manifest.api.token_file));
    }
    listeners.push_back(std::move(listener));
  }
  if (!manifest.observability.listen.empty())
    listeners.push_back({.address = manifest.observability.listen, .handler = host::probe_handler(*host_)});
  TORVYN_LET(server_, host::HttpServer::start(std::move(listeners), {}, log_.events()));
  for (const std::string& address : server_->addresses()) log_.note(fmt::format("listening at {}", address));
  return {};
}

Status Service::start_flows() {
  std::size_t started = 0;
  for (const config::FlowConfig& flow : configuration_.manifest.flows) {
    if (!flow.autostart) continue;
    TORVYN_TRY(host_->start_flow(flow.name));
    ++started;
  }
  const std::string status =
      fmt::format("host {} runs, {} flow{} started", configuration_.manifest.name, started, started == 1 ? "" : "s");
  log_.note(status);
  manager_.send("READY=1\nSTATUS=" + status);
  return {};
}

std::string Service::effective_configuration() const {
  const std::scoped_lock lock(mutex_);
  return configuration_json(configuration_.values);
}

Result<host::ReloadResult> Service::reload(bool dry_run) {
  const std::scoped_lock reloading(reload_mutex_);
  TORVYN_LET(config::Configuration next, load_project(session_, !options_.no_build && !dry_run));
  TORVYN_LET(host::ReloadResult result, host_->reload(next.manifest, dry_run));
  if (!dry_run) {
    const std::scoped_lock lock(mutex_);
    configuration_ = std::move(next);
  }
  return result;
}

void Service::reload_on_signal() {
  const auto now_us =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch());
  manager_.send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now_us.count()));
  const Result<host::ReloadResult> result = reload(false);
  if (!result) {
    log_.error(result.error());
    log_.note("nothing was changed: the manifest could not be taken");
  } else {
    for (const host::ReloadedFlow& flow : result->flows) {
      if (flow.change != host::FlowChange::unchanged)
        log_.note(fmt::format("flow {}: {}", flow.name, host::flow_change_name(flow.change)));
      if (flow.error) log_.error(*flow.error);
    }
    if (result->needs_new_host)
      log_.note("[runtime] or [security] has changed too: that holds once the host is started anew");
  }
  manager_.send("READY=1");
}

void Service::run(Bell& bell) {
  // Beside this thread: the end is not kept waiting by a build.
  const std::jthread reloading([this, &bell] {
    while (bell.wait_for_reload()) reload_on_signal();
  });
  while (!bell.wait_for_stop(manager_.watchdog_interval_ns()))
    if (host_->state() == host::HostState::running) manager_.send("WATCHDOG=1");
  stop();
}

void Service::stop() {
  manager_.send("STOPPING=1");
  std::uint64_t drain_ns = 0;
  {
    const std::scoped_lock lock(mutex_);
    drain_ns = configuration_.manifest.runtime.drain_timeout_ns;
  }
  const auto ended = host_->shutdown(drain_ns);
  server_.reset();
  if (ended)
    log_.note(fmt::format("host stopped: {} flow{} drained, {} cancelled", ended->drained,
                          ended->drained == 1 ? "" : "s", ended->cancelled));
}

}  // namespace

int serve_flows(const ServeOptions& options, const Session& session) {
  Result<config::Configuration> configuration = load_project(session, !options.no_build);
  if (!configuration) return report_failure(session, "serve", configuration.error());
  const config::Manifest& manifest = configuration->manifest;
  const auto log = ServiceLog::open(manifest, options.log_level.value_or(manifest.log.filter), session);
  if (!log) return report_failure(session, "serve", log.error());
  for (const config::Notice& notice : configuration->notices) (*log)->warn(notice);

  Bell bell;
  const SignalWatch signals([&bell] { bell.stop(); }, [&bell] { bell.reload(); });
  Service service(options, session, **log, *std::move(configuration));
  if (const Status started = service.start(); !started) {
    (*log)->error(started.error());
    return exit_code_of(started.error());
  }
  service.run(bell);
  return exit_code_of_signal(signals.received());
}

}  // namespace torvyn::cli
