#include "torvyn/contracts/contract_validator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "torvyn/config/place.h"
#include "torvyn/contracts/bridge_values.h"
#include "torvyn/contracts/wit_folder.h"

namespace torvyn::contracts {
namespace {

constexpr std::string_view other_version_hint =
    "build against the packages of this Torvyn, or use a Torvyn that speaks that version";

constexpr std::string_view deprecated_hint = "its documentation in the WIT says what to use instead";

// The folder's texts, to draw carets under.
class Sources {
 public:
  explicit Sources(const std::vector<OwnedWitFile>& files) {
    for (const OwnedWitFile& file : files) texts_[file.path] = std::make_shared<const std::string>(file.text);
  }

  // The same error with its line drawn; `length` bytes are underlined.
  Error placed(Error error, const WitPlace& place, std::size_t length) const {
    const auto text = texts_.find(place.file);
    return config::placed(std::move(error), {place.file, place.line, place.column, static_cast<std::uint32_t>(length),
                                             text == texts_.end() ? nullptr : text->second});
  }

  // An error that came with its place, likewise.
  Error with_line(Error error) const {
    if (error.detail().line == 0) return error;
    const WitPlace place{error.detail().file, error.detail().line, error.detail().column};
    error.detail().file.clear();
    return placed(std::move(error), place, 1);
  }

 private:
  std::map<std::string, std::shared_ptr<const std::string>> texts_;
};

std::string_view unversioned(std::string_view name) { return split_interface_name(name).name; }

// "torvyn:streaming" of "torvyn:streaming/types@0.1.0".
std::string_view package_of(std::string_view interface) {
  const std::string_view name = unversioned(interface);
  return name.substr(0, name.find('/'));
}

// What a person does about an error of WIT.
std::string wit_hint(const Error& error) {
  if (error.code() == ErrorCode::wit_syntax)
    return "WIT's syntax is on component-model.bytecodealliance.org/design/wit.html";
  if (error.message().starts_with("package "))
    return "put the package's files into deps/NAME of the WIT folder; those of Torvyn are always there, in version "
           "0.1.0";
  return "look at the spelling; a type of another interface is brought in by `use`";
}

// All that is wrong with `files`.
std::vector<Error> problems_of(std::span<const WitFile> files, const Sources& sources) {
  struct Sink {
    const Sources& sources;
    std::vector<Error> errors;
  } sink{sources, {}};
  const auto take_problem = [](void* user, const tvb_failure* problem) {
    Sink& into = *static_cast<Sink*>(user);
    Error error = error_of(*problem, ErrorCode::wit_syntax);
    error.detail().hint = wit_hint(error);
    into.errors.push_back(into.sources.with_line(std::move(error)));
  };
  const std::vector<tvb_wit_file> raw = bridge_files(files);
  tvb_failure failure{};
  if (tvb_wit_problems(raw.data(), raw.size(), take_problem, &sink, &failure) != TVB_OK)
    sink.errors.push_back(take_error(failure, ErrorCode::wit_syntax));
  return std::move(sink.errors);
}

std::vector<std::string> names_of(const std::vector<WitItem>& items) {
  std::vector<std::string> names;
  names.reserve(items.size());
  for (const WitItem& item : items) names.push_back(item.name);
  return names;
}

// Deprecated things that the project's own WIT uses, each told once a place.
class Deprecations {
 public:
  Deprecations(const WitModel& model, const Sources& sources, const std::set<std::string>& own_files)
      : model_(model), sources_(sources), own_files_(own_files) {}

  std::vector<Error> find() {
    for (const WitWorld& world : model_.worlds) {
      for (const WitItem& item : world.imports) look_at_item(item, world, "imports");
      for (const WitItem& item : world.exports) look_at_item(item, world, "exports");
    }
    for (const WitInterface& interface : model_.interfaces) {
      for (const WitFunction& function : interface.functions) look_at(function);
      for (const WitType& type : interface.types) look_at(type);
    }
    return std::move(found_);
  }

