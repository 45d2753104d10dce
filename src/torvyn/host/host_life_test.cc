// A host's life: its states, its flows by name and id, reload, shutdown, and what becomes of it in a forked child. Built-in stages alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "torvyn/host/host_builder.h"

namespace torvyn::host {
namespace {

using observability::Fate;
using observability::FlowReport;
using observability::FlowState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t s_ns = 1'000'000'000;

// `generate` without a number goes on until it is stopped.
std::string manifest_text(const std::string& count, const std::string& more = {}) {
  return "[torvyn]\nname = \"t\"\nversion = \"0.1.0\"\ncontract_version = \"0.1.0\"\n"
         "[flow.main.nodes.in]\ncomponent = \"builtin:generate\"\nconfig = { count = " +
         count +
         " }\n[flow.main.nodes.out]\ncomponent = \"builtin:null\"\n"
         "[[flow.main.edges]]\nfrom = { node = \"in\" }\nto = { node = \"out\" }\n" +
         more;
}
const std::string second_flow =
    "[flow.second.nodes.in]\ncomponent = \"builtin:generate\"\nconfig = { count = 3 }\n"
    "[flow.second.nodes.out]\ncomponent = \"builtin:null\"\n"
    "[[flow.second.edges]]\nfrom = { node = \"in\" }\nto = { node = \"out\" }\n";
const std::string endless = "1000000000000";

config::Manifest manifest(const std::string& text) {
  Result<config::Manifest> parsed = config::parse_manifest(text, "Torvyn.toml");
  if (!parsed) {
    ADD_FAILURE() << parsed.error().to_string();
    std::abort();
  }
  parsed->runtime.max_instances = 4;
  return *std::move(parsed);
}

std::unique_ptr<Host> host_of(const std::string& text) {
  Result<std::unique_ptr<Host>> host = HostBuilder().with_manifest(manifest(text)).with_worker_threads(2).build();
  if (!host) {
    ADD_FAILURE() << host.error().to_string();
    std::abort();
  }
  return *std::move(host);
}

TEST(HostBuilder, ReadsAFileAndRunsItsFlows) {
  std::string folder = (std::filesystem::temp_directory_path() / "torvyn-builder-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::filesystem::path file = std::filesystem::path(folder) / "Torvyn.toml";
  std::ofstream(file) << manifest_text("5", second_flow);
  const auto host = HostBuilder().with_config_file(file).build();
  ASSERT_TRUE(host) << host.error().to_string();
  EXPECT_THAT((*host)->defined_flows(), ElementsAre("main", "second"));
  const auto reports = (*host)->run();
  ASSERT_TRUE(reports) << reports.error().to_string();
  ASSERT_THAT(*reports, SizeIs(2));
  EXPECT_EQ((*reports)[0].fates[Fate::delivered], 5U);
  EXPECT_EQ((*reports)[1].fates[Fate::delivered], 3U);
  EXPECT_EQ((*host)->state(), HostState::stopped);
  std::filesystem::remove_all(folder);
}

TEST(HostBuilder, NamesTheFileThatIsNotThere) {
  const auto host = HostBuilder().with_config_file("/nowhere/Torvyn.toml").build();
  ASSERT_FALSE(host);
  EXPECT_EQ(host.error().code(), ErrorCode::manifest_not_found);
}

TEST(HostLife, GoesOneWayAndRefusesEveryOtherStep) {
  const auto host = host_of(manifest_text("1"));
  EXPECT_EQ(host->state(), HostState::ready);
  const auto early = host->start_flow("main");
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code(), ErrorCode::usage);
  EXPECT_THAT(early.error().message(), HasSubstr("ready"));
  EXPECT_FALSE(host->reload(manifest(manifest_text("1")), true));
  ASSERT_TRUE(host->start());
  EXPECT_EQ(host->state(), HostState::running);
  EXPECT_FALSE(host->start());
  EXPECT_FALSE(host->run());
  ASSERT_TRUE(host->shutdown(s_ns));
  EXPECT_EQ(host->state(), HostState::stopped);
  EXPECT_FALSE(host->shutdown(s_ns));
  EXPECT_FALSE(host->start());
  EXPECT_FALSE(host->start_flow("main"));
}

TEST(HostLife, AFlowIsFoundByNameAndIdFromStartToReport) {
  const auto host = host_of(manifest_text(endless));
  ASSERT_TRUE(host->start());
  const auto id = host->start_flow("main");
  ASSERT_TRUE(id) << id.error().to_string();
  EXPECT_EQ(host->find_flow("main"), *id);
  EXPECT_EQ(host->flow_state(*id), FlowState::running);
  const auto twice = host->start_flow("main");
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message(), HasSubstr("runs already"));
  const auto now = host->report(*id);
  ASSERT_TRUE(now);
  EXPECT_EQ(now->state, FlowState::running);
  EXPECT_THAT(now->stages, SizeIs(2));
  ASSERT_TRUE(host->cancel_flow(*id));
  const auto report = host->wait(*id);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->state, FlowState::cancelled);
  EXPECT_EQ(host->flow_state(*id), FlowState::cancelled);
  const auto flows = host->list_flows();
  ASSERT_THAT(flows, SizeIs(1));
  EXPECT_EQ(flows[0].fates->pulled, report->fates.pulled);
  ASSERT_TRUE(host->start_flow("main"));
}

