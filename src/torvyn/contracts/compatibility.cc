#include "torvyn/contracts/compatibility.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <set>

#include "torvyn/contracts/worlds.h"

namespace torvyn::contracts {
namespace {

// "torvyn:streaming/types.buffer" of "torvyn:streaming/types@0.1.0.buffer": the same in all versions.
struct TypeName {
  std::string interface;
  std::string name;

  explicit TypeName(std::string_view full_name) {
    const std::size_t dot = full_name.rfind('.');
    if (dot != std::string_view::npos) interface = split_interface_name(full_name.substr(0, dot)).name;
    name = full_name.substr(dot == std::string_view::npos ? 0 : dot + 1);
  }

  std::string text() const { return interface + "." + name; }
};

// All named types that definitions of either side are made of, at any remove, in the order they are met.
class ReachedTypes {
 public:
  ReachedTypes(const WitModel& before, const WitModel& after) : models_{&before, &after} {}

  void add(const WitInterface& interface) {
    for (const WitFunction& function : interface.functions) add(function.refers);
    for (const WitType& type : interface.types) {
      if (!type.used_from.empty()) continue;
      add(std::vector{fmt::format("{}.{}", interface.name, type.name)});
    }
    while (!pending_.empty()) {
      const std::string name = std::move(pending_.front());
      pending_.pop_front();
      for (const WitModel* const model : models_)
        if (const WitType* const type = model->find_type(name)) add(type->refers);
    }
  }

  const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  void add(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (!seen_.insert(TypeName(name).text()).second) continue;
      names_.push_back(name);
      pending_.push_back(name);
    }
  }

