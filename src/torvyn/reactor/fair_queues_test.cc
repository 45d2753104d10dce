#include "torvyn/reactor/fair_queues.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

namespace torvyn::reactor {
namespace {

constexpr std::uint64_t ms = 1'000'000;

// Busy flows and workers whose turns take as long as a seed says.
class Simulation {
 public:
  Simulation(std::uint32_t workers, std::uint32_t seed) : queues_(workers, 1 * ms), random_(seed), workers_(workers) {}

  void add(double share, std::uint32_t home) {
    contenders_.emplace_back(share, home);
    worked_ns_[&contenders_.back()] = 0;
    queues_.enter(contenders_.back());
  }

  void play_for(std::uint64_t ns) {
    const std::uint64_t end_ns = now_ns_ + ns;
    for (auto& [contender, worked_ns] : worked_ns_) worked_ns = 0;
    for (;;) {
      Worker& worker = *std::ranges::min_element(workers_, {}, &Worker::free_at_ns);
      now_ns_ = worker.free_at_ns;
      if (now_ns_ >= end_ns) return;
      const auto index = static_cast<std::uint32_t>(&worker - workers_.data());
      if (worker.drives != nullptr) {
        worker.drives->charge(worker.turn_ns);
        worked_ns_[worker.drives] += worker.turn_ns;
        queues_.put_back(index, *worker.drives);
      }
      worker.drives = queues_.next(index);
      worker.turn_ns = std::uniform_int_distribution<std::uint64_t>(ms / 5, ms)(random_);
      worker.free_at_ns = now_ns_ + worker.turn_ns;
    }
  }

  // In the order they were added; of the last `play_for`.
  double worked_ns(std::size_t index) { return static_cast<double>(worked_ns_.at(&contenders_[index])); }
  double share(std::size_t index) { return 1 / contenders_[index].cost; }
  std::size_t size() const { return contenders_.size(); }

  // The part of its due that the one got who is furthest from it: 1 for exactly its share.
  double unfairest() {
    double shares = 0;
    double work_ns = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      shares += share(i);
      work_ns += worked_ns(i);
    }
    double unfairest = 1;
    for (std::size_t i = 0; i < size(); ++i) {
      const double got = worked_ns(i) / (work_ns * share(i) / shares);
      if (std::abs(got - 1) > std::abs(unfairest - 1)) unfairest = got;
    }
    return unfairest;
  }

