#include "torvyn/contracts/wit_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <system_error>

#include "torvyn/contracts/files.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    entries.push_back(at->path());
  }
  std::ranges::sort(entries);
  return entries;
}

}  // namespace

std::string_view declared_package(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    constexpr std::string_view keyword = "package ";
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with(keyword)) continue;
    line.remove_prefix(keyword.size());
    return line.substr(0, line.find_first_of("; {"));
  }
  return {};
}

bool is_builtin_package(std::string_view declared) {
  return std::ranges::any_of(builtin_packages(),
                             [declared](const WitFile& file) { return declared_package(file.text) == declared; });
}

Result<std::vector<OwnedWitFile>> read_wit_folder(const fs::path& folder) {
  if (!is_folder(folder))
    return fail(ErrorCode::io_failed, fmt::format("`{}` is not a folder of WIT files", folder.string()));
  std::vector<OwnedWitFile> files;
  std::map<std::string, std::string> declared;  // by label
  const auto add = [&](const fs::path& path, const std::string& package) -> Status {
    if (path.extension() != ".wit" || is_folder(path)) return {};
    TORVYN_LET(std::string text, read_file(path));
    if (const std::string_view name = declared_package(text); !name.empty()) declared.emplace(package, name);
    files.push_back({package, path.string(), std::move(text), {}});
    return {};
  };
  for (const fs::path& path : sorted_entries(folder)) TORVYN_TRY(add(path, "."));
  for (const fs::path& dependency : sorted_entries(folder / "deps")) {
    TORVYN_TRY(add(dependency, dependency.string()));
    for (const fs::path& path : sorted_entries(dependency)) TORVYN_TRY(add(path, dependency.string()));
  }
  for (OwnedWitFile& file : files) file.declared = declared[file.package];
  return files;
}

}  // namespace torvyn::contracts