 private:
  void look_at_item(const WitItem& item, const WitWorld& world, std::string_view verb) {
    if (!own_files_.contains(world.place.file)) return;
    if (item.function) look_at(*item.function);
    if (!item.interface) return;
    const WitInterface& interface = model_.interfaces[*item.interface];
    if (interface.deprecated.empty()) return;
    // What came by `include` has the place of what it came from.
    const bool here = own_files_.contains(item.place.file);
    tell(fmt::format("the world `{}` {} `{}`", world.name, verb, item.name), interface.deprecated,
         here ? item.place : world.place, here ? 1 : world.name.size());
  }

  void look_at(const WitDefinition& definition) {
    if (!own_files_.contains(definition.place.file)) return;
    for (const std::string& name : definition.refers) {
      const WitType* const type = model_.find_type(name);
      if (type == nullptr || type->deprecated.empty()) continue;
      tell(fmt::format("`{}` is made of `{}`", definition.name, name), type->deprecated, definition.place,
           definition.name.size());
    }
  }

  void tell(const std::string& what, const std::string& since, const WitPlace& place, std::size_t length) {
    Error error(ErrorCode::deprecated_contract, fmt::format("{}, which is deprecated since {}", what, since),
                std::string(deprecated_hint));
    found_.push_back(sources_.placed(std::move(error), place, length));
  }

  const WitModel& model_;
  const Sources& sources_;
  const std::set<std::string>& own_files_;
  std::vector<Error> found_;
};

// The place of the first difference that a copy of the contract has, or of the interface where something is missing in it.
WitPlace place_of(const InterfaceComparison& comparison, const WitInterface& copy) {
  for (const std::vector<Difference>* const list : {&comparison.types, &comparison.functions})
    for (const Difference& difference : *list)
      if (difference.on_the_wire && difference.before != difference.after && difference.before_place.line != 0)
        return difference.before_place;
  return copy.place;
}

bool differs_on_the_wire(const InterfaceComparison& comparison) {
  const auto on_the_wire = [](const Difference& difference) { return difference.on_the_wire; };
  return std::ranges::any_of(comparison.functions, on_the_wire) || std::ranges::any_of(comparison.types, on_the_wire);
}

// Copies of the contract's interfaces in a project that are not what this Torvyn has. A type that several of them are made of is told of
// once, where it is defined.
std::vector<Error> check_copies(const WitModel& model, const WitModel& contract, const Sources& sources,
                                const std::set<std::string>& folder_files) {
  std::vector<Error> errors;
  std::set<std::string> told;
  std::set<std::string> versions_told;
  for (const WitInterface& copy : model.interfaces) {
    if (!folder_files.contains(copy.place.file)) continue;
    const WitInterface* const ours = contract.find_interface(copy.name);
    if (ours == nullptr) continue;
    const std::string name(unversioned(copy.name));
    const std::string_view version = split_interface_name(copy.name).version;
    const std::string_view our_version = split_interface_name(ours->name).version;
    if (!compatible_versions(our_version, version)) {
      if (!versions_told.insert(std::string(package_of(copy.name))).second) continue;
      Error error(ErrorCode::version_incompatible,
                  fmt::format("`{}` is here in version {}; this Torvyn speaks {}, which is not compatible with it",
                              package_of(copy.name), version.empty() ? "none" : version, our_version),
                  std::string(other_version_hint));
      errors.push_back(sources.placed(std::move(error), copy.place, 1));
      continue;
    }
    InterfaceComparison comparison = compare_interfaces(model, copy, contract, *ours);
    std::erase_if(comparison.types, [&](const Difference& type) { return type.interface != name; });
    // A function that is another one because of a type is told of with that type.
    std::erase_if(comparison.functions, [](const Difference& one) { return one.before == one.after; });
    if (!differs_on_the_wire(comparison)) continue;
    Error error(ErrorCode::interfaces_incompatible,
                fmt::format("this copy of `{}` is not what this Torvyn has\n{}", name,
                            describe_differences(comparison, "this copy has:", "this Torvyn has:")),
                "put the contract's file back as it was: what is built against this copy does not link");
    errors.push_back(sources.placed(std::move(error), place_of(comparison, copy), 1));
  }
  return errors;
}

enum class Side : std::uint8_t { imported, exported };

// The interfaces of a component, one by one, held against the contract's.
class ComponentExam {
 public:
  ComponentExam(const WitModel& component, const WitModel& contract, std::string_view name, ComponentReport& report)
      : component_(component), contract_(contract), name_(name), report_(report) {}

