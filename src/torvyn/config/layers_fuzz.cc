// An assignment in the first line, a variable in the second, a manifest in the rest: configuration, or an error with its place.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "torvyn/config/layers.h"
#include "torvyn/config/references.h"

namespace {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
  using namespace torvyn::config;
  std::string_view text(reinterpret_cast<const char*>(data), length);
  const std::string_view assignment = take_line(text);
  const std::string_view variable = take_line(text);
  const std::size_t equals = std::min(variable.find('='), variable.size());
  ConfigurationSources sources{.project_file = "fuzz.toml"};
  if (!assignment.empty()) sources.assignments.emplace_back(assignment);
  if (equals < variable.size())
    sources.environment.emplace_back("TORVYN_" + std::string(variable.substr(0, equals)), variable.substr(equals + 1));
  const std::string project =
      "[torvyn]\nname = \"x\"\nversion = \"0.1.0\"\ncontract_version = \"0.1.0\"\n" + std::string(text);

  torvyn::Result<Configuration> configuration = parse_configuration(project, sources);
  if (!configuration) {
    const torvyn::ErrorDetail& detail = configuration.error().detail();
    if ((detail.line > 0) != (detail.column > 0) || detail.caret_length > detail.source_line.size()) std::abort();
    return 0;
  }
  for (const EffectiveValue& value : configuration->values)
    if (value.path.empty() || value.value.empty()) std::abort();
  const auto lookup = [](std::string_view name) { return std::optional(std::string(name)); };
  for (FlowConfig& flow : configuration->manifest.flows)
    for (NodeConfig& node : flow.nodes) static_cast<void>(fill_references(node, "/nowhere", lookup));
  return 0;
}
