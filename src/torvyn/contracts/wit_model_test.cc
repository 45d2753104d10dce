#include "torvyn/contracts/wit_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "torvyn/contracts/test_wit.h"
#include "torvyn/types/file.h"

namespace torvyn::contracts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr std::string_view shapes = R"(package a:a@1.2.0;
interface types {
  resource file {
    constructor(path: string);
    read: func(len: u64) -> result<list<u8>, problem>;
    open: static func() -> own<file>;
  }
  record meta { id: u32, tags: list<string>, of: borrow<file> }
  variant problem { gone, other(tuple<u8, option<bool>>) }
  enum color { red, green }
  flags rights { look, touch }
  type name = string;
}
interface user {
  use types.{meta};
  @since(version = 1.0.0)
  @deprecated(version = 1.1.0)
  look: func(at: meta) -> result;
}
world w {
  import user;
  export run: func(n: u8);
}
)";

TEST(WitModel, PrintsDefinitionsAsWit) {
  const WitModel model = model_of(shapes);
  const WitInterface* const types = model.find_interface("a:a/types");
  ASSERT_NE(types, nullptr);
  EXPECT_EQ(types->find_type("meta")->text,
            "record meta {\n    id: u32,\n    tags: list<string>,\n    of: borrow<file>,\n}");
  EXPECT_EQ(types->find_type("problem")->text, "variant problem {\n    gone,\n    other(tuple<u8, option<bool>>),\n}");
  EXPECT_EQ(types->find_type("color")->text, "enum color {\n    red,\n    green,\n}");
  EXPECT_EQ(types->find_type("rights")->text, "flags rights {\n    look,\n    touch,\n}");
  EXPECT_EQ(types->find_type("name")->text, "type name = string");
  EXPECT_EQ(types->find_type("file")->text, "resource file");
  EXPECT_TRUE(types->find_type("file")->is_resource);
  EXPECT_EQ(types->find_function("file.read")->text, "file.read: func(len: u64) -> result<list<u8>, problem>");
  EXPECT_EQ(types->find_function("file")->text, "file: constructor(path: string)");
  EXPECT_EQ(types->find_function("file.open")->text, "file.open: static func() -> file");
}

TEST(WitModel, SaysWhatADefinitionIsMadeOf) {
  const WitModel model = model_of(shapes);
  const WitInterface* const user = model.find_interface("a:a/user@1.2.0");
  ASSERT_NE(user, nullptr);
  EXPECT_THAT(user->find_function("look")->refers, ElementsAre("a:a/types@1.2.0.meta"));
  EXPECT_EQ(user->find_type("meta")->used_from, "a:a/types@1.2.0.meta");
  EXPECT_THAT(model.find_type("a:a/types@1.2.0.meta")->refers, ElementsAre("a:a/types@1.2.0.file"));
}

TEST(WitModel, KnowsPlacesAndWhatIsDeprecated) {
  const WitModel model = model_of(shapes);
  const WitFunction* const look = model.find_interface("a:a/user")->find_function("look");
  EXPECT_EQ(look->deprecated, "1.1.0");
  EXPECT_EQ(look->place.file, "test.wit");
  EXPECT_EQ(look->place.line, 18U);
  EXPECT_EQ(look->place.column, 3U);
}

TEST(WitModel, ListsWhatAWorldImportsAndExports) {
  const WitModel model = model_of(shapes);
  ASSERT_EQ(model.worlds.size(), 1U);
  const WitWorld& world = model.worlds.front();
  EXPECT_EQ(world.full_name(), "a:a/w@1.2.0");
  std::vector<std::string> imports;
  for (const WitItem& item : world.imports) imports.push_back(item.name);
  EXPECT_THAT(imports, UnorderedElementsAre("a:a/types@1.2.0", "a:a/user@1.2.0"));
  ASSERT_EQ(world.exports.size(), 1U);
  ASSERT_TRUE(world.exports.front().function.has_value());
  EXPECT_EQ(world.exports.front().function->text, "run: func(n: u8)");
  EXPECT_FALSE(model.component.has_value());
}