  void examine(const WitItem& item, Side side) {
    if (!item.interface) return;
    const WitInterface& theirs = component_.interfaces[*item.interface];
    const WitInterface* const ours = contract_.find_interface(item.name);
    if (ours == nullptr) return;
    const std::string_view our_version = split_interface_name(ours->name).version;
    if (!compatible_versions(our_version, split_interface_name(item.name).version)) {
      report_.errors.emplace_back(ErrorCode::version_incompatible,
                                  fmt::format("`{}` {} `{}`; this Torvyn speaks {}, which is not compatible with it",
                                              name_, verb(side), item.name, our_version),
                                  std::string(other_version_hint));
      return;
    }
    find_deprecated(item, side, theirs, *ours);
    compare(side, theirs, *ours);
  }

 private:
  static std::string_view verb(Side side) noexcept { return side == Side::imported ? "imports" : "exports"; }

  void find_deprecated(const WitItem& item, Side side, const WitInterface& theirs, const WitInterface& ours) {
    if (!ours.deprecated.empty())
      warn(fmt::format("`{}` {} `{}`, which is deprecated since {}", name_, verb(side), item.name, ours.deprecated));
    if (side == Side::exported) return;
    for (const WitFunction& function : theirs.functions) {
      const WitFunction* const known = ours.find_function(function.name);
      if (known == nullptr || known->deprecated.empty()) continue;
      warn(fmt::format("`{}` calls `{}` of `{}`, which is deprecated since {}", name_, function.name,
                       unversioned(item.name), known->deprecated));
    }
  }

  void warn(std::string message) {
    report_.warnings.emplace_back(ErrorCode::deprecated_contract, std::move(message), std::string(deprecated_hint));
  }

  // Of an import a component has what it uses, of an export all there is.
  void compare(Side side, const WitInterface& theirs, const WitInterface& ours) {
    const bool imported = side == Side::imported;
    InterfaceComparison comparison =
        compare_interfaces(component_, theirs, contract_, ours, imported ? Extent::used_part : Extent::whole);
    if (imported ? comparison.importers_link : comparison.exporters_link) return;
    const std::vector<std::string>& lack = imported ? comparison.importers_lack : comparison.exporters_lack;
    const std::string differences = describe_differences(comparison, "the component has:", "this Torvyn has:");
    // One type that is another one may be in many interfaces.
    if (told_.insert(differences).second)
      report_.errors.emplace_back(
          ErrorCode::interfaces_incompatible,
          fmt::format("`{}` was built against another `{}` than this Torvyn has: `{}` {} not what this Torvyn {}\n{}",
                      name_, unversioned(theirs.name), fmt::join(lack, "`, `"), lack.size() == 1 ? "is" : "are",
                      imported ? "provides" : "calls", differences),
          "build it again against the packages of this Torvyn: torvyn build does, and torvyn init writes them into a "
          "project");
    report_.mismatches.push_back(std::move(comparison));
  }

