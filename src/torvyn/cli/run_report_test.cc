#include "torvyn/cli/run_report.h"

#include <gtest/gtest.h>

#include <csignal>
#include <vector>

namespace torvyn::cli {
namespace {

using observability::FlowReport;
using observability::FlowState;

FlowReport ended(FlowState state) {
  FlowReport report;
  report.state = state;
  report.fates.pulled = 10;
  return report;
}

TEST(ExitCode, IsZeroForEveryOrderlyEnd) {
  EXPECT_EQ(exit_code_of(ended(FlowState::completed), 0), 0);
  EXPECT_EQ(exit_code_of(ended(FlowState::limited), 0), 0);
  EXPECT_EQ(exit_code_of(ended(FlowState::closed), 0), 0);
  // It came too late to change anything.
  EXPECT_EQ(exit_code_of(ended(FlowState::completed), SIGINT), 0);
}

TEST(ExitCode, NamesTheSignal) {
  EXPECT_EQ(exit_code_of(ended(FlowState::interrupted), SIGINT), 130);
  EXPECT_EQ(exit_code_of(ended(FlowState::interrupted), SIGTERM), 143);
}

TEST(ExitCode, IsAFailuresForACancelledFlow) {
  FlowReport report = ended(FlowState::cancelled);
  report.error.emplace(ErrorCode::flow_cancelled, "the flow was cancelled");
  EXPECT_EQ(exit_code_of(report, 0), 1);
  EXPECT_EQ(exit_code_of(report, SIGINT), 1);
  report.fates.pulled = 0;
  EXPECT_EQ(exit_code_of(report, 0), 1);
}

TEST(ExitCode, OfSeveralFlowsIsThatOfTheFirstThatFailed) {
  const auto of = [](std::vector<int> codes) {
    std::vector<RunResult> results(codes.size());
    for (std::size_t i = 0; i < codes.size(); ++i) results[i].exit_code = codes[i];
    return exit_code_of(results);
  };
  EXPECT_EQ(of({}), 0);
  EXPECT_EQ(of({0, 0}), 0);
  EXPECT_EQ(of({0, 130, 0}), 130);
  EXPECT_EQ(of({130, 0, 1}), 1);
  EXPECT_EQ(of({143, 2, 1}), 2);
}

TEST(ExitCode, TellsMissingFromFailed) {
  FlowReport report = ended(FlowState::failed);
  report.error.emplace(ErrorCode::io_failed, "disk full");
  EXPECT_EQ(exit_code_of(report, 0), 1);
  report.fates.pulled = 0;
  EXPECT_EQ(exit_code_of(report, 0), 2);
  report.error.emplace(ErrorCode::init_failed, "no pattern");
  EXPECT_EQ(exit_code_of(report, 0), 1);
}

TEST(ExitCode, IsTwoForWhatIsMissingOrTypedWrong) {
  for (const ErrorCode code : {ErrorCode::usage, ErrorCode::pipeline_syntax, ErrorCode::manifest_not_found,
                               ErrorCode::io_failed, ErrorCode::tool_missing, ErrorCode::component_not_found})
    EXPECT_EQ(exit_code_of(Error(code, "x")), 2) << code_string(code);
  for (const ErrorCode code :
       {ErrorCode::unknown_key, ErrorCode::graph_invalid, ErrorCode::not_a_component, ErrorCode::build_failed})
    EXPECT_EQ(exit_code_of(Error(code, "x")), 1) << code_string(code);
}

}  // namespace
}  // namespace torvyn::cli
