#include "torvyn/contracts/wit_model.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "torvyn/contracts/bridge_values.h"
#include "torvyn/contracts/wasm_contents.h"
#include "torvyn/contracts/wasm_file.h"
#include "torvyn/contracts/worlds.h"

namespace torvyn::contracts {
namespace {

using nlohmann::json;

WitPlace read_place(const json& object) {
  return {object.value("file", ""), object.value("line", 0U), object.value("column", 0U)};
}

void read_definition(const json& object, WitDefinition& definition) {
  definition.name = object.value("name", "");
  definition.text = object.value("text", "");
  definition.shape = object.value("shape", "");
  definition.refers = object.value("refers", std::vector<std::string>{});
  definition.deprecated = object.value("deprecated", "");
  definition.place = read_place(object);
}

WitFunction read_function(const json& object) {
  WitFunction function;
  read_definition(object, function);
  return function;
}

WitType read_type(const json& object) {
  WitType type;
  read_definition(object, type);
  type.is_resource = object.value("resource", false);
  type.used_from = object.value("use", "");
  return type;
}

WitItem read_item(const json& object) {
  WitItem item;
  item.name = object.value("name", "");
  if (const auto interface = object.find("interface"); interface != object.end())
    item.interface = interface->get<std::size_t>();
  if (const auto function = object.find("function"); function != object.end()) item.function = read_function(*function);
  if (const auto type = object.find("type"); type != object.end()) item.type = read_type(*type);
  item.deprecated = object.value("deprecated", "");
  item.place = read_place(object);
  return item;
}

WitModel read_model(const std::string& text) {
  const json object = json::parse(text);
  WitModel model;
  for (const json& one : object.at("interfaces")) {
    WitInterface& interface = model.interfaces.emplace_back();
    interface.name = one.value("name", "");
    for (const json& type : one.at("types")) interface.types.push_back(read_type(type));
    for (const json& function : one.at("functions")) interface.functions.push_back(read_function(function));
    interface.deprecated = one.value("deprecated", "");
    interface.place = read_place(one);
  }
  for (const json& one : object.at("worlds")) {
    WitWorld& world = model.worlds.emplace_back();
    world.name = one.value("name", "");
    if (const json& package = one.at("package"); package.is_number())
      world.package = object.at("packages").at(package.get<std::size_t>()).value("name", "");
    for (const json& item : one.at("imports")) world.imports.push_back(read_item(item));
    for (const json& item : one.at("exports")) world.exports.push_back(read_item(item));
    world.deprecated = one.value("deprecated", "");
    world.place = read_place(one);
  }
  if (const json& world = object.at("world"); world.is_number()) model.component = world.get<std::size_t>();
  return model;
}

template <class Definition>
const Definition* find_named(const std::vector<Definition>& all, std::string_view name) noexcept {
  const auto found = std::ranges::find(all, name, &Definition::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

const WitType* WitInterface::find_type(std::string_view type) const noexcept { return find_named(types, type); }

const WitFunction* WitInterface::find_function(std::string_view function) const noexcept {
  return find_named(functions, function);
}

std::string WitWorld::full_name() const {
  const InterfaceName split = split_interface_name(package);
  if (split.version.empty()) return fmt::format("{}/{}", split.name, name);
  return fmt::format("{}/{}@{}", split.name, name, split.version);
}

const WitInterface* WitModel::find_interface(std::string_view name) const noexcept {
  const InterfaceName wanted = split_interface_name(name);
  const WitInterface* any = nullptr;
  for (const WitInterface& interface : interfaces) {
    const InterfaceName have = split_interface_name(interface.name);
    if (have.name != wanted.name) continue;
    if (wanted.version.empty() || compatible_versions(have.version, wanted.version)) return &interface;
    any = &interface;
  }
  return any;
}

const WitType* WitModel::find_type(std::string_view full_name) const noexcept {
  const std::size_t dot = full_name.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  const WitInterface* const interface = find_interface(full_name.substr(0, dot));
  return interface == nullptr ? nullptr : interface->find_type(full_name.substr(dot + 1));
}

Result<WitModel> read_wit(std::span<const WitFile> files) {
  TORVYN_LET(const std::string text, wit_model(files));
  return read_model(text);
}

Result<WitModel> read_component(std::span<const std::uint8_t> wasm, std::string_view name) {
  const WasmKind kind = classify_wasm(wasm);
  if (kind != WasmKind::component) return fail(not_a_component(name, kind));
  // The tools make room for all that a section says it holds before they look whether it is there.
  if (const Result<WasmContents> contents = read_wasm_contents(wasm); !contents)
    return fail(not_a_component(name, kind, contents.error().message()));
  tvb_string json{};
  tvb_failure failure{};
  if (tvb_wasm_model(view_of(wasm), &json, &failure) != TVB_OK) {
    const Error why = take_error(failure, ErrorCode::not_a_component);
    if (why.code() == ErrorCode::internal_error) return fail(why);  // a panic of the tools: no fault of the file's
    return fail(not_a_component(name, kind, why.message()));
  }
  return read_model(take(json));
}

}  // namespace torvyn::contracts
