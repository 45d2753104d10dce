#include "torvyn/cli/error_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace torvyn::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(DrawError, PutsACaretUnderThePlace) {
  Error error(ErrorCode::unknown_key, "unknown key `componnet`, did you mean `component`?");
  error.detail().file = "Torvyn.toml";
  error.detail().line = 14;
  error.detail().column = 3;
  error.detail().source_line = "  componnet = \"upper.wasm\"";
  error.detail().caret_length = 9;
  EXPECT_EQ(draw_error(error, Palette()),
            "error[E0701]: unknown key `componnet`, did you mean `component`?\n"
            "  --> Torvyn.toml:14:3\n"
            "   |\n"
            "14 |   componnet = \"upper.wasm\"\n"
            "   |   ^^^^^^^^^\n");
}

TEST(DrawError, CountsColumnsAsTheyAreSeen) {
  Error error(ErrorCode::pipeline_syntax, "the quote is never closed");
  error.detail().file = "<pipeline>";
  error.detail().line = 1;
  error.detail().column = 8;  // behind "é", of two bytes, and a tab
  error.detail().source_line = "file\té'x";
  EXPECT_THAT(draw_error(error, Palette()), HasSubstr("1 | file\té'x\n  |     \t ^\n"));
}

TEST(DrawError, LeavesOutAColumnThatIsNotKnown) {
  const Error error = Error(ErrorCode::build_failed, "invalid syntax").at_file("shout.py", 6);
  EXPECT_THAT(draw_error(error, Palette()), HasSubstr("  --> shout.py:6\n"));
  EXPECT_EQ(error.to_string(), "E0011: invalid syntax (shout.py:6)");
}

TEST(DrawError, TellsWhatHappenedInAFlow) {
  Error error(ErrorCode::component_trapped, "shout panicked: I cannot shout this: \"hello 2\"",
              "on_error = \"skip\" in [flow.main.nodes.shout]");
  ErrorDetail& detail = error.detail();
  detail.flow = "main";
  detail.node = "shout";
  detail.component = "shout.wasm";
  detail.element = 2;
  detail.element_bytes = 7;
  detail.element_place = "line 3 of in.txt";
  detail.guest_backtrace = {"shout at src/lib.rs:8", "process"};
  detail.guest_lines = {"about to shout"};
  detail.consequence = "flow failed; 2 delivered, 1 failed, out.log.partial kept";
  EXPECT_EQ(draw_error(error, Palette()),
            "error[E0420]: shout panicked: I cannot shout this: \"hello 2\"\n"
            "  where  flow main › node shout › element 2 (7 bytes; line 3 of in.txt)\n"
            "  guest  shout at src/lib.rs:8\n"
            "         process\n"
            "  wrote  about to shout\n"
            "  then   flow failed; 2 delivered, 1 failed, out.log.partial kept\n"
            "  fix    on_error = \"skip\" in [flow.main.nodes.shout]; torvyn explain E0420\n");
}

TEST(DrawError, ShowsTheInnermostFramesAndTheLastWords) {
  Error error(ErrorCode::component_trapped, "it trapped");
  for (int index = 0; index < 20; ++index) {
    error.detail().guest_backtrace.push_back("frame " + std::to_string(index) + ".");
    error.detail().guest_lines.push_back("line " + std::to_string(index) + ".");
  }
  const std::string text = draw_error(error, Palette());
  EXPECT_THAT(text, HasSubstr("frame 0."));
  EXPECT_THAT(text, HasSubstr("frame 7."));
  EXPECT_THAT(text, Not(HasSubstr("frame 8.")));
  EXPECT_THAT(text, HasSubstr("line 19."));
  EXPECT_THAT(text, HasSubstr("line 12."));
  EXPECT_THAT(text, Not(HasSubstr("line 11.")));
  EXPECT_THAT(text, HasSubstr("12 more"));
  EXPECT_THAT(draw_error(error, Palette(), true), HasSubstr("frame 19."));
}

TEST(DrawError, LetsNoGuestSteerTheTerminal) {
  Error error(ErrorCode::element_failed, "upper: \x1b[2Jgone", "two\nlines");
  error.detail().guest_lines = {"\x1b]0;owned\x07"};
  error.detail().source_line = "a\x1b[31mb";
  error.detail().file = "x\x1b";
  const std::string text = draw_error(error, Palette());
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("\\x1b[2Jgone"));
  EXPECT_THAT(text, HasSubstr("  fix    two\n         lines\n"));
}

TEST(DrawError, ColoursOnlyWhereAsked) {
  const Error error(ErrorCode::usage, "wrong");
  EXPECT_THAT(draw_error(error, Palette(true)), HasSubstr("\x1b[1;31merror[E0006]\x1b[0m"));
  EXPECT_EQ(draw_error(error, Palette(false)), "error[E0006]: wrong\n");
}

}  // namespace
}  // namespace torvyn::cli
