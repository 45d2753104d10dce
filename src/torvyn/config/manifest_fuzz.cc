// Any text is a manifest or an error in that text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "torvyn/config/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
  const std::string_view text(reinterpret_cast<const char*>(data), length);
  const torvyn::Result<torvyn::config::Manifest> manifest = torvyn::config::parse_manifest(text, "fuzz.toml");
  if (manifest) return 0;
  const torvyn::ErrorDetail& detail = manifest.error().detail();
  if (detail.file != "fuzz.toml" || (detail.line > 0) != (detail.column > 0)) std::abort();
  if (detail.caret_length > detail.source_line.size()) std::abort();
  return 0;
}