  const WitModel* models_[2];
  std::set<std::string> seen_;
  std::vector<std::string> names_;
  std::deque<std::string> pending_;
};

// Nothing where both sides are the same, or neither has it.
void add_difference(std::vector<Difference>& differences, DefinitionKind kind, std::string_view interface,
                    const WitDefinition* before, const WitDefinition* after) {
  if (before == nullptr && after == nullptr) return;
  if (before != nullptr && after != nullptr && before->text == after->text && before->shape == after->shape) return;
  Difference& difference = differences.emplace_back();
  difference.kind = kind;
  difference.interface = interface;
  difference.name = before == nullptr ? after->name : before->name;
  if (before == nullptr) difference.change = Change::added;
  if (after == nullptr) difference.change = Change::removed;
  if (before != nullptr) {
    difference.before = before->text;
    difference.before_place = before->place;
  }
  if (after != nullptr) {
    difference.after = after->text;
    difference.after_place = after->place;
  }
  difference.on_the_wire = before == nullptr || after == nullptr || before->shape != after->shape;
}

// Functions of `needed` that `had` lacks or has with another type.
std::vector<std::string> missing_functions(const WitInterface& needed, const WitInterface& had) {
  std::vector<std::string> names;
  for (const WitFunction& function : needed.functions) {
    const WitFunction* const other = had.find_function(function.name);
    if (other == nullptr || other->shape != function.shape) names.push_back(function.name);
  }
  return names;
}

// "    record x {\n" → every line moved in by `margin`.
std::string indented(std::string_view text, std::string_view margin) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    result += fmt::format("{}{}\n", margin, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

std::string side(std::string_view heading, const std::string& text) {
  if (text.empty()) return fmt::format("  {} nothing of that name\n", heading);
  return fmt::format("  {}\n{}", heading, indented(text, "    "));
}

// Nothing for a function that reads the same: it is another one because of a type in it, which is told of itself.
std::string describe(const Difference& difference, std::string_view before, std::string_view after) {
  if (difference.before == difference.after) return {};
  return fmt::format("{} `{}` of {}\n", definition_kind_name(difference.kind), difference.name, difference.interface) +
         side(before, difference.before) + side(after, difference.after);
}

std::string version_of(std::string_view interface) {
  const std::string_view version = split_interface_name(interface).version;
  return version.empty() ? "it" : std::string(version);
}

std::string who_links(std::string_view verb, bool link, const std::vector<std::string>& lack,
                      const InterfaceComparison& comparison) {
  const std::string who = fmt::format("Components that {} {}", verb, version_of(comparison.before));
  if (link) return who + " still link.\n";
  if (lack.empty()) return who + " don't link: the versions are not compatible.\n";
  return fmt::format("{} don't link: they {} `{}`{}.\n", who, verb == "import" ? "ask for" : "lack the new",
                     fmt::join(lack, "`, `"), verb == "import" ? " as it was" : "");
}

}  // namespace

std::string_view change_name(Change change) noexcept {
  switch (change) {
    case Change::added:
      return "added";
    case Change::removed:
      return "removed";
    case Change::changed:
      return "changed";
  }
  return "unknown";
}

std::string_view definition_kind_name(DefinitionKind kind) noexcept {
  return kind == DefinitionKind::function ? "function" : "type";
}

InterfaceComparison compare_interfaces(const WitModel& before, const WitInterface& old, const WitModel& after,
                                       const WitInterface& now, Extent extent) {
  InterfaceComparison result;
  result.before = old.name;
  result.after = now.name;
  const bool whole = extent == Extent::whole;
  const std::string own(split_interface_name(old.name).name);

  for (const WitFunction& function : old.functions)
    add_difference(result.functions, DefinitionKind::function, own, &function, now.find_function(function.name));
  for (const WitFunction& function : now.functions)
    if (whole && old.find_function(function.name) == nullptr)
      add_difference(result.functions, DefinitionKind::function, own, nullptr, &function);

  ReachedTypes reached(before, after);
  reached.add(old);
  if (whole) reached.add(now);
  for (const std::string& full_name : reached.names()) {
    const TypeName name(full_name);
    const WitType* const one = before.find_type(full_name);
    const WitType* const other = after.find_type(full_name);
    if (one == nullptr && !whole) continue;
    // Of what is equal in its own text a part may be another: that part is in this list.
    if (one != nullptr && other != nullptr && one->text == other->text) continue;
    add_difference(result.types, DefinitionKind::type, name.interface, one, other);
  }

  result.importers_lack = missing_functions(old, now);
  for (const WitType& type : old.types)
    if (type.is_resource && now.find_type(type.name) == nullptr) result.importers_lack.push_back(type.name);
  result.exporters_lack = missing_functions(now, old);
  const bool versions =
      compatible_versions(split_interface_name(old.name).version, split_interface_name(now.name).version);
  result.importers_link = versions && result.importers_lack.empty();
  result.exporters_link = versions && result.exporters_lack.empty();
  return result;
}

std::string describe_differences(const InterfaceComparison& comparison, std::string_view before,
                                 std::string_view after) {
  std::string text;
  for (const std::vector<Difference>* const list : {&comparison.functions, &comparison.types})
    for (const Difference& difference : *list)
      if (difference.on_the_wire) text += describe(difference, before, after);
  return text;
}

std::string prose(const InterfaceComparison& comparison) {
  std::string text = fmt::format("{} → {}: ", comparison.before, comparison.after);
  if (comparison.same()) {
    text += "no differences.\n";
  } else {
    std::size_t counts[3] = {};
    for (const std::vector<Difference>* const list : {&comparison.functions, &comparison.types})
      for (const Difference& difference : *list) ++counts[static_cast<std::size_t>(difference.change)];
    text += fmt::format("{} added, {} removed, {} changed.\n", counts[0], counts[1], counts[2]);
    for (const std::vector<Difference>* const list : {&comparison.functions, &comparison.types})
      for (const Difference& difference : *list) text += describe(difference, "before:", "after:");
  }
  return text + who_links("import", comparison.importers_link, comparison.importers_lack, comparison) +
         who_links("export", comparison.exporters_link, comparison.exporters_lack, comparison);
}

}  // namespace torvyn::contracts
