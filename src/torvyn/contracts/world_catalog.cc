#include "torvyn/contracts/world_catalog.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "torvyn/config/nearest.h"
#include "torvyn/contracts/files.h"
#include "torvyn/contracts/wit_model.h"
#include "torvyn/contracts/worlds.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

WorldCatalog::Entry entry_of(std::string full_name, std::string_view world) {
  std::string header(world);
  std::ranges::replace(header, '-', '_');
  return {std::move(full_name), std::string(world), std::move(header)};
}

}  // namespace

Result<WorldCatalog> WorldCatalog::load(const fs::path& wit_dir) {
  WorldCatalog catalog;
  if (!wit_dir.empty()) {
    TORVYN_LET(catalog.project_, read_wit_folder(wit_dir));
    std::erase_if(catalog.project_, [](const OwnedWitFile& file) { return is_builtin_package(file.declared); });
    TORVYN_LET(const WitModel model, read_wit(catalog.files()));
    for (const WitWorld& world : model.worlds) {
      if (!is_builtin_package(world.package)) catalog.entries_.push_back(entry_of(world.full_name(), world.name));
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

Result<const WorldCatalog::Entry*> WorldCatalog::require(std::string_view name) const {
  if (const Entry* const entry = find(name)) return entry;
  return fail(ErrorCode::usage, fmt::format("there is no world `{}`{}", name, did_you_mean(name)),
              fmt::format("the worlds are: {}", names()));
}

std::string WorldCatalog::did_you_mean(std::string_view name) const {
  std::vector<std::string_view> candidates;
  for (const Entry& entry : entries_) candidates.emplace_back(entry.name);
  const std::string_view near = config::nearest(name, candidates);
  return near.empty() ? std::string() : fmt::format(", did you mean `{}`?", near);
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
  for (const OwnedWitFile& file : project_) files.push_back(file.view());
  return files;
}

}  // namespace torvyn::contracts
