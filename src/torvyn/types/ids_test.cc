#include "torvyn/types/ids.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <type_traits>
#include <unordered_set>

namespace torvyn {
namespace {

static_assert(!std::is_convertible_v<FlowId, StreamId>);
static_assert(!std::is_constructible_v<StreamId, FlowId>);
static_assert(!std::is_convertible_v<std::uint64_t, FlowId>, "a number becomes an id only where somebody says so");
static_assert(sizeof(ResourceId) == 8, "fits a register");

TEST(StrongId, IsNoneUntilGivenAValue) {
  EXPECT_FALSE(FlowId().valid());
  EXPECT_FALSE(FlowId(0).valid());
  EXPECT_TRUE(FlowId(1).valid());
  EXPECT_EQ(FlowId(7).value(), 7U);
}

TEST(StrongId, OrdersByItsNumber) {
  EXPECT_LT(FlowId(1), FlowId(2));
  EXPECT_EQ(FlowId(2), FlowId(2));
  EXPECT_NE(FlowId(1), FlowId(2));
}

TEST(StrongId, IsAKeyOfHashedContainers) {
  const std::unordered_set<FlowId> flows{FlowId(1), FlowId(2), FlowId(1)};
  EXPECT_EQ(flows.size(), 2U);
  EXPECT_TRUE(flows.contains(FlowId(2)));
  EXPECT_FALSE(flows.contains(FlowId(3)));
}

TEST(ResourceId, IsValidFromTheFirstGenerationOn) {
  EXPECT_FALSE(ResourceId().valid());
  EXPECT_FALSE((ResourceId{.slot = 3, .generation = 0}.valid()));
  EXPECT_TRUE((ResourceId{.slot = 0, .generation = 1}.valid()));
}

TEST(ResourceId, DiffersFromALaterOwnerOfTheSameSlot) {
  EXPECT_NE((ResourceId{.slot = 3, .generation = 1}), (ResourceId{.slot = 3, .generation = 2}));
}

TEST(TraceId, IsWrittenAsTheExampleOfTheW3CSpecification) {
  constexpr auto text = "4bf92f3577b34da6a3ce929d0e0e4736";
  const auto id = TraceId::parse(text);
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->bytes()[0], 0x4b);
  EXPECT_EQ(id->bytes()[15], 0x36);
  EXPECT_EQ(id->to_string(), text);
}

TEST(SpanId, IsReadBackFromWhatItWrites) {
  const SpanId id({0x00, 0x01, 0x0f, 0x10, 0x7f, 0x80, 0xf0, 0xff});
  EXPECT_EQ(id.to_string(), "00010f107f80f0ff");
  EXPECT_EQ(SpanId::parse(id.to_string()), id);
}

TEST(SpanId, WritesItsLengthAndNoTerminator) {
  std::string text(SpanId::hex_length + 1, '~');
  SpanId().write_hex(text.data());
  EXPECT_EQ(text, "0000000000000000~");
}

TEST(SpanId, RefusesWhatIsNotExactlyItsLengthInLowerCaseHex) {
  EXPECT_FALSE(SpanId::parse("").has_value());
  EXPECT_FALSE(SpanId::parse("00f067aa0ba902b").has_value());
  EXPECT_FALSE(SpanId::parse("00f067aa0ba902b70").has_value());
  EXPECT_FALSE(SpanId::parse("00F067AA0BA902B7").has_value());
  EXPECT_FALSE(SpanId::parse("00f067aa0ba902bg").has_value());
  EXPECT_FALSE(SpanId::parse("00f067aa0ba902b/").has_value()) << "the character before '0'";
  EXPECT_FALSE(SpanId::parse("00f067aa0ba902b:").has_value()) << "the character after '9'";
  EXPECT_FALSE(SpanId::parse("00f067aa0ba902b`").has_value()) << "the character before 'a'";
}

TEST(SpanId, OfAllZeroIsNone) {
  EXPECT_FALSE(SpanId().valid());
  EXPECT_FALSE(SpanId::parse("0000000000000000")->valid());
  EXPECT_TRUE(SpanId::parse("0000000000000001")->valid());
}

}  // namespace
}  // namespace torvyn
