#include "torvyn/contracts/embedded.h"

#include <algorithm>

namespace torvyn::contracts {

std::span<const EmbeddedFile> embedded_files(std::string_view folder) noexcept {
  const auto files = embedded_files();
  const auto first = std::ranges::lower_bound(files, folder, {}, &EmbeddedFile::path);
  const auto last = std::find_if_not(first, files.end(),
                                     [folder](const EmbeddedFile& file) { return file.path.starts_with(folder); });
  return {first, last};
}

}  // namespace torvyn::contracts
