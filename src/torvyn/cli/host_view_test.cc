#include "torvyn/cli/host_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace torvyn::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* flows = R"({"flows":[
  {"id":1,"name":"main","state":"failed","defined":true,"pulled":5,"delivered":4,"errors":1,"duration_ns":1000000},
  {"id":2,"name":"main","state":"running","defined":true,"pulled":1200,"delivered":1100,"errors":0,"duration_ns":2000000000},
  {"name":"later","state":"unstarted","defined":true}]})";

TEST(HostView, ShowsTheLastRunOfEachFlow) {
  EXPECT_EQ(draw_flows(flows, false, Palette()),
            " flow   id  state      pulled  delivered  errors  time\n"
            " main   2   running    1,200   1,100      0       2 s\n"
            " later  -   unstarted  -       -          -       -\n");
  EXPECT_THAT(draw_flows(flows, true, Palette()), HasSubstr("failed"));
  EXPECT_THAT(draw_flows(flows, true, Palette(true)), HasSubstr("\033[1;31m main"));
  EXPECT_EQ(draw_flows(R"({"flows":[]})", false, Palette()), "no flows\n");
}

TEST(HostView, IsNotThrownByWhatItCannotRead) {
  for (const char* text : {"", "[]", "7", R"({"flows":7})", R"({"flows":[7,null,{"name":[]}]})"}) {
    draw_flows(text, true, Palette());
    draw_flow(text, Palette());
    draw_reload(text, Palette());
    draw_top(text, text, text, 1, Palette());
  }
  EXPECT_THAT(draw_flows(R"({"flows":[{"name":"a\u001b[2J"}]})", false, Palette()), Not(HasSubstr("\033")));
}

TEST(HostView, ShowsOneFlowWithItsStagesAndStreams) {
  const std::string text = draw_flow(
      R"({"id":1,"flow":{"name":"main","state":"failed","duration_ns":1000000,"pulled":5,"delivered":4,"skipped":0,"dropped":0,"failed":1},
          "stages":[{"node":"up","path":"typed","elements_in":5,"elements_out":4,"errors":1,"restarts":0,"p50_ns":2000,"p99_ns":4000,"component":"up.wasm"}],
          "streams":[{"from":"in.output","to":"up.input","transferred":5,"depth":1,"peak_depth":2,"dropped":0}],
          "error":{"code":"E0420","message":"it trapped"}})",
      Palette());
  EXPECT_THAT(text, HasSubstr("main · failed · 1 ms: 5 pulled, 4 delivered, 0 skipped, 0 dropped, 1 failed\n"));
  EXPECT_THAT(text, HasSubstr(" up     typed  5   4    1       0         2 µs  4 µs  up.wasm\n"));
  EXPECT_THAT(text, HasSubstr(" in.output → up.input  5         1        2     0\n"));
  EXPECT_THAT(text, HasSubstr("error[E0420]: it trapped\n"));
}

TEST(HostView, ShowsWhatAReloadDoes) {
  const std::string text = draw_reload(
      R"({"dry_run":false,"needs_new_host":true,"flows":[
          {"name":"main","change":"swapped","nodes":["up","down"],"error":null},
          {"name":"other","change":"restarted","nodes":[],"error":{"code":"E0210","message":"no component"}}]})",
      Palette());
  EXPECT_THAT(text, HasSubstr(" main   swapped    up, down\n"));
  EXPECT_THAT(text, HasSubstr("once the host is started anew\n"));
  EXPECT_THAT(text, HasSubstr("error[E0210]: no component\n"));
}

TEST(HostView, ShowsRatesBetweenTwoAnswers) {
  const char* const before = R"({"flows":[{"id":2,"name":"main","pulled":200}]})";
  const std::string text = draw_top(R"({"name":"orders","state":"running","up_ns":5000000000,"level":"production"})",
                                    flows, before, 0.5, Palette());
  EXPECT_THAT(text, HasSubstr("orders · running · up 5 s · level production\n"));
  EXPECT_THAT(text, HasSubstr(" main   running    1,200   2,000     1,100      0       2 s\n"));
}

}  // namespace
}  // namespace torvyn::cli