 private:
  struct Worker {
    std::uint64_t free_at_ns = 0;
    std::uint64_t turn_ns = 0;
    Contender* drives = nullptr;
  };
  FairQueues queues_;
  std::minstd_rand random_;
  std::vector<Worker> workers_;
  std::deque<Contender> contenders_;
  std::map<const Contender*, std::uint64_t> worked_ns_;
  std::uint64_t now_ns_ = 0;
};

TEST(FairQueues, GiveAThousandEqualFlowsTheirShares) {
  Simulation simulation(2, 1);
  for (std::uint32_t i = 0; i < 1'000; ++i) simulation.add(1, i % 2);
  simulation.play_for(30'000 * ms);
  EXPECT_NEAR(simulation.unfairest(), 1, 0.1);
}

TEST(FairQueues, GiveAThousandFlowsTheirSharesByWeightAndPriority) {
  Simulation simulation(2, 2);
  for (std::uint32_t i = 0; i < 1'000; ++i) simulation.add(flow_share(1 + i % 4, 4 + i % 3), i % 2);
  simulation.play_for(100'000 * ms);
  EXPECT_NEAR(simulation.unfairest(), 1, 0.1);
}

TEST(FairQueues, GiveSharesWhereverFlowsBegan) {
  Simulation simulation(4, 3);
  for (std::uint32_t i = 0; i < 100; ++i) simulation.add(i < 50 ? 1 : 4, 0);
  simulation.play_for(10'000 * ms);
  EXPECT_NEAR(simulation.unfairest(), 1, 0.1);
}

// One of 32 shares among 34 is due nearly two workers, and can use one.
TEST(FairQueues, AShareBeyondOneThreadHoldsUpNobodyWhoComesLater) {
  Simulation simulation(2, 4);
  simulation.add(32, 0);
  simulation.add(1, 0);
  simulation.add(1, 1);
  simulation.play_for(100'000 * ms);
  simulation.add(1, 0);
  simulation.play_for(1'000 * ms);
  EXPECT_NEAR(simulation.worked_ns(0), 1'000 * ms, 20 * ms);
  for (const std::size_t i : {1U, 2U, 3U}) EXPECT_NEAR(simulation.worked_ns(i), 333 * ms, 33 * ms) << i;
}

// Without a limit it would be owed 1,600 s here.
TEST(FairQueues, AShareBeyondOneThreadIsNotPaidLater) {
  Simulation simulation(2, 5);
  simulation.add(32, 0);
  simulation.add(1, 1);
  simulation.add(1, 1);
  simulation.play_for(100'000 * ms);
  for (std::uint32_t i = 0; i < 62; ++i) simulation.add(1, i % 2);
  simulation.play_for(60'000 * ms);
  EXPECT_NEAR(simulation.unfairest(), 1, 0.1);
}

TEST(FairQueues, AFlowThatSleptHasNoCredit) {
  FairQueues queues(1, 1 * ms);
  Contender busy(1, 0);
  Contender sleeper(1, 0);
  queues.enter(busy);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(queues.next(0), &busy);
    busy.charge(1 * ms);
    queues.put_back(0, busy);
  }
  queues.enter(sleeper);
  EXPECT_EQ(sleeper.virtual_ns, 9 * ms) << "level with the turn in service";
  EXPECT_EQ(queues.next(0), &sleeper);
}

TEST(FairQueues, AFlowThatHadMoreThanItsShareDoesNotLoseItByANap) {
  FairQueues queues(1, 1 * ms);
  Contender napper(1, 0);
  queues.enter(napper);
  ASSERT_EQ(queues.next(0), &napper);
  napper.charge(5 * ms);
  queues.enter(napper);
  EXPECT_EQ(napper.virtual_ns, 5 * ms);
}

TEST(FairQueues, EqualsGoInTheOrderTheyCame) {
  FairQueues queues(1, 1 * ms);
  std::deque<Contender> contenders;
  for (int i = 0; i < 100; ++i) queues.enter(contenders.emplace_back(1, 0));
  for (Contender& contender : contenders) EXPECT_EQ(queues.next(0), &contender);
  EXPECT_EQ(queues.next(0), nullptr);
}

TEST(FairQueues, ChargeWhatIsLessThanANanosecondOfVirtualTime) {
  Contender contender(flow_share(3, 10), 0);  // 96
  for (int i = 0; i < 96'000; ++i) contender.charge(1);
  EXPECT_NEAR(static_cast<double>(contender.virtual_ns), 1'000, 1);
  Contender idle(1, 0);
  idle.charge(0);
  EXPECT_EQ(idle.virtual_ns, 1U) << "a turn that took no time would be repeated for ever";
}

TEST(FairQueues, LookElsewhereBeyondTwoQuantaOnly) {
  for (const std::uint64_t ahead_ns : {200U, 201U}) {
    FairQueues queues(2, 100);
    Contender there(1, 0);
    Contender here(1, 1);
    here.charge(ahead_ns);
    queues.put_back(0, there);
    queues.put_back(1, here);
    const bool is_stolen = ahead_ns > 200;
    EXPECT_EQ(queues.next(1), is_stolen ? &there : &here) << ahead_ns;
    EXPECT_EQ(queues.steals(1), is_stolen ? 1U : 0U);
    EXPECT_EQ(there.home, is_stolen ? 1U : 0U);
  }
}

TEST(FairQueues, AnEmptyQueueTakesTheOneFurthestBehind) {
  FairQueues queues(3, 1 * ms);
  Contender behind(1, 1);
  Contender ahead(1, 0);
  ahead.charge(10);
  queues.put_back(0, ahead);
  queues.put_back(1, behind);
  EXPECT_TRUE(queues.any());
  EXPECT_EQ(queues.next(2), &behind);
  EXPECT_EQ(queues.next(2), &ahead);
  EXPECT_EQ(queues.steals(2), 2U);
  EXPECT_EQ(queues.next(2), nullptr);
  EXPECT_FALSE(queues.any());
}

TEST(FairQueues, AgreeWithASortedSet) {
  std::minstd_rand random(6);
  FairQueues queues(1, 1'000 * ms);  // arrears out of reach
  std::deque<Contender> contenders;
  std::vector<Contender*> outside;
  for (int i = 0; i < 50; ++i) outside.push_back(&contenders.emplace_back(1, 0));
  std::set<std::tuple<std::uint64_t, std::uint64_t, Contender*>> model;
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    if (!outside.empty() && random() % 2 == 0) {
      std::swap(outside[random() % outside.size()], outside.back());
      Contender& contender = *outside.back();
      outside.pop_back();
      contender.charge(random() % 8);
      queues.put_back(0, contender);
      model.emplace(contender.virtual_ns, step, &contender);
    } else if (!model.empty()) {
      Contender* const least = std::get<Contender*>(*model.begin());
      model.erase(model.begin());
      ASSERT_EQ(queues.next(0), least) << "step " << step;
      outside.push_back(least);
    }
  }
}

}  // namespace
}  // namespace torvyn::reactor
