#include "torvyn/reactor/lineage_book.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace torvyn::reactor {
namespace {

Run elements_of(std::initializer_list<LineageId> ids) {
  Run run;
  for (const LineageId id : ids) run.emplace_back().lineage = id;
  return run;
}

// Of a source (node 0).
LineageId open_one(LineageBook& book, std::uint64_t number = 0) {
  resources::Run run(1);
  book.open(0, number, run, 1);
  return run.front().lineage;
}

TEST(LineageBook, GivesAnElementTheHeaviestFateOfItsBranches) {
  LineageBook book;
  const LineageId id = open_one(book);
  book.branch(id, 2);
  book.end(id, Fate::delivered);
  book.end(id, Fate::dropped);
  EXPECT_EQ(book.in_flight(), 1U);
  book.end(id, Fate::absorbed);
  EXPECT_EQ(book.in_flight(), 0U);
  EXPECT_EQ(book.counts()[Fate::dropped], 1U);
  EXPECT_EQ(book.counts().accounted(), 1U);
}

TEST(LineageBook, RemembersWhatHappenedToABranchThatWentOn) {
  LineageBook book;
  const LineageId id = open_one(book);
  book.mark(id, Fate::dead_lettered);
  book.end(id, Fate::delivered);
  EXPECT_EQ(book.counts()[Fate::dead_lettered], 1U);
}

TEST(LineageBook, FollowsAStageThatDropsAndExpands) {
  LineageBook book;
  const LineageId a = open_one(book);
  const LineageId b = open_one(book, 1);
  const LineageId c = open_one(book, 2);
  book.descend(elements_of({a, b, c}), elements_of({a, c, c, c}));
  EXPECT_EQ(book.counts()[Fate::filtered], 1U) << "nothing came of b";
  for (int i = 0; i < 3; ++i) book.end(c, Fate::delivered);
  book.end(a, Fate::delivered);
  EXPECT_EQ(book.counts()[Fate::delivered], 2U);
  EXPECT_EQ(book.in_flight(), 0U);
}

TEST(LineageBook, PassesOverElementsThatAggregatorsMade) {
  LineageBook book;
  resources::Run made(3);
  book.open_created(1, made, 5);
  EXPECT_EQ(made[0].lineage, no_lineage);
  book.end_all(made, Fate::delivered);
  EXPECT_EQ(book.counts().created, 3U);
  EXPECT_EQ(book.counts().accounted(), 0U);
}

TEST(LineageBook, UsesLinesAgain) {
  LineageBook book;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    const LineageId id = open_one(book, i);
    EXPECT_EQ(id, 0U);
    book.end(id, Fate::delivered);
  }
  EXPECT_EQ(book.counts()[Fate::delivered], 1'000U);
}

TEST(LineageBook, KnowsEachOfALongRun) {
  LineageBook book;
  resources::Run run(200);
  book.open(3, 1'000, run, 77);
  for (std::size_t i = 0; i < run.size(); ++i) {
    const LineageBook::Entry entry = book.entry(run[i].lineage);
    EXPECT_EQ(entry.number, 1'000 + i);
    EXPECT_EQ(entry.entered_ns, 77U);
    EXPECT_EQ(entry.node, 3U);
  }
  book.end_all(run, Fate::delivered);
  EXPECT_EQ(book.counts()[Fate::delivered], 200U);
}

// ---- acks -------------------------------------------------------------------------------------------------------------------

TEST(Frontier, KnowsUpToWhereAllHaveSettledInAnyOrder) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint64_t> numbers(1 + random() % 60);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
    std::shuffle(numbers.begin(), numbers.end(), random);
    Frontier frontier;
    std::set<std::uint64_t> settled;
    for (const std::uint64_t number : numbers) {
      frontier.settle(number);
      settled.insert(number);
      std::uint64_t expected = 0;
      while (settled.contains(expected)) ++expected;
      ASSERT_EQ(frontier.next(), expected);
    }
  }
}

// A source (node 0) and an aggregator (node 1).
struct Acked {
  Acked() { book.keep_acks(acks, {0, nowhere}, {nowhere, 0}); }
  LineageId pull() { return open_one(book, number++); }
  Run create(std::size_t count) {
    resources::Run made(count);
    book.open_created(1, made, 1);
    return made;
  }
  AckBook acks{1, 1};
  LineageBook book;
  std::uint64_t number = 0;
};

TEST(AckBook, FollowsTheFatesInOrder) {
  Acked flow;
  const LineageId a = flow.pull();
  const LineageId b = flow.pull();
  flow.book.end(b, Fate::delivered);
  EXPECT_EQ(flow.acks.up_to(0), 0U);
  EXPECT_TRUE(flow.book.take_news());
  flow.book.end(a, Fate::skipped);
  EXPECT_EQ(flow.acks.up_to(0), 2U);
}

TEST(AckBook, HoldsBackWhatAnAggregatorHasUntilItsOutputHasMetItsFate) {
  Acked flow;
  for (int i = 0; i < 3; ++i) flow.book.absorb(1, elements_of({flow.pull()}));
  EXPECT_EQ(flow.book.counts()[Fate::absorbed], 3U) << "final at once";
  EXPECT_EQ(flow.acks.up_to(0), 0U);
  const resources::Run sum = flow.create(1);
  flow.book.absorb(1, elements_of({flow.pull()}));
  EXPECT_EQ(flow.acks.up_to(0), 0U) << "the output is on its way";
  flow.book.end_all(sum, Fate::delivered);
  EXPECT_EQ(flow.acks.up_to(0), 2U) << "the third may have come after the output, and the fourth did";
  flow.acks.release(0);
  EXPECT_EQ(flow.acks.up_to(0), 4U);
}

TEST(AckBook, MovesOnWhileOutputsAreAlwaysOnTheirWay) {
  Acked flow;
  resources::Run before;
  std::uint64_t last = 0;
  for (int round = 0; round < 100; ++round) {
    flow.book.absorb(1, elements_of({flow.pull()}));
    const resources::Run now = flow.create(2);
    flow.book.end_all(before, Fate::delivered);
    before = now;
    EXPECT_GE(flow.acks.up_to(0), last);
    last = flow.acks.up_to(0);
  }
  EXPECT_GE(last, 97U);
}

}  // namespace
}  // namespace torvyn::reactor
