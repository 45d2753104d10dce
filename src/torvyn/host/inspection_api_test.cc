// The answers of the inspection API over a host with built-in stages; the server below it and real components have tests of their own.
#include "torvyn/host/inspection_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "torvyn/host/host_builder.h"

namespace torvyn::host {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t s_ns = 1'000'000'000;

constexpr const char* manifest_text = R"(
[torvyn]
name = "t"
version = "0.1.0"
contract_version = "0.1.0"
[flow.main.nodes.in]
component = "builtin:generate"
[flow.main.nodes.out]
component = "builtin:null"
[flow.later]
autostart = false
[flow.later.nodes.in]
component = "builtin:generate"
config = { count = 3 }
[flow.later.nodes.out]
component = "builtin:null"
)";

class InspectionApiTest : public testing::Test {
 protected:
  InspectionApiTest() {
    Result<config::Manifest> manifest = config::parse_manifest(manifest_text, "Torvyn.toml");
    EXPECT_TRUE(manifest) << manifest.error().to_string();
    manifest->runtime.max_instances = 4;
    manifest_ = *manifest;
    host_ = *HostBuilder().with_manifest(*std::move(manifest)).with_worker_threads(2).build();
    EXPECT_TRUE(host_->start());
    handler_ =
        inspection_handler(*host_, {.name = "t",
                                    .version = "1.2.3",
                                    .configuration = [] { return std::string(R"([{"path":"a.b"}])"); },
                                    .reload = [this](bool dry_run) { return host_->reload(manifest_, dry_run); }});
  }
  ~InspectionApiTest() override {
    if (host_->state() == HostState::running) static_cast<void>(host_->shutdown(s_ns));
  }

  HttpResponse call(const std::string& method, const std::string& path, const std::string& body = {}) {
    return handler_({.method = method, .path = path, .query = {}, .body = body});
  }
  json ok(const std::string& method, const std::string& path, const std::string& body = {}, unsigned status = 200) {
    const HttpResponse response = call(method, path, body);
    EXPECT_EQ(response.status, status) << response.body;
    return json::parse(response.body);
  }
  // The error's code.
  std::string refused(unsigned status, const std::string& method, const std::string& path,
                      const std::string& body = {}) {
    const HttpResponse response = call(method, path, body);
    EXPECT_EQ(response.status, status) << response.body;
    const json error = json::parse(response.body)["error"];
    EXPECT_FALSE(error["message"].get<std::string>().empty());
    return error["code"];
  }

  config::Manifest manifest_;
  std::unique_ptr<Host> host_;
  HttpHandler handler_;
};

TEST_F(InspectionApiTest, StartsShowsAndCancelsAFlow) {
  EXPECT_EQ(ok("GET", "/readyz", {}, 503)["waiting_for"], json({"main"}));
  const json started = ok("POST", "/v1/flows", R"({"name":"main"})", 201);
  EXPECT_TRUE(ok("GET", "/readyz")["ready"]);
  const json flow = ok("GET", "/v1/flows/main");
  EXPECT_EQ(flow["id"], started["id"]);
  EXPECT_EQ(flow["flow"]["state"], "running");
  EXPECT_EQ(flow["stages"].size(), 2U);
  EXPECT_TRUE(flow["error"].is_null());
  const json list = ok("GET", "/v1/flows")["flows"];
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["state"], "running");
  EXPECT_EQ(list[1]["state"], "unstarted");
  EXPECT_EQ(refused(409, "POST", "/v1/flows", R"({"name":"main"})"), "E0006");
  ok("POST", "/v1/flows/main/cancel", {}, 202);
  ASSERT_TRUE(host_->wait(FlowId(started["id"].get<std::uint64_t>())));
  EXPECT_EQ(ok("GET", "/v1/flows/" + std::to_string(started["id"].get<std::uint64_t>()))["flow"]["state"], "cancelled");
  EXPECT_EQ(ok("GET", "/readyz", {}, 503)["waiting_for"], json({"main"}));
}

TEST_F(InspectionApiTest, StartsAPipelineWithLimits) {
  const json started = ok("POST", "/v1/flows", R"({"name":"adhoc","pipeline":"generate ! null","limit":7})", 201);
  const auto report = host_->wait(FlowId(started["id"].get<std::uint64_t>()));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->fates.pulled, 7U);
  EXPECT_FALSE(ok("GET", "/v1/flows")["flows"][0]["defined"]);
}

