#include "torvyn/host/inspection_api.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "torvyn/config/nearest.h"
#include "torvyn/config/units.h"
#include "torvyn/observability/report_json.h"
#include "torvyn/pipeline/pipeline_string.h"

namespace torvyn::host {
namespace {

using Json = nlohmann::ordered_json;
using config::ObservabilityLevel;
using observability::FlowReport;
using observability::FlowState;

HttpResponse json_response(const Json& json, unsigned status = 200) {
  return {.status = status, .body = json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'};
}

HttpResponse error_response(const Error& error, unsigned status) {
  return json_response({{"error", Json::parse(observability::error_json(error))}}, status);
}

// What a host's error means to who asked. Where a definition or a component is to blame, the request could be read and not be carried out.
HttpResponse error_response(const Error& error) {
  switch (error.code()) {
    case ErrorCode::unknown_flow_or_node:
      return error_response(error, 404);
    case ErrorCode::usage:  // not in this state
      return error_response(error, 409);
    case ErrorCode::pipeline_syntax:
      return error_response(error, 400);
    case ErrorCode::internal_error:
      return error_response(error, 500);
    default:
      return error_response(error, 422);
  }
}

HttpResponse bad_request(std::string message, std::string hint = {}) {
  return error_response(Error(ErrorCode::usage, std::move(message), std::move(hint)), 400);
}

constexpr std::array<std::pair<std::string_view, ObservabilityLevel>, 3> levels = {
    {{"off", ObservabilityLevel::off},
     {"production", ObservabilityLevel::production},
     {"diagnostic", ObservabilityLevel::diagnostic}}};

std::string_view level_name(ObservabilityLevel level) {
  return std::ranges::find(levels, level, &std::pair<std::string_view, ObservabilityLevel>::second)->first;
}

// A request's body: one object, with these members at most. Each is read once, with its type checked; the first mistake is kept.
class Body {
 public:
  Body(const HttpRequest& request, std::initializer_list<std::string_view> known) {
    if (!request.body.empty()) json_ = Json::parse(request.body, nullptr, false);
    if (json_.is_discarded() || !json_.is_object()) {
      complain("the body is not a JSON object");
      json_ = Json::object();
    }
    const std::vector<std::string_view> names(known);
    for (const auto& member : json_.items()) {
      if (std::ranges::find(names, member.key()) != names.end()) continue;
      const std::string_view near = config::nearest(member.key(), names);
      complain("unknown member `" + member.key() + "`",
               near.empty() ? std::string() : "did you mean `" + std::string(near) + "`?");
    }
  }

  std::string text(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end()) return {};
    if (found->is_string()) return found->get<std::string>();
    complain("`" + std::string(name) + "` has to be a string");
    return {};
  }
  std::string required_text(const char* name) {
    std::string value = text(name);
    if (value.empty()) complain("`" + std::string(name) + "` is missing");
    return value;
  }
  bool flag(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end()) return false;
    if (found->is_boolean()) return found->get<bool>();
    complain("`" + std::string(name) + "` has to be true or false");
    return false;
  }
  std::optional<std::uint64_t> number(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end()) return std::nullopt;
    if (found->is_number_unsigned()) return found->get<std::uint64_t>();
    complain("`" + std::string(name) + "` has to be a whole number");
    return std::nullopt;
  }
  std::optional<std::uint64_t> duration_ns(const char* name) {
    const std::string value = text(name);
    if (value.empty()) return std::nullopt;
    const Result<std::uint64_t> ns = config::parse_duration(value);
    if (ns) return *ns;
    complain("`" + std::string(name) + "` has to be a duration such as \"30s\"");
    return std::nullopt;
  }

  // The answer to a body with mistakes.
  const std::optional<HttpResponse>& refusal() const noexcept { return refusal_; }

 private:
  void complain(std::string message, std::string hint = {}) {
    if (!refusal_) refusal_ = bad_request(std::move(message), std::move(hint));
  }
  Json json_ = Json::object();
  std::optional<HttpResponse> refusal_;
};

// The last report of each name that the host knows.
std::vector<FlowReport> last_reports(Host& host) {
  std::map<std::string, FlowId> last;
  for (const FlowStatus& flow : host.list_flows()) last[flow.name] = flow.id;
  std::vector<FlowReport> reports;
  for (const auto& [name, id] : last)
    if (Result<FlowReport> report = host.report(id)) reports.push_back(*std::move(report));
  return reports;
}

bool is_component(const observability::StageReport& stage) { return stage.path != "builtin" && stage.path != "native"; }

HttpResponse healthz(Host& host) {
  const HostState state = host.state();
  const bool alive = state != HostState::stopped;
  return json_response({{"healthy", alive}, {"state", host_state_name(state)}}, alive ? 200 : 503);
}

