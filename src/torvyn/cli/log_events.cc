#include "torvyn/cli/log_events.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include <nlohmann/json.hpp>

#include "torvyn/cli/screen.h"
#include "torvyn/observability/report_json.h"

namespace torvyn::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string now() {
  const auto time = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  return fmt::format("{:%FT%T}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(time)))
      .insert(19, fmt::format(".{:03}", time.time_since_epoch().count() % 1000));
}

std::string_view level_name(Severity severity) {
  switch (severity) {
    case Severity::trace:
      return "trace";
    case Severity::debug:
      return "debug";
    case Severity::info:
      return "info";
    case Severity::warn:
      return "warn";
    case Severity::error:
      return "error";
  }
  return "?";
}

std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'; }

}  // namespace

void LogEvents::event(Severity severity, std::string_view code, std::string_view node, std::string_view text) noexcept {
  if (severity < least_) return;
  Json line = {{"time", now()}, {"level", level_name(severity)}};
  if (!code.empty()) line["code"] = code;
  if (!node.empty()) line["node"] = node;
  line["text"] = text;
  write(line_of(line));
}

void LogEvents::guest_line(Severity severity, std::string_view node, std::string_view text) noexcept {
  if (severity < least_) return;
  write(line_of({{"time", now()}, {"level", level_name(severity)}, {"node", node}, {"text", text}, {"guest", true}}));
}

void LogEvents::error(const Error& error) noexcept {
  Json line = {{"time", now()}, {"level", "error"}};
  Json detail = Json::parse(observability::error_json(error));
  line["code"] = detail["code"];
  line["text"] = detail["message"];
  detail.erase("code");
  detail.erase("message");
  line.update(detail);
  write(line_of(line));
}

void LogEvents::write(std::string_view line) noexcept {
  const std::scoped_lock lock(mutex_);
  static_cast<void>(write_text(fd_, line));
}

}  // namespace torvyn::cli