TEST(HostLife, AnUnknownFlowIsNamedWithTheNearest) {
  const auto host = host_of(manifest_text("1"));
  ASSERT_TRUE(host->start());
  const auto id = host->start_flow("mian");
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code(), ErrorCode::unknown_flow_or_node);
  EXPECT_THAT(id.error().hint(), HasSubstr("`main`"));
  EXPECT_EQ(host->wait(FlowId(7)).error().code(), ErrorCode::unknown_flow_or_node);
}

TEST(HostLife, RemembersANamedNumberOfEndedFlows) {
  const auto host = host_of(manifest_text("1"));
  ASSERT_TRUE(host->start());
  FlowId first;
  for (std::size_t i = 0; i < ended_flows_max + 10; ++i) {
    const auto id = host->start_flow("main");
    ASSERT_TRUE(id) << id.error().to_string();
    if (i == 0) first = *id;
    ASSERT_TRUE(host->wait(*id));
  }
  EXPECT_THAT(host->list_flows(), SizeIs(ended_flows_max));
  EXPECT_FALSE(host->wait(first));
}

TEST(HostLife, ShutdownEndsFlowsInGoodOrderAndEndsRun) {
  const auto host = host_of(manifest_text(endless));
  Result<std::vector<FlowReport>> reports;
  std::thread runner([&] { reports = host->run(); });
  while (!host->find_flow("main")) std::this_thread::yield();
  const auto ended = host->shutdown(60 * s_ns);
  runner.join();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->drained, 1U);
  EXPECT_EQ(ended->cancelled, 0U);
  ASSERT_TRUE(reports);
  ASSERT_THAT(*reports, SizeIs(1));
  EXPECT_EQ((*reports)[0].state, FlowState::interrupted);
  EXPECT_EQ((*reports)[0].fates.accounted(), (*reports)[0].fates.pulled);
}

TEST(HostLife, ManyThreadsStartListAndCancelAtOnce) {
  const auto host = host_of(manifest_text("1"));
  ASSERT_TRUE(host->start());
  const config::Manifest made = manifest(manifest_text(endless));
  std::atomic<int> ended{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        FlowDefinition flow{.config = made.flows.front()};
        flow.config.name = "flow-" + std::to_string(t);
        const auto id = host->start_flow(flow);
        if (!id) continue;
        static_cast<void>(host->list_flows());
        static_cast<void>(host->report(*id));
        static_cast<void>(host->cancel_flow(*id));
        if (const auto report = host->wait(*id); report && report->state == FlowState::cancelled) ++ended;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ended, 160);
  EXPECT_TRUE(host->shutdown(s_ns));
}

TEST(HostReload, TouchesWhatHasChangedAlone) {
  const auto host = host_of(manifest_text(endless));
  ASSERT_TRUE(host->start());
  const auto id = host->start_flow("main");
  ASSERT_TRUE(id);
  const config::Manifest next = manifest(manifest_text(endless, second_flow));
  const auto dry = host->reload(next, true);
  ASSERT_TRUE(dry) << dry.error().to_string();
  ASSERT_THAT(dry->flows, SizeIs(2));
  EXPECT_EQ(dry->flows[1].change, FlowChange::added);
  EXPECT_THAT(host->defined_flows(), ElementsAre("main"));

  const auto done = host->reload(next, false);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->flows[0].change, FlowChange::unchanged);
  EXPECT_EQ(host->find_flow("main"), *id);
  EXPECT_EQ(host->flow_state(*id), FlowState::running);
  const auto second = host->find_flow("second");
  ASSERT_TRUE(second);
  EXPECT_EQ(host->wait(*second)->fates[Fate::delivered], 3U);

  const auto shorter = host->reload(manifest(manifest_text("7")), false);
  ASSERT_TRUE(shorter);
  EXPECT_EQ(shorter->flows[0].change, FlowChange::restarted);
  EXPECT_FALSE(shorter->flows[0].error);
  EXPECT_EQ(shorter->flows[1].change, FlowChange::removed);
  EXPECT_EQ(host->wait(*id)->state, FlowState::interrupted);
  EXPECT_EQ(host->wait(*host->find_flow("main"))->fates[Fate::delivered], 7U);
}

TEST(HostReload, ABadManifestChangesNothing) {
  const auto host = host_of(manifest_text(endless));
  ASSERT_TRUE(host->start());
  const auto id = host->start_flow("main");
  ASSERT_TRUE(id);
  std::string bad = manifest_text("7", second_flow);
  bad.replace(bad.rfind("builtin:null"), 12, "no-such.wasm");
  const auto result = host->reload(manifest(bad), false);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::component_not_found);
  EXPECT_EQ(host->flow_state(*id), FlowState::running);
  EXPECT_THAT(host->defined_flows(), ElementsAre("main"));
  EXPECT_THAT(host->list_flows(), SizeIs(1));
}

TEST(HostManners, AForkedChildIsRefusedAndMayLetGo) {
  auto host = host_of(manifest_text(endless));
  ASSERT_TRUE(host->start());
  const auto id = host->start_flow("main");
  ASSERT_TRUE(id);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto refused = host->start_flow("main");
    const bool good = !refused && refused.error().code() == ErrorCode::usage && !host->shutdown(0) &&
                      !host->cancel_flow(*id) && host->list_flows().empty();
    host.reset();
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(host->flow_state(*id), FlowState::running);
}

}  // namespace
}  // namespace torvyn::host
