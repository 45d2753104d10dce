// `torvyn ps`, `top`, `start`, `cancel`, `swap`, `reload` and `level`: questions and orders to a running host, over its inspection API alone.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "torvyn/cli/api_client.h"
#include "torvyn/cli/commands.h"
#include "torvyn/cli/host_view.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/cli/signals.h"
#include "torvyn/config/units.h"

namespace torvyn::cli {
namespace {

using Json = nlohmann::ordered_json;

// A question has its answer at once or never.
constexpr std::uint64_t question_timeout_ns = 10'000'000'000;

Result<ApiClient> client_for(const std::string& host, const Session& session) {
  TORVYN_LET(const config::Configuration configuration, find_configuration(session));
  TORVYN_LET(HostAddress address, find_host(host, configuration, state_directory()));
  return ApiClient::open(std::move(address));
}

// The code of a command that could not do what was asked: to find no host is to lack something.
int failed(const Session& session, std::string_view command, const Error& error) {
  return report_failure(session, command, error,
                        error.code() == ErrorCode::address_in_use || error.code() == ErrorCode::unknown_flow_or_node
                            ? exit_usage
                            : exit_code_of(error));
}

// The host's answer as the command's result, or what `draw` makes of it.
template <class Draw>
int show(const Session& session, std::string_view command, const Result<std::string>& answer, const Draw& draw) {
  if (!answer) return failed(session, command, answer.error());
  if (!session.json()) return print_result(session, draw(*answer));
  Json json = Json::parse(head_json({.command = command}));
  json.update(Json::parse(*answer));
  return print_result(session, json.dump() + '\n');
}

std::string flow_path(const std::string& flow, std::string_view action = {}) {
  return "/v1/flows/" + escaped_part(flow) + (action.empty() ? "" : "/") + std::string(action);
}

std::uint64_t member_number(const std::string& answer, const char* key) {
  const Json json = Json::parse(answer, nullptr, false);
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

// Until a run of a flow has ended.
Status wait_for_end(const ApiClient& client, std::uint64_t id) {
  for (;;) {
    TORVYN_LET(const std::string answer, client.call("GET", flow_path(std::to_string(id)), {}, question_timeout_ns));
    const Json json = Json::parse(answer, nullptr, false);
    if (!json.is_object() || !json.contains("flow") || json["flow"].value("state", "") != "running") return {};
    ::poll(nullptr, 0, 20);
  }
}

// Where the host runs elsewhere, the path is its own.
std::string path_for(const ApiClient& client, const std::string& component) {
  std::error_code error;
  if (client.address().socket.empty() || !std::filesystem::exists(component, error)) return component;
  const auto path = std::filesystem::absolute(component, error);
  return error ? component : path.lexically_normal().string();
}

}  // namespace

int show_flows(const PsOptions& options, const Session& session) {
  const Result<ApiClient> client = client_for(options.host, session);
  if (!client) return failed(session, "ps", client.error());
  const Palette palette(examine_terminal(STDOUT_FILENO, session.options.color).color);
  if (!options.flow.empty())
    return show(session, "ps", client->call("GET", flow_path(options.flow), {}, question_timeout_ns),
                [&](const std::string& answer) { return draw_flow(answer, palette); });
  return show(session, "ps", client->call("GET", "/v1/flows", {}, question_timeout_ns),
              [&](const std::string& answer) { return draw_flows(answer, options.all, palette); });
}

int start_flow(const StartOptions& options, const Session& session) {
  const Result<ApiClient> client = client_for(options.host, session);
  if (!client) return failed(session, "start", client.error());
  Json body = {{"name", options.flow}};
  if (!options.pipeline.empty()) body["pipeline"] = options.pipeline;
  if (options.elements_max) body["limit"] = *options.elements_max;
  if (options.timeout_ns) body["timeout"] = fmt::format("{}ns", *options.timeout_ns);
  return show(session, "start", client->call("POST", "/v1/flows", body.dump()), [&](const std::string& answer) {
    return fmt::format("flow {} was started, with the id {}\n", options.flow, member_number(answer, "id"));
  });
}

int cancel_flow(const CancelOptions& options, const Session& session) {
  const Result<ApiClient> client = client_for(options.host, session);
  if (!client) return failed(session, "cancel", client.error());
  const Json body = {{"drain", options.drain}};
  const Result<std::string> answer =
      client->call("POST", flow_path(options.flow, "cancel"), body.dump(), question_timeout_ns);
  if (answer && !options.no_wait)
    if (const Status ended = wait_for_end(*client, member_number(*answer, "id")); !ended)
      return failed(session, "cancel", ended.error());
  return show(session, "cancel", answer, [&](const std::string&) {
    return fmt::format("flow {} {}\n", options.flow, options.no_wait ? "was told to end" : "has ended");
  });
}

int swap_component(const SwapOptions& options, const Session& session) {
  const Result<ApiClient> client = client_for(options.host, session);
  if (!client) return failed(session, "swap", client.error());
  const Json body = {
      {"node", options.node}, {"component", path_for(*client, options.component)}, {"flush", options.flush}};
  return show(session, "swap", client->call("POST", flow_path(options.flow, "swap"), body.dump()),
              [&](const std::string& answer) {
                return fmt::format("{} took over in {} › {}; the node paused for {}\n", options.component, options.flow,
                                   options.node, config::format_duration(member_number(answer, "pause_ns")));
              });
}

int reload_manifest(const ReloadOptions& options, const Session& session) {
  const Result<ApiClient> client = client_for(options.host, session);
  if (!client) return failed(session, "reload", client.error());
  const Json body = {{"dry_run", options.dry_run}};
  const Palette palette(examine_terminal(STDOUT_FILENO, session.options.color).color);
  const Result<std::string> answer = client->call("POST", "/v1/reload", body.dump());
  const int code = show(session, "reload", answer, [&](const std::string& text) { return draw_reload(text, palette); });
  if (!answer || code != exit_success) return code;
  const Json json = Json::parse(*answer);
  for (const Json& flow : json.value("flows", Json::array()))
    if (flow.is_object() && flow.contains("error") && flow["error"].is_object()) return exit_failed;
  return exit_success;
}

int show_level(const LevelOptions& options, const Session& session) {
  const Result<ApiClient> client = client_for(options.host, session);
  if (!client) return failed(session, "level", client.error());
  const Json body = {{"level", options.level}};
  const Result<std::string> answer = options.level.empty()
                                         ? client->call("GET", "/v1/level", {}, question_timeout_ns)
                                         : client->call("PUT", "/v1/level", body.dump(), question_timeout_ns);
  return show(session, "level", answer,
              [](const std::string& text) { return Json::parse(text).value("level", "-") + "\n"; });
}

int watch_host(const TopOptions& options, const Session& session) {
  const Result<ApiClient> client = client_for(options.host, session);
  if (!client) return failed(session, "top", client.error());
  const Terminal terminal = examine_terminal(STDOUT_FILENO, session.options.color);
  const bool once = options.once || !terminal.interactive || session.json();
  const SignalWatch signals([] {});
  std::string before;
  auto before_at = std::chrono::steady_clock::now();
  for (;;) {
    const Result<std::string> host = client->call("GET", "/v1/host", {}, question_timeout_ns);
    if (!host) return failed(session, "top", host.error());
    const Result<std::string> flows = client->call("GET", "/v1/flows", {}, question_timeout_ns);
    if (!flows) return failed(session, "top", flows.error());
    const auto at = std::chrono::steady_clock::now();
    if (session.json()) {
      Json json = Json::parse(head_json({.command = "top"}));
      json["host"] = Json::parse(*host);
      json.update(Json::parse(*flows));
      return print_result(session, json.dump() + '\n');
    }
    const std::string text =
        draw_top(*host, *flows, before, std::chrono::duration<double>(at - before_at).count(), Palette(terminal.color));
    // Drawn over what was there, from the corner on; the rest of the page is cleared.
    const int code = print_result(session, once ? text : "\033[H\033[2J" + text);
    if (once || code != exit_success) return code;
    before = *flows;
    before_at = at;
    for (std::uint64_t waited_ms = 0; waited_ms * 1'000'000 < options.interval_ns; waited_ms += 50) {
      if (const int signal = signals.received(); signal != 0) return signal == SIGINT ? exit_success : 143;
      ::poll(nullptr, 0, 50);
    }
  }
}

}  // namespace torvyn::cli
