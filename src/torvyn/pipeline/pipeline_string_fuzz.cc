// Any text is a pipeline with distinct names, a chain by itself or by its edges, or an error with a place inside that text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "torvyn/pipeline/pipeline_string.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
  const std::string_view text(reinterpret_cast<const char*>(data), length);
  const torvyn::Result<torvyn::config::FlowConfig> flow = torvyn::pipeline::parse_pipeline(text);
  if (!flow) {
    const torvyn::ErrorDetail& detail = flow.error().detail();
    if (detail.line == 0 || detail.column == 0 || detail.column > detail.source_line.size() + 2) std::abort();
    return 0;
  }
  std::set<std::string> names;
  for (const torvyn::config::NodeConfig& node : flow->nodes) {
    if (node.component.empty() || !names.insert(node.name).second) std::abort();
  }
  if (!flow->edges.empty() && flow->edges.size() + 1 != flow->nodes.size()) std::abort();
  return 0;
}