TEST_F(InspectionApiTest, SaysWhatIsWrongWithARequest) {
  EXPECT_EQ(refused(400, "POST", "/v1/flows", "{"), "E0006");
  EXPECT_EQ(refused(400, "POST", "/v1/flows", "[]"), "E0006");
  EXPECT_EQ(refused(400, "POST", "/v1/flows", "{}"), "E0006");
  EXPECT_EQ(refused(400, "POST", "/v1/flows", R"({"name":7})"), "E0006");
  EXPECT_EQ(refused(400, "POST", "/v1/flows", R"({"name":"main","timeout":"soon"})"), "E0006");
  EXPECT_EQ(refused(400, "POST", "/v1/flows", R"({"name":"main","limit":-1})"), "E0006");
  EXPECT_THAT(call("POST", "/v1/flows", R"({"nme":"main"})").body, HasSubstr("did you mean `name`?"));
  EXPECT_EQ(refused(400, "POST", "/v1/flows", R"({"name":"x","pipeline":"generate ! ! null"})"), "E0005");
  EXPECT_EQ(refused(422, "POST", "/v1/flows", R"({"name":"x","pipeline":"generate ! ./no.wasm ! null"})"), "E0210");
  EXPECT_EQ(refused(404, "POST", "/v1/flows", R"({"name":"mian"})"), "E0207");
  EXPECT_EQ(refused(404, "GET", "/v1/flows/mian"), "E0207");
  EXPECT_EQ(refused(404, "GET", "/v1/flows/99"), "E0207");
  EXPECT_THAT(call("GET", "/v1/flows/later").body, HasSubstr("torvyn start later"));
  EXPECT_EQ(refused(404, "GET", "/v1/flows/"), "E0207");
  EXPECT_EQ(refused(404, "GET", "/v2"), "E0006");
  EXPECT_EQ(refused(404, "GET", "/"), "E0006");
  const HttpResponse wrong_method = call("DELETE", "/v1/flows");
  EXPECT_EQ(wrong_method.status, 405U);
  EXPECT_EQ(wrong_method.allow, "GET, POST");
}

TEST_F(InspectionApiTest, TellsOfLevelConfigurationAndHost) {
  EXPECT_EQ(ok("GET", "/v1/level")["level"], "production");
  EXPECT_EQ(ok("PUT", "/v1/level", R"({"level":"diagnostic"})")["level"], "diagnostic");
  EXPECT_EQ(host_->level(), config::ObservabilityLevel::diagnostic);
  EXPECT_EQ(refused(400, "PUT", "/v1/level", R"({"level":"loud"})"), "E0006");
  EXPECT_EQ(ok("GET", "/v1/config")["configuration"][0]["path"], "a.b");
  const json host = ok("GET", "/v1/host");
  EXPECT_EQ(host["name"], "t");
  EXPECT_EQ(host["version"], "1.2.3");
  EXPECT_EQ(host["state"], "running");
  EXPECT_EQ(host["pools"].size(), 4U);
}

TEST_F(InspectionApiTest, ReloadsAndSwaps) {
  ok("POST", "/v1/flows", R"({"name":"main"})", 201);
  manifest_.flows.pop_back();
  const json dry = ok("POST", "/v1/reload", R"({"dry_run":true})");
  EXPECT_TRUE(dry["dry_run"]);
  EXPECT_EQ(dry["flows"][0]["change"], "unchanged");
  EXPECT_EQ(dry["flows"][1]["change"], "removed");
  EXPECT_THAT(host_->defined_flows(), ElementsAre("main", "later"));
  ok("POST", "/v1/reload");
  EXPECT_THAT(host_->defined_flows(), ElementsAre("main"));
  EXPECT_EQ(refused(404, "POST", "/v1/flows/main/swap", R"({"node":"no","component":"x.wasm"})"), "E0207");
  EXPECT_EQ(refused(400, "POST", "/v1/flows/main/swap", R"({"node":"out"})"), "E0006");
}

TEST_F(InspectionApiTest, ProbesShowHealthAndMetricsAlone) {
  const HttpHandler probe = probe_handler(*host_);
  const auto get = [&probe](const std::string& path) {
    return probe({.method = "GET", .path = path, .query = {}, .body = {}});
  };
  EXPECT_EQ(get("/healthz").status, 200U);
  EXPECT_EQ(get("/readyz").status, 503U);
  const HttpResponse metrics = get("/metrics");
  EXPECT_EQ(metrics.status, 200U);
  EXPECT_THAT(metrics.content_type, HasSubstr("version=0.0.4"));
  EXPECT_THAT(metrics.body, HasSubstr("torvyn_system_flows_active 0\n"));
  for (const char* path : {"/v1/flows", "/v1/config", "/openapi.json", "/"}) EXPECT_EQ(get(path).status, 404U) << path;
  EXPECT_EQ(probe({.method = "POST", .path = "/metrics", .query = {}, .body = {}}).status, 405U);
  ASSERT_TRUE(host_->shutdown(0));
  EXPECT_EQ(get("/healthz").status, 503U);
}

TEST_F(InspectionApiTest, CountsOfAFlowAreInTheMetrics) {
  const json started = ok("POST", "/v1/flows", R"({"name":"later"})", 201);
  ASSERT_TRUE(host_->wait(FlowId(started["id"].get<std::uint64_t>())));
  EXPECT_THAT(call("GET", "/metrics").body,
              HasSubstr("torvyn_flow_elements_total{flow=\"later\",outcome=\"delivered\"} 3\n"));
}

// Every route is described, and everything described is there.
TEST_F(InspectionApiTest, IsWhatItsDescriptionSays) {
  const json description = ok("GET", "/openapi.json");
  EXPECT_EQ(description["openapi"], "3.1.0");
  for (const auto& [path, methods] : description["paths"].items()) {
    std::string real = path;
    if (const auto at = real.find("{flow}"); at != std::string::npos) real.replace(at, 6, "no-such-flow");
    std::set<std::string> described;
    for (const auto& [method, operation] : methods.items())
      if (method != "parameters") described.insert(method);
    for (const char* method : {"get", "post", "put", "delete", "patch"}) {
      std::string upper = method;
      for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
      const bool there = call(upper, real, "{\"x\":1}").status != 405;
      EXPECT_EQ(there, described.contains(method)) << method << " " << path;
    }
  }
}

}  // namespace
}  // namespace torvyn::host