TEST(WitModel, GivesOneShapeToWhatIsTheSameOnTheWire) {
  const WitModel one =
      model_of("package a:a@0.1.0;\ninterface i { record r { x: u8 }\n f: func(a: r, b: list<u8>); }\n");
  const WitModel other = model_of(
      "package a:a@0.1.4;\ninterface i { type bytes = list<u8>; record renamed { x: u8 }\n f: func(c: renamed, d: "
      "bytes); }\n");
  const WitModel third =
      model_of("package a:a@0.1.0;\ninterface i { record r { y: u8 }\n f: func(a: r, b: list<u8>); }\n");
  const auto shape = [](const WitModel& model) { return model.find_interface("a:a/i")->find_function("f")->shape; };
  EXPECT_EQ(shape(one), shape(other));
  EXPECT_NE(shape(one), shape(third));
}

TEST(WitModel, TellsResourcesApartByTheirNames) {
  const WitModel model = model_of(
      "package a:a;\ninterface i { resource x; resource y; f: func(a: borrow<x>); g: func(a: borrow<y>); h: func(a: "
      "x); }\n");
  const WitInterface* const i = model.find_interface("a:a/i");
  EXPECT_NE(i->find_function("f")->shape, i->find_function("g")->shape);
  EXPECT_NE(i->find_function("f")->shape, i->find_function("h")->shape);
}

TEST(ComponentModel, HasTheShapesOfTheContractItWasBuiltAgainst) {
  const auto bytes = read_file(std::string(TORVYN_TEST_COMPONENTS_DIR) + "/upper.wasm");
  ASSERT_TRUE(bytes.has_value()) << bytes.error().to_string();
  const auto component = read_component(*bytes, "upper.wasm");
  ASSERT_TRUE(component.has_value()) << component.error().to_string();
  ASSERT_TRUE(component->component.has_value());
  const auto contract = read_wit(builtin_packages());
  ASSERT_TRUE(contract.has_value());
  int compared = 0;
  for (const WitInterface& interface : component->interfaces) {
    const WitInterface* const ours = contract->find_interface(interface.name);
    if (ours == nullptr) continue;
    for (const WitFunction& function : interface.functions) {
      const WitFunction* const known = ours->find_function(function.name);
      ASSERT_NE(known, nullptr) << function.name;
      EXPECT_EQ(function.shape, known->shape) << function.name;
      EXPECT_EQ(function.text, known->text);
      ++compared;
    }
  }
  EXPECT_GT(compared, 3);
}

TEST(ComponentModel, SaysWhatAFileIsThatIsNone) {
  const std::string text = "hello";
  const auto component =
      read_component({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, "hello.wasm");
  ASSERT_FALSE(component.has_value());
  EXPECT_EQ(component.error().code(), ErrorCode::not_a_component);
  EXPECT_THAT(component.error().message(), HasSubstr("hello.wasm"));
}

// Found by the component fuzzer: four gigabytes were filled with zeros for a section of a few bytes.
TEST(ComponentModel, MakesNoRoomForWhatASectionOnlyClaimsToHold) {
  const auto expect_refused = [](const std::vector<std::uint8_t>& bytes, const char* why) {
    const auto component = read_component(bytes, "claims.wasm");
    ASSERT_FALSE(component);
    EXPECT_EQ(component.error().code(), ErrorCode::not_a_component);
    EXPECT_THAT(component.error().message(), HasSubstr(why));
  };
  expect_refused({0, 'a', 's', 'm', 0x0d, 0, 1, 0, 7, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0x42}, "ends within a section");
  // A module with a code section of one function.
  expect_refused({0, 'a', 's', 'm', 0x0d, 0, 1, 0,    1,    17,   0,    'a',  's', 'm',
                  1, 0,   0,   0,   10,   7, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x0b},
                 "ends within a function");
}

}  // namespace
}  // namespace torvyn::contracts
