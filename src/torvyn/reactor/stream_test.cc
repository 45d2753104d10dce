#include "torvyn/reactor/stream.h"

#include <gtest/gtest.h>

#include "torvyn/reactor/test_flow.h"

namespace torvyn::reactor {
namespace {

Element element_of(std::uint32_t bytes, std::uint64_t sequence = 0) {
  Element element;
  EXPECT_EQ(test_pool().allocate(bytes, element.payload), resources::AllocateStatus::ok);
  element.payload.set_size(bytes);
  EXPECT_TRUE(element.payload.apply(resources::BufferAction::publish));
  element.meta.sequence = sequence;
  return element;
}

std::vector<std::uint64_t> sequences(const Run& run) {
  std::vector<std::uint64_t> all;
  for (const Element& element : run) all.push_back(element.meta.sequence);
  return all;
}

// As many of `count` elements of `bytes` as the stream takes.
std::size_t fill(Stream& stream, std::size_t count, std::uint32_t bytes = 8) {
  for (std::size_t i = 0; i < count; ++i) {
    Element element = element_of(bytes, i);
    if (!stream.offer(element)) return i;
    stream.put(std::move(element));
  }
  return count;
}

TEST(Stream, TakesAsManyElementsAsItsDepth) {
  Stream stream({.depth = 3});
  EXPECT_EQ(stream.credits(), 3U);
  EXPECT_EQ(fill(stream, 10), 3U);
  EXPECT_EQ(stream.size(), 3U);
  EXPECT_EQ(stream.credits(), 0U);
  resources::Run run;
  stream.take_run(run, 64, 1 << 20);
  EXPECT_EQ(sequences(run), (std::vector<std::uint64_t>{0, 1, 2}));
}

TEST(Stream, ThatWasFullTakesNothingBeforeItsLowMark) {
  Stream stream({.depth = 4, .low_watermark_ratio = 0.5});
  fill(stream, 4);
  EXPECT_FALSE(stream.full()) << "nobody was refused";
  EXPECT_EQ(stream.ask(), 0U);
  EXPECT_TRUE(stream.full());
  resources::Run run;
  EXPECT_FALSE(stream.take_run(run, 1, 1 << 20)) << "three are left";
  EXPECT_FALSE(stream.offer(element_of(8)));
  run.clear();
  EXPECT_TRUE(stream.take_run(run, 1, 1 << 20)) << "two are left: the low mark";
  EXPECT_TRUE(stream.offer(element_of(8)));
  EXPECT_EQ(stream.credits(), 2U);
}

TEST(Stream, ThatDropsTakesAnElementAsSoonAsThereIsAPlace) {
  Stream stream({.depth = 2, .full_policy = FullPolicy::drop_newest});
  EXPECT_EQ(fill(stream, 5), 2U);
  EXPECT_FALSE(stream.full());
  static_cast<void>(stream.take_oldest());
  EXPECT_TRUE(stream.offer(element_of(8)));
}

TEST(Stream, BoundsBytesButLetsALargeElementPassAlone) {
  Stream stream({.depth = 10, .bytes = 100});
  EXPECT_EQ(fill(stream, 10, 40), 2U);
  EXPECT_EQ(stream.bytes(), 80U);
  resources::Run run;
  stream.take_run(run, 64, 1 << 20);
  EXPECT_EQ(stream.bytes(), 0U);
  EXPECT_EQ(fill(stream, 2, 5'000), 1U);
  EXPECT_EQ(stream.bytes(), 5'000U);
}

TEST(Stream, CountsWhatNeighboursShareOnce) {
  Stream stream({.depth = 10, .bytes = 100});
  const Element shared = element_of(60);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(stream.offer(shared));
    stream.put(shared);
  }
  EXPECT_EQ(stream.bytes(), 60U);
  static_cast<void>(stream.take_oldest());
  EXPECT_EQ(stream.bytes(), 60U) << "the others still hold it";
  resources::Run run;
  stream.take_run(run, 2, 1 << 20);
  EXPECT_EQ(stream.bytes(), 60U);
  run.clear();
  stream.take_run(run, 2, 1 << 20);
  EXPECT_EQ(stream.bytes(), 0U);
}

TEST(Stream, PassesAWholeRunOnByExchangingVectors) {
  Stream stream({.depth = 4});
  resources::Run run;
  for (std::uint64_t i = 0; i < 4; ++i) run.push_back(element_of(8, i));
  const Element* const memory = run.data();
  ASSERT_TRUE(stream.offer_run(run, 0));
  EXPECT_TRUE(run.empty());
  stream.take_run(run, 4, 1 << 20);
  EXPECT_EQ(run.data(), memory);
  EXPECT_EQ(sequences(run), (std::vector<std::uint64_t>{0, 1, 2, 3}));
}

TEST(Stream, TakesAllOfARunOrNothing) {
  Stream stream({.depth = 4});
  fill(stream, 2);
  resources::Run run;
  for (std::uint64_t i = 10; i < 13; ++i) run.push_back(element_of(8, i));
  EXPECT_FALSE(stream.offer_run(run, 0));
  EXPECT_EQ(run.size(), 3U);
  EXPECT_TRUE(stream.offer_run(run, 1)) << "two of them have room";
  resources::Run out;
  stream.take_run(out, 64, 1 << 20);
  EXPECT_EQ(sequences(out), (std::vector<std::uint64_t>{0, 1, 11, 12}));
}

TEST(Stream, HandsOutNoMoreBytesThanAskedForButOneElement) {
  Stream stream({.depth = 10});
  fill(stream, 4, 100);
  resources::Run run;
  stream.take_run(run, 64, 250);
  EXPECT_EQ(run.size(), 2U);
  run.clear();
  stream.take_run(run, 64, 10);
  EXPECT_EQ(run.size(), 1U);
}

TEST(Stream, KeepsOrderAndMemoryOverManyRounds) {
  Stream stream({.depth = 8});
  std::uint64_t next = 0;
  std::uint64_t expected = 0;
  resources::Run run;
  run.reserve(8);
  for (int round = 0; round < 1'000; ++round) {
    while (stream.credits() != 0) {
      Element element = element_of(8, next++);
      ASSERT_TRUE(stream.offer(element));
      stream.put(std::move(element));
    }
    stream.take_run(run, static_cast<std::size_t>(1 + round % 7), 1 << 20);
    for (const Element& element : run) EXPECT_EQ(element.meta.sequence, expected++);
    resources::clear_run(run);
    ASSERT_LE(stream.size(), 8U);
  }
}

}  // namespace
}  // namespace torvyn::reactor
