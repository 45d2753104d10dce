#include "torvyn/contracts/compatibility.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "torvyn/contracts/test_wit.h"

namespace torvyn::contracts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

InterfaceComparison compare(std::string_view before, std::string_view after, std::string_view interface = "a:a/i") {
  const WitModel one = model_of(before);
  const WitModel other = model_of(after);
  return compare_interfaces(one, *one.find_interface(interface), other, *other.find_interface(interface));
}

constexpr std::string_view first = R"(package a:a@0.1.0;
interface types {
  record meta { id: u32 }
}
interface i {
  use types.{meta};
  push: func(m: meta) -> bool;
  flush: func();
}
)";

TEST(Comparison, FindsNothingBetweenEqualInterfaces) {
  const InterfaceComparison comparison = compare(first, first);
  EXPECT_TRUE(comparison.same());
  EXPECT_TRUE(comparison.importers_link);
  EXPECT_TRUE(comparison.exporters_link);
  EXPECT_THAT(prose(comparison), HasSubstr("no differences"));
}

TEST(Comparison, ShowsBothSidesOfATypeThatFunctionsAreMadeOf) {
  const InterfaceComparison comparison = compare(first, R"(package a:a@0.1.1;
interface types {
  record meta { id: u32, when: u64 }
}
interface i {
  use types.{meta};
  push: func(m: meta) -> bool;
  flush: func();
}
)");
  ASSERT_EQ(comparison.types.size(), 1U);
  const Difference& type = comparison.types.front();
  EXPECT_EQ(type.change, Change::changed);
  EXPECT_EQ(type.interface, "a:a/types");
  EXPECT_EQ(type.name, "meta");
  EXPECT_EQ(type.before, "record meta {\n    id: u32,\n}");
  EXPECT_EQ(type.after, "record meta {\n    id: u32,\n    when: u64,\n}");
  EXPECT_TRUE(type.on_the_wire);
  ASSERT_EQ(comparison.functions.size(), 1U);  // it reads as before, and is another one
  EXPECT_EQ(comparison.functions.front().name, "push");
  EXPECT_FALSE(comparison.importers_link);
  EXPECT_FALSE(comparison.exporters_link);
  EXPECT_THAT(comparison.importers_lack, ElementsAre("push"));
  EXPECT_THAT(prose(comparison),
              HasSubstr("type `meta` of a:a/types\n  before:\n    record meta {\n        id: u32,\n    }\n"
                        "  after:\n    record meta {\n        id: u32,\n        when: u64,\n    }\n"));
}

TEST(Comparison, LetsImportersLinkWhereAFunctionWasAdded) {
  const InterfaceComparison comparison = compare(first, R"(package a:a@0.1.1;
interface types {
  record meta { id: u32 }
}
interface i {
  use types.{meta};
  push: func(m: meta) -> bool;
  flush: func();
  pause: func();
}
)");
  EXPECT_TRUE(comparison.importers_link);
  EXPECT_FALSE(comparison.exporters_link);
  EXPECT_THAT(comparison.exporters_lack, ElementsAre("pause"));
  ASSERT_EQ(comparison.functions.size(), 1U);
  EXPECT_EQ(comparison.functions.front().change, Change::added);
  const std::string text = prose(comparison);
  EXPECT_THAT(text, HasSubstr("1 added, 0 removed, 0 changed"));
  EXPECT_THAT(text, HasSubstr("Components that import 0.1.0 still link."));
  EXPECT_THAT(text, HasSubstr("Components that export 0.1.0 don't link: they lack the new `pause`."));
}

TEST(Comparison, LetsExportersLinkWhereAFunctionWasRemoved) {
  const InterfaceComparison comparison = compare(first, R"(package a:a@0.1.1;
interface types {
  record meta { id: u32 }
}
interface i {
  use types.{meta};
  push: func(m: meta) -> bool;
}
)");
  EXPECT_FALSE(comparison.importers_link);
  EXPECT_THAT(comparison.importers_lack, ElementsAre("flush"));
  EXPECT_TRUE(comparison.exporters_link);
}

TEST(Comparison, TellsNamesThatNobodyExchangesAndLinksAllTheSame) {
  const InterfaceComparison comparison = compare(first, R"(package a:a@0.1.1;
interface types {
  record meta { id: u32 }
}
interface i {
  use types.{meta};
  push: func(element: meta) -> bool;
  flush: func();
}
)");
  ASSERT_EQ(comparison.functions.size(), 1U);
  EXPECT_FALSE(comparison.functions.front().on_the_wire);
  EXPECT_TRUE(comparison.importers_link);
  EXPECT_TRUE(comparison.exporters_link);
  EXPECT_THAT(describe_differences(comparison, "one has:", "other has:"), IsEmpty());
}

TEST(Comparison, RefusesVersionsThatAreNotCompatible) {
  const std::string later = [] {
    std::string text(first);
    text.replace(text.find("0.1.0"), 5, "0.2.0");
    return text;
  }();
  const InterfaceComparison comparison = compare(first, later);
  EXPECT_TRUE(comparison.same());
  EXPECT_FALSE(comparison.importers_link);
  EXPECT_THAT(prose(comparison), HasSubstr("the versions are not compatible"));
}

TEST(Comparison, MissesAResourceThatIsGone) {
  const InterfaceComparison comparison =
      compare("package a:a;\ninterface i { resource r; }\n", "package a:a;\ninterface i { f: func(); }\n");
  EXPECT_FALSE(comparison.importers_link);
  EXPECT_THAT(comparison.importers_lack, ElementsAre("r"));
}

TEST(Comparison, OfAUsedPartSaysNothingOfTheRest) {
  const WitModel one = model_of("package a:a;\ninterface i { f: func(); }\n");
  const WitModel other = model_of("package a:a;\ninterface i { record r { x: u8 }\n f: func(); g: func(x: r); }\n");
  const InterfaceComparison comparison =
      compare_interfaces(one, *one.find_interface("a:a/i"), other, *other.find_interface("a:a/i"), Extent::used_part);
  EXPECT_TRUE(comparison.same());
  EXPECT_TRUE(comparison.importers_link);
  EXPECT_THAT(comparison.exporters_lack, ElementsAre("g"));
  EXPECT_THAT(prose(comparison), Not(HasSubstr("record")));
}

}  // namespace
}  // namespace torvyn::contracts
