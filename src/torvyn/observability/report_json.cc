#include "torvyn/observability/report_json.h"

#include <array>
#include <span>

#include <nlohmann/json.hpp>

namespace torvyn::observability {
namespace {

using Json = nlohmann::ordered_json;

void add_text(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

// What is not known is left out.
Json of_error(const Error& error) {
  const ErrorDetail& detail = error.detail();
  Json object = {{"code", code_string(error.code())}, {"message", error.message()}, {"hint", error.hint()}};
  if (!detail.file.empty()) {
    object["file"] = detail.file;
    if (detail.line != 0) object["line"] = detail.line;
    if (detail.line != 0 && detail.column != 0) object["column"] = detail.column;
  }
  add_text(object, "flow", detail.flow);
  add_text(object, "node", detail.node);
  add_text(object, "component", detail.component);
  if (detail.element) {
    object["element"] = *detail.element;
    object["element_bytes"] = detail.element_bytes;
    add_text(object, "element_place", detail.element_place);
  }
  add_text(object, "trap", detail.trap_kind);
  if (!detail.guest_backtrace.empty()) object["guest_backtrace"] = detail.guest_backtrace;
  if (!detail.guest_lines.empty()) object["guest_lines"] = detail.guest_lines;
  add_text(object, "consequence", detail.consequence);
  return object;
}

Json of_errors(std::span<const Error> errors) {
  Json list = Json::array();
  for (const Error& error : errors) list.push_back(of_error(error));
  return list;
}

Json of_flow(const FlowReport& report) {
  static constexpr std::array fates = {Fate::delivered, Fate::filtered,      Fate::absorbed, Fate::skipped,
                                       Fate::dropped,   Fate::dead_lettered, Fate::failed,   Fate::cancelled};
  static_assert(fates.size() == fate_count);
  Json flow = {{"name", report.name},
               {"state", flow_state_name(report.state)},
               {"duration_ns", report.duration_ns},
               {"cpu_ns", report.cpu_ns},
               {"restarts", report.restarts},
               {"p50_ns", report.p50_ns},
               {"p99_ns", report.p99_ns},
               {"pulled", report.fates.pulled}};
  for (const Fate fate : fates) flow[std::string(fate_name(fate))] = report.fates[fate];
  flow["created"] = report.fates.created;
  flow["notes"] = report.notes;
  flow["skipped_errors"] = of_errors(report.skipped);
  return flow;
}

// Those of which there is anything to say.
Json of_capabilities(const security::CapabilityCounts& counts) {
  Json json = Json::object();
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] != security::CapabilityCount{})
      json[std::string(config::capability_names()[i])] = {{"exercises", counts[i].exercises},
                                                          {"denials", counts[i].denials}};
  return json;
}

Json of_stage(const StageReport& stage) {
  const resources::CopyCount total = stage.copies_total();
  Json kinds = Json::object();
  for (int kind = 0; kind < resources::copy_kind_count; ++kind) {
    const resources::CopyCount& count = stage.copies[static_cast<std::size_t>(kind)];
    kinds[std::string(resources::copy_kind_name(static_cast<resources::CopyKind>(kind)))] = {{"copies", count.copies},
                                                                                             {"bytes", count.bytes}};
  }
  return {{"node", stage.node},
          {"component", stage.component},
          {"role", stage.role},
          {"path", stage.path},
          {"contract", stage.contract},
          {"elements_in", stage.elements_in},
          {"elements_out", stage.elements_out},
          {"errors", stage.errors},
          {"restarts", stage.restarts},
          {"swaps", stage.swaps},
          {"swap_pause_ns", stage.swap_pause_ns},
          {"state_lost", stage.state_lost},
          {"rests", stage.rests},
          {"rested_ns", stage.rested_ns},
          {"instances", stage.instances},
          {"parallel", stage.parallel},
          {"copies", total.copies},
          {"bytes_copied", total.bytes},
          {"copies_by_kind", std::move(kinds)},
          {"capabilities", of_capabilities(stage.capabilities)},
          {"time_ns", stage.time_ns},
          {"p50_ns", stage.p50_ns},
          {"p99_ns", stage.p99_ns},
          {"memory_bytes", stage.memory_bytes}};
}

Json of_stream(const StreamReport& stream) {
  return {{"from", stream.from},
          {"to", stream.to},
          {"transferred", stream.transferred},
          {"dropped", stream.dropped},
          {"depth", stream.depth},
          {"peak_depth", stream.depth_max},
          {"backpressure_events", stream.backpressure_events},
          {"backpressure_ns", stream.backpressure_ns}};
}

Json of_pools(const resources::PoolStats& pools) {
  static constexpr std::array names = {"small", "medium", "large", "huge"};
  static_assert(names.size() == std::tuple_size_v<decltype(pools.tiers)>);
  Json list = Json::array();
  for (std::size_t index = 0; index < names.size(); ++index) {
    const resources::TierStats& tier = pools.tiers[index];
    list.push_back({{"tier", names[index]},
                    {"buffer_bytes", tier.buffer_bytes},
                    {"capacity", tier.capacity},
                    {"available", tier.available},
                    {"allocated", tier.allocated},
                    {"returned", tier.returned},
                    {"reused", tier.reused},
                    {"fallbacks", tier.fallbacks},
                    {"exhausted", tier.exhausted}});
  }
  return list;
}

Json of_report(const FlowReport& report) {
  const resources::CopyCount copies = report.copies_total();
  Json json = {{"flow", of_flow(report)}};
  json["copies"] = copies.copies;
  json["bytes_copied"] = copies.bytes;
  json["stages"] = Json::array();
  for (const auto& stage : report.stages) json["stages"].push_back(of_stage(stage));
  json["streams"] = Json::array();
  for (const auto& stream : report.streams) json["streams"].push_back(of_stream(stream));
  json["pools"] = of_pools(report.pools);
  return json;
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string error_json(const Error& error) { return text_of(of_error(error)); }
std::string report_json(const FlowReport& report) { return text_of(of_report(report)); }
std::string pools_json(const resources::PoolStats& pools) { return text_of(of_pools(pools)); }

}  // namespace torvyn::observability
