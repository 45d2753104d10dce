#include "torvyn/contracts/world_catalog.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "torvyn/contracts/files.h"
#include "torvyn/contracts/worlds.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

// The `ns:name@version` a file declares; "" where it leaves that to another file of its package.
std::string_view declared_package(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    constexpr std::string_view keyword = "package ";
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with(keyword)) continue;
    line.remove_prefix(keyword.size());
    line = line.substr(0, line.find_first_of("; {"));
    return line;
  }
  return {};
}

bool is_builtin_package(std::string_view name) {
  return std::ranges::any_of(builtin_packages(),
                             [name](const WitFile& file) { return declared_package(file.text) == name; });
}

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

std::string full_name(std::string_view package, std::string_view world) {
  const InterfaceName split = split_interface_name(package);
  if (split.version.empty()) return fmt::format("{}/{}", split.name, world);
  return fmt::format("{}/{}@{}", split.name, world, split.version);
}

WorldCatalog::Entry entry_of(std::string_view package, std::string_view world) {
  std::string header(world);
  std::ranges::replace(header, '-', '_');
  return {full_name(package, world), std::string(world), std::move(header)};
}

}  // namespace

Result<WorldCatalog> WorldCatalog::load(const fs::path& wit_dir) {
  WorldCatalog catalog;
  if (!wit_dir.empty()) {
    std::map<std::string, std::vector<OwnedFile>> packages;
    const auto add = [&packages](const fs::path& path, const std::string& package) -> Status {
      if (path.extension() != ".wit" || is_folder(path)) return {};
      TORVYN_LET(std::string text, read_file(path));
      packages[package].push_back({package, path.string(), std::move(text)});
      return {};
    };
    if (!is_folder(wit_dir)) {
      return fail(ErrorCode::io_failed, fmt::format("`{}` is not a folder of WIT files", wit_dir.string()));
    }
    for (const fs::path& path : sorted_entries(wit_dir)) TORVYN_TRY(add(path, "."));
    for (const fs::path& dependency : sorted_entries(wit_dir / "deps")) {
      const std::string package = dependency.string();
      TORVYN_TRY(add(dependency, package));
      for (const fs::path& path : sorted_entries(dependency)) TORVYN_TRY(add(path, package));
    }
    for (auto& [package, files] : packages) {
      const bool is_copy = std::ranges::any_of(
          files, [](const OwnedFile& file) { return is_builtin_package(declared_package(file.text)); });
      if (!is_copy) std::ranges::move(files, std::back_inserter(catalog.project_));
    }
    TORVYN_LET(const std::string text, wit_model(catalog.files()));
    const auto model = nlohmann::json::parse(text);
    for (const auto& world : model.at("worlds")) {
      const auto package =
          model.at("packages").at(world.at("package").get<std::size_t>()).at("name").get<std::string>();
      if (!is_builtin_package(package)) {
        catalog.entries_.push_back(entry_of(package, world.at("name").get<std::string>()));
      }
    }
  }
  for (const World& world : worlds()) {
    catalog.entries_.push_back({world.full_name(), std::string(world.name), world.header_name()});
  }
  return catalog;
}

const WorldCatalog::Entry* WorldCatalog::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find_if(entries_, [name](const Entry& entry) {
    return name == entry.name || name == entry.full_name || name == split_interface_name(entry.full_name).name;
  });
  return found == entries_.end() ? nullptr : &*found;
}

const WorldCatalog::Entry* WorldCatalog::find_header(std::string_view header) const noexcept {
  const auto found = std::ranges::find(entries_, header, &Entry::header);
  return found == entries_.end() ? nullptr : &*found;
}

std::string WorldCatalog::names() const {
  std::vector<std::string_view> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<WitFile> WorldCatalog::files() const {
  std::vector<WitFile> files(builtin_packages().begin(), builtin_packages().end());
  for (const OwnedFile& file : project_) files.push_back({file.package, file.path, file.text});
  return files;
}

}  // namespace torvyn::contracts