HttpResponse readyz(Host& host) {
  const Readiness readiness = host.readiness();
  return json_response({{"ready", readiness.is_ready()},
                        {"state", host_state_name(readiness.state)},
                        {"waiting_for", readiness.waiting_for}},
                       readiness.is_ready() ? 200 : 503);
}

HttpResponse metrics(Host& host) {
  const std::vector<FlowReport> reports = last_reports(host);
  observability::SystemMetrics system = host.system_metrics();
  for (const FlowReport& report : reports) {
    if (report.state != FlowState::running) continue;
    for (const observability::StageReport& stage : report.stages) {
      if (!is_component(stage)) continue;
      system.components_active += stage.instances;
      system.memory_bytes += stage.memory_bytes;
    }
  }
  return {.content_type = observability::prometheus_content_type,
          .body = observability::prometheus_text(reports, system)};
}

class InspectionApi {
 public:
  InspectionApi(Host& host, InspectionOptions options) : host_(host), options_(std::move(options)) {}

  HttpResponse answer(const HttpRequest& request) const;

 private:
  // The parts of a path between its slashes that stand for a route's `*`.
  using Parts = std::span<const std::string_view>;
  struct Route {
    std::string_view method;
    std::string_view path;  // "/v1/flows/*"
    HttpResponse (InspectionApi::*answer)(const HttpRequest&, Parts) const;
  };
  static const std::vector<Route>& routes();

  HttpResponse health(const HttpRequest&, Parts) const { return healthz(host_); }
  HttpResponse ready(const HttpRequest&, Parts) const { return readyz(host_); }
  HttpResponse all_metrics(const HttpRequest&, Parts) const { return metrics(host_); }
  HttpResponse description(const HttpRequest&, Parts) const { return {.body = std::string(openapi_json())}; }
  HttpResponse about(const HttpRequest&, Parts) const;
  HttpResponse list_flows(const HttpRequest&, Parts) const;
  HttpResponse start_flow(const HttpRequest&, Parts) const;
  HttpResponse one_flow(const HttpRequest&, Parts) const;
  HttpResponse cancel_flow(const HttpRequest&, Parts) const;
  HttpResponse swap(const HttpRequest&, Parts) const;
  HttpResponse components(const HttpRequest&, Parts) const;
  HttpResponse configuration(const HttpRequest&, Parts) const;
  HttpResponse reload(const HttpRequest&, Parts) const;
  HttpResponse get_level(const HttpRequest&, Parts) const;
  HttpResponse put_level(const HttpRequest&, Parts) const;

  // The flow that a path names: by name, else by id.
  Result<FlowId> find(std::string_view flow) const;

  Host& host_;
  const InspectionOptions options_;
  const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

const std::vector<InspectionApi::Route>& InspectionApi::routes() {
  static const std::vector<Route> all = {
      {"GET", "/healthz", &InspectionApi::health},
      {"GET", "/readyz", &InspectionApi::ready},
      {"GET", "/metrics", &InspectionApi::all_metrics},
      {"GET", "/openapi.json", &InspectionApi::description},
      {"GET", "/v1/host", &InspectionApi::about},
      {"GET", "/v1/flows", &InspectionApi::list_flows},
      {"POST", "/v1/flows", &InspectionApi::start_flow},
      {"GET", "/v1/flows/*", &InspectionApi::one_flow},
      {"POST", "/v1/flows/*/cancel", &InspectionApi::cancel_flow},
      {"POST", "/v1/flows/*/swap", &InspectionApi::swap},
      {"GET", "/v1/components", &InspectionApi::components},
      {"GET", "/v1/config", &InspectionApi::configuration},
      {"POST", "/v1/reload", &InspectionApi::reload},
      {"GET", "/v1/level", &InspectionApi::get_level},
      {"PUT", "/v1/level", &InspectionApi::put_level},
  };
  return all;
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// The parts that stand for a `*`; nothing where the path is another one.
std::optional<std::vector<std::string_view>> match(std::string_view pattern, std::span<const std::string_view> path) {
  const std::vector<std::string_view> wanted = split(pattern);
  if (wanted.size() != path.size()) return std::nullopt;
  std::vector<std::string_view> stars;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "*") {
      stars.push_back(path[i]);
    } else if (wanted[i] != path[i]) {
      return std::nullopt;
    }
  }
  return stars;
}

HttpResponse not_found(const HttpRequest& request) {
  return error_response(Error(ErrorCode::usage, "there is nothing at `" + request.path + "`",
                              "GET /openapi.json describes what there is"),
                        404);
}

