#include "torvyn/types/error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

namespace torvyn {
namespace {

static_assert(sizeof(Error) <= 2 * sizeof(void*));
static_assert(std::is_nothrow_move_constructible_v<Error>);

struct CodeEntry {
  unsigned number;
  ErrorCode code;
  std::string_view title;
};
constexpr auto all_codes = std::to_array<CodeEntry>({
#define TORVYN_CODE_ENTRY(number, name, title) CodeEntry{number, ErrorCode::name, title},
    TORVYN_ERROR_CODES(TORVYN_CODE_ENTRY)
#undef TORVYN_CODE_ENTRY
});

Result<int> half_of(int number) {
  if (number % 2 != 0) return fail(ErrorCode::out_of_range, "odd number");
  return number / 2;
}

Status require_even(int number) {
  TORVYN_TRY(half_of(number));
  return {};
}

Result<int> quarter_of(int number, int& reached) {
  TORVYN_LET(const int half, half_of(number));
  reached = half;
  int quarter = 0;
  TORVYN_LET(quarter, half_of(half));
  return quarter;
}

TEST(ErrorCodes, AreReadAsTheyAreWritten) {
#define TORVYN_EXPECT_READ(number, name, title) \
  EXPECT_EQ(error_code_from(code_string(ErrorCode::name)), ErrorCode::name);
  TORVYN_ERROR_CODES(TORVYN_EXPECT_READ)
#undef TORVYN_EXPECT_READ
  for (const char* text : {"", "E", "E020", "E02033", "W0203", "E9999", "E02O3"})
    EXPECT_EQ(error_code_from(text), std::nullopt) << text;
}

TEST(ErrorCodes, HaveAFormForWarnings) { EXPECT_EQ(warning_code_string(ErrorCode::deprecated_contract), "W0110"); }

TEST(ErrorCode, IsShownWithFourDigits) {
  EXPECT_EQ(code_string(ErrorCode::manifest_not_found), "E0001");
  EXPECT_EQ(code_string(ErrorCode::graph_invalid), "E0203");
  EXPECT_EQ(code_title(ErrorCode::graph_invalid), "graph invalid");
}

TEST(ErrorCode, HasANumberOfItsOwn) {
  std::set<unsigned> numbers;
  for (const auto& entry : all_codes) EXPECT_TRUE(numbers.insert(entry.number).second) << entry.number << " twice";
}

TEST(ErrorCode, IsListedInTheOrderOfItsNumber) {
  EXPECT_TRUE(std::ranges::is_sorted(all_codes, {}, &CodeEntry::number));
}

TEST(ErrorCode, HasATitleOfOneLineWithoutAFullStop) {
  for (const auto& [number, code, title] : all_codes) {
    EXPECT_EQ(code_title(code), title);
    ASSERT_FALSE(title.empty()) << number;
    EXPECT_EQ(title.find('\n'), std::string_view::npos) << title;
    EXPECT_NE(title.back(), '.') << title;
  }
}

TEST(ErrorCode, ThatNobodyKnowsHasATitleToo) { EXPECT_EQ(code_title(static_cast<ErrorCode>(9999)), "unknown"); }

TEST(Error, HoldsWhatItWasMadeOf) {
  const Error error(ErrorCode::component_not_found, "no component `shout`", "run torvyn build");
  EXPECT_EQ(error.code(), ErrorCode::component_not_found);
  EXPECT_EQ(error.message(), "no component `shout`");
  EXPECT_EQ(error.hint(), "run torvyn build");
  EXPECT_EQ(error.to_string(), "E0210: no component `shout`");
}

TEST(Error, KeepsThePlaceItWasFirstGiven) {
  const Error error =
      Error(ErrorCode::unknown_key, "unknown key `componnet`").at_file("Torvyn.toml", 14, 1).at_file("main.toml", 2, 3);
  EXPECT_EQ(error.to_string(), "E0701: unknown key `componnet` (Torvyn.toml:14:1)");
}

TEST(Error, NamesAFileWithoutALineAlone) {
  EXPECT_EQ(Error(ErrorCode::io_failed, "permission denied").at_file("in.txt").to_string(),
            "E0004: permission denied (in.txt)");
}

TEST(Error, KeepsTheNodeItWasFirstGivenAndFillsInTheRest) {
  const Error error =
      Error(ErrorCode::component_trapped, "unreachable").at_node("", "shout", "").at_node("main", "sink", "shout.wasm");
  EXPECT_EQ(error.detail().flow, "main");
  EXPECT_EQ(error.detail().node, "shout");
  EXPECT_EQ(error.detail().component, "shout.wasm");
}

TEST(Error, NamesTheElementOfItsNode) {
  Error error = Error(ErrorCode::element_failed, "not UTF-8").at_node("main", "upper", "upper.wasm");
  EXPECT_EQ(error.to_string(), "E0403: not UTF-8 (node upper)");
  error.detail().element = 0;
  EXPECT_EQ(error.to_string(), "E0403: not UTF-8 (node upper, element 0)");
}

TEST(Error, TakesAHintOnlyWhereItHasNone) {
  EXPECT_EQ(Error(ErrorCode::usage, "what?").with_hint("say more").hint(), "say more");
  EXPECT_EQ(Error(ErrorCode::usage, "what?", "say less").with_hint("say more").hint(), "say less");
}

TEST(Error, IsCopiedDeeply) {
  Error original(ErrorCode::usage, "first");
  Error copy = original;
  original.detail().message = "changed";
  EXPECT_EQ(copy.message(), "first");

  copy = original;
  original.detail().message = "changed again";
  EXPECT_EQ(copy.message(), "changed");
}

TEST(Error, SurvivesBeingAssignedToItself) {
  Error error(ErrorCode::usage, "still here");
  const Error& same = error;
  error = same;
  EXPECT_EQ(error.message(), "still here");
}

TEST(Try, GoesOnAfterSuccessAndReturnsTheError) {
  EXPECT_TRUE(require_even(4).has_value());
  const Status status = require_even(5);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().to_string(), "E0702: odd number");
}

TEST(Let, DeclaresAndAssigns) {
  int reached = 0;
  EXPECT_EQ(quarter_of(12, reached).value(), 3);
  EXPECT_EQ(reached, 6);
}

TEST(Let, ReturnsTheErrorBeforeWhatFollows) {
  int reached = 0;
  EXPECT_FALSE(quarter_of(5, reached).has_value());
  EXPECT_EQ(reached, 0);
  EXPECT_FALSE(quarter_of(6, reached).has_value());
  EXPECT_EQ(reached, 3);
}

TEST(Let, MovesTheValueOut) {
  const auto unwrap = [](Result<std::unique_ptr<int>> result) -> Result<int> {
    TORVYN_LET(const auto pointer, std::move(result));
    return *pointer;
  };
  EXPECT_EQ(unwrap(std::make_unique<int>(3)).value(), 3);
}

TEST(Let, EvaluatesItsExpressionOnce) {
  int calls = 0;
  const auto count = [&]() -> Result<int> { return ++calls; };
  const auto run = [&]() -> Status {
    TORVYN_LET(const int first, count());
    TORVYN_TRY(count());
    EXPECT_EQ(first, 1);
    return {};
  };
  EXPECT_TRUE(run().has_value());
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace torvyn