  const WitModel& component_;
  const WitModel& contract_;
  std::string_view name_;
  ComponentReport& report_;
  std::set<std::string> told_;
};

}  // namespace

Result<ContractValidator> ContractValidator::create(std::span<const WitFile> packages) {
  TORVYN_LET(WitModel model, read_wit(packages));
  return ContractValidator({packages.begin(), packages.end()}, std::move(model));
}

std::vector<FilledRole> ContractValidator::roles_of(const WitWorld& world) const {
  std::vector<FilledRole> roles;
  for (const WitItem& item : world.exports) {
    const InterfaceName name = split_interface_name(item.name);
    const StageInterface* const known = find_stage_interface(name.name);
    if (known == nullptr || !compatible_versions(known->version, name.version)) continue;
    const bool batch = known->contract == Contract::batch;
    const auto first_element = std::ranges::find(roles, Contract::element, &FilledRole::contract);
    roles.insert(batch ? first_element : roles.end(), {known->role, known->contract, item.name});
  }
  return roles;
}

FolderReport ContractValidator::check_folder(const std::filesystem::path& folder) const {
  FolderReport report;
  Result<std::vector<OwnedWitFile>> read = read_wit_folder(folder);
  if (!read) {
    report.errors.push_back(std::move(read).error());
    return report;
  }
  const std::vector<OwnedWitFile>& files = *read;
  const Sources sources(files);
  std::vector<WitFile> all;
  std::set<std::string> folder_files;
  std::set<std::string> own_files;  // but for copies of the contract
  for (const OwnedWitFile& file : files) {
    all.push_back(file.view());
    folder_files.insert(file.path);
    const bool is_copy = std::ranges::any_of(packages_, [&file](const WitFile& ours) {
      return unversioned(declared_package(ours.text)) == unversioned(file.declared) && !file.declared.empty();
    });
    if (!is_copy) own_files.insert(file.path);
    if (!file.declared.empty() && std::ranges::find(report.packages, file.declared) == report.packages.end())
      report.packages.push_back(file.declared);
  }
  // What the folder has no copy of comes from here. One label may stand for several files, of which one declares the package.
  std::set<std::string_view> copied;
  for (const WitFile& ours : packages_)
    if (const std::string_view declared = declared_package(ours.text);
        !declared.empty() && std::ranges::find(report.packages, declared) != report.packages.end())
      copied.insert(ours.package);
  for (const WitFile& ours : packages_)
    if (!copied.contains(ours.package)) all.push_back(ours);
  if (files.empty()) return report;

  report.errors = problems_of(all, sources);
  if (!report.errors.empty()) return report;
  Result<WitModel> model = read_wit(all);
  if (!model) {
    report.errors.push_back(std::move(model).error());
    return report;
  }
  report.errors = check_copies(*model, contract_, sources, folder_files);
  report.warnings = Deprecations(*model, sources, own_files).find();
  bool any_role = false;
  for (const WitWorld& world : model->worlds) {
    if (!own_files.contains(world.place.file)) continue;
    report.worlds.push_back(
        {world.full_name(), roles_of(world), names_of(world.imports), names_of(world.exports), world.place});
    any_role = any_role || !report.worlds.back().roles.empty();
  }
  for (const WorldReport& world : report.worlds) {
    // One that exports nothing is there to be included.
    if (!world.roles.empty() || (any_role && world.exports.empty())) continue;
    const std::string exports =
        world.exports.empty() ? std::string("nothing") : fmt::format("`{}`", fmt::join(world.exports, "`, `"));
    Error error(
        ErrorCode::no_torvyn_interface,
        fmt::format("the world `{}` exports no interface that makes a stage; it exports {}", world.name, exports),
        "export one of torvyn:streaming/{source,processor,sink}, torvyn:filtering/{filter,router}, "
        "torvyn:aggregation/aggregator or their batch forms in torvyn:batching");
    const std::string_view full_name = unversioned(world.name);
    const std::size_t length = full_name.size() - full_name.find('/') - 1;
    (any_role ? report.warnings : report.errors).push_back(sources.placed(std::move(error), world.place, length));
  }
  return report;
}

ComponentReport ContractValidator::check_component(const WitModel& component, std::string_view name) const {
  ComponentReport report;
  if (!component.component) return report;
  const WitWorld& world = component.worlds[*component.component];
  report.roles = roles_of(world);
  report.imports = names_of(world.imports);
  report.exports = names_of(world.exports);
  ComponentExam exam(component, contract_, name, report);
  for (const WitItem& item : world.exports) exam.examine(item, Side::exported);
  for (const WitItem& item : world.imports) exam.examine(item, Side::imported);
  return report;
}

}  // namespace torvyn::contracts