HttpResponse InspectionApi::answer(const HttpRequest& request) const {
  const std::vector<std::string_view> path = split(request.path);
  std::string allowed;
  for (const Route& route : routes()) {
    const auto stars = match(route.path, path);
    if (!stars) continue;
    if (route.method == request.method) return (this->*route.answer)(request, *stars);
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  if (allowed.empty()) return not_found(request);
  HttpResponse response =
      error_response(Error(ErrorCode::usage, "`" + request.path + "` does not take " + request.method), 405);
  response.allow = allowed;
  return response;
}

Result<FlowId> InspectionApi::find(std::string_view flow) const {
  if (const std::optional<FlowId> id = host_.find_flow(flow)) return *id;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(flow.data(), flow.data() + flow.size(), number);
  if (error == std::errc() && end == flow.data() + flow.size()) return FlowId(number);
  std::vector<std::string> names = host_.defined_flows();
  const bool defined = std::ranges::find(names, flow) != names.end();
  for (FlowStatus& status : host_.list_flows()) names.push_back(std::move(status.name));
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string near(config::nearest(flow, views));
  if (defined)
    return fail(ErrorCode::unknown_flow_or_node, "flow `" + std::string(flow) + "` was not started yet",
                "start it: torvyn start " + std::string(flow));
  return fail(ErrorCode::unknown_flow_or_node, "there is no flow `" + std::string(flow) + "`",
              near.empty() ? std::string() : "did you mean `" + near + "`?");
}

HttpResponse InspectionApi::about(const HttpRequest&, Parts) const {
  const auto up = std::chrono::steady_clock::now() - since_;
  return json_response({{"name", options_.name},
                        {"version", options_.version},
                        {"state", host_state_name(host_.state())},
                        {"pid", ::getpid()},
                        {"up_ns", std::chrono::duration_cast<std::chrono::nanoseconds>(up).count()},
                        {"level", level_name(host_.level())},
                        {"pools", Json::parse(observability::pools_json(host_.system_metrics().pools))}});
}

HttpResponse InspectionApi::list_flows(const HttpRequest&, Parts) const {
  Json flows = Json::array();
  const std::vector<FlowStatus> known = host_.list_flows();
  for (const FlowStatus& flow : known)
    flows.push_back({{"id", flow.id.value()},
                     {"name", flow.name},
                     {"state", observability::flow_state_name(flow.state)},
                     {"defined", flow.defined},
                     {"pulled", flow.progress.pulled},
                     {"delivered", flow.progress.delivered},
                     {"errors", flow.progress.errors},
                     {"duration_ns", flow.progress.elapsed_ns}});
  for (const std::string& name : host_.defined_flows())
    if (std::ranges::find(known, name, &FlowStatus::name) == known.end())
      flows.push_back({{"name", name}, {"state", "unstarted"}, {"defined", true}});
  return json_response({{"flows", std::move(flows)}});
}

HttpResponse InspectionApi::start_flow(const HttpRequest& request, Parts) const {
  Body body(request, {"name", "pipeline", "limit", "timeout", "max_errors"});
  const std::string name = body.required_text("name");
  const std::string pipeline = body.text("pipeline");
  const RunLimits limits{.elements_max = body.number("limit"),
                         .timeout_ns = body.duration_ns("timeout"),
                         .errors_max = body.number("max_errors")};
  if (body.refusal()) return *body.refusal();
  Result<FlowId> id = [&]() -> Result<FlowId> {
    if (pipeline.empty()) return host_.start_flow(name, limits);
    TORVYN_LET(config::FlowConfig flow, pipeline::parse_pipeline(pipeline));
    flow.name = name;
    return host_.start_flow(FlowDefinition{.config = std::move(flow)}, limits);
  }();
  if (!id) return error_response(id.error());
  return json_response({{"id", id->value()}, {"name", name}}, 201);
}

HttpResponse InspectionApi::one_flow(const HttpRequest&, Parts parts) const {
  const Result<FlowId> id = find(parts[0]);
  if (!id) return error_response(id.error());
  const Result<FlowReport> report = host_.report(*id);
  if (!report) return error_response(report.error());
  Json json = {{"id", id->value()}};
  json.update(Json::parse(observability::report_json(*report)));
  json["error"] = report->error ? Json::parse(observability::error_json(*report->error)) : Json();
  return json_response(json);
}

HttpResponse InspectionApi::cancel_flow(const HttpRequest& request, Parts parts) const {
  Body body(request, {"drain"});
  const bool drain = body.flag("drain");
  if (body.refusal()) return *body.refusal();
  const Result<FlowId> id = find(parts[0]);
  if (!id) return error_response(id.error());
  const Status asked = drain ? host_.stop_flow(*id) : host_.cancel_flow(*id);
  if (!asked) return error_response(asked.error());
  return json_response({{"id", id->value()}}, 202);
}

HttpResponse InspectionApi::swap(const HttpRequest& request, Parts parts) const {
  Body body(request, {"node", "component", "flush"});
  const std::string node = body.required_text("node");
  const std::string component = body.required_text("component");
  const bool flush = body.flag("flush");
  if (body.refusal()) return *body.refusal();
  const Result<FlowId> id = find(parts[0]);
  if (!id) return error_response(id.error());
  const Result<SwapResult> swapped = host_.swap(*id, node, component, flush);
  if (!swapped) return error_response(swapped.error());
  return json_response({{"id", id->value()}, {"node", node}, {"pause_ns", swapped->pause_ns}});
}

HttpResponse InspectionApi::components(const HttpRequest&, Parts) const {
  struct Used {
    Json nodes = Json::array();
    std::uint64_t instances = 0;
    std::uint64_t memory_bytes = 0;
  };
  std::map<std::string, Used> components;
  for (const FlowReport& report : last_reports(host_)) {
    if (report.state != FlowState::running) continue;
    for (const observability::StageReport& stage : report.stages) {
      if (!is_component(stage)) continue;
      Used& used = components[stage.component];
      used.nodes.push_back({{"flow", report.name},
                            {"node", stage.node},
                            {"role", stage.role},
                            {"contract", stage.contract},
                            {"path", stage.path},
                            {"instances", stage.instances},
                            {"memory_bytes", stage.memory_bytes}});
      used.instances += stage.instances;
      used.memory_bytes += stage.memory_bytes;
    }
  }
  Json list = Json::array();
  for (auto& [component, used] : components)
    list.push_back({{"component", component},
                    {"instances", used.instances},
                    {"memory_bytes", used.memory_bytes},
                    {"nodes", std::move(used.nodes)}});
  return json_response({{"components", std::move(list)}});
}

HttpResponse InspectionApi::configuration(const HttpRequest& request, Parts) const {
  if (!options_.configuration) return not_found(request);
  return json_response({{"configuration", Json::parse(options_.configuration())}});
}

HttpResponse InspectionApi::reload(const HttpRequest& request, Parts) const {
  if (!options_.reload) return not_found(request);
  Body body(request, {"dry_run"});
  const bool dry_run = body.flag("dry_run");
  if (body.refusal()) return *body.refusal();
  Result<ReloadResult> result = options_.reload(dry_run);
  if (!result) return error_response(result.error());
  Json flows = Json::array();
  for (const ReloadedFlow& flow : result->flows)
    flows.push_back({{"name", flow.name},
                     {"change", flow_change_name(flow.change)},
                     {"nodes", flow.nodes},
                     {"error", flow.error ? Json::parse(observability::error_json(*flow.error)) : Json()}});
  return json_response({{"dry_run", dry_run}, {"needs_new_host", result->needs_new_host}, {"flows", std::move(flows)}});
}

HttpResponse InspectionApi::get_level(const HttpRequest&, Parts) const {
  return json_response({{"level", level_name(host_.level())}});
}

HttpResponse InspectionApi::put_level(const HttpRequest& request, Parts parts) const {
  Body body(request, {"level"});
  const std::string name = body.required_text("level");
  if (body.refusal()) return *body.refusal();
  const auto level = std::ranges::find(levels, name, &std::pair<std::string_view, ObservabilityLevel>::first);
  if (level == levels.end())
    return bad_request("there is no level `" + name + "`", "off, production and diagnostic are levels");
  if (const Status set = host_.set_level(level->second); !set) return error_response(set.error());
  return get_level(request, parts);
}

}  // namespace

HttpHandler inspection_handler(Host& host, InspectionOptions options) {
  const auto api = std::make_shared<const InspectionApi>(host, std::move(options));
  return [api](const HttpRequest& request) { return api->answer(request); };
}

HttpHandler probe_handler(Host& host) {
  return [&host](const HttpRequest& request) {
    HttpResponse (*const probe)(Host&) = request.path == "/healthz"   ? healthz
                                         : request.path == "/readyz"  ? readyz
                                         : request.path == "/metrics" ? metrics
                                                                      : nullptr;
    if (probe == nullptr)
      return error_response(Error(ErrorCode::usage, "there is nothing at `" + request.path + "`",
                                  "/healthz, /readyz and /metrics are here; the rest is on the host's socket"),
                            404);
    if (request.method != "GET") {
      HttpResponse response = error_response(Error(ErrorCode::usage, "`" + request.path + "` is for GET"), 405);
      response.allow = "GET";
      return response;
    }
    return probe(host);
  };
}

}  // namespace torvyn::host
