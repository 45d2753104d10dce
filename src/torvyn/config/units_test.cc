#include "torvyn/config/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "torvyn/config/runtime_config.h"

namespace torvyn::config {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

std::uint64_t size_of(std::string_view text) {
  const Result<std::uint64_t> size = parse_size(text);
  EXPECT_TRUE(size.has_value()) << text << ": " << (size ? "" : size.error().to_string());
  return size.value_or(most);
}

std::uint64_t duration_of(std::string_view text) {
  const Result<std::uint64_t> duration = parse_duration(text);
  EXPECT_TRUE(duration.has_value()) << text << ": " << (duration ? "" : duration.error().to_string());
  return duration.value_or(most);
}

std::string refusal(const Result<std::uint64_t>& result) {
  if (result) return "read as " + std::to_string(*result);
  EXPECT_EQ(result.error().code(), ErrorCode::out_of_range);
  EXPECT_NE(result.error().hint(), "");
  return result.error().message();
}

TEST(ParseSize, ReadsEveryUnit) {
  EXPECT_EQ(size_of("4096"), 4096U);
  EXPECT_EQ(size_of("0"), 0U);
  EXPECT_EQ(size_of("512B"), 512U);
  EXPECT_EQ(size_of("4KiB"), 4 * kib);
  EXPECT_EQ(size_of("64MiB"), 64 * mib);
  EXPECT_EQ(size_of("1GiB"), gib);
  EXPECT_EQ(size_of("2TiB"), 2048 * gib);
  EXPECT_EQ(size_of("1kB"), 1'000U);
  EXPECT_EQ(size_of("1KB"), 1'000U);
  EXPECT_EQ(size_of("10MB"), 10'000'000U);
  EXPECT_EQ(size_of("3GB"), 3'000'000'000U);
  EXPECT_EQ(size_of("1TB"), 1'000'000'000'000U);
}

TEST(ParseSize, ReadsFractionsThatGiveWholeBytes) {
  EXPECT_EQ(size_of("1.5MiB"), mib + 512 * kib);
  EXPECT_EQ(size_of("0.5KiB"), 512U);
  EXPECT_EQ(size_of("1.500000000000000000000000MiB"), mib + 512 * kib);
  EXPECT_EQ(size_of("2.0"), 2U);
  EXPECT_THAT(refusal(parse_size("1.5B")), HasSubstr("whole bytes"));
  EXPECT_THAT(refusal(parse_size("1.1KiB")), HasSubstr("whole bytes"));
  EXPECT_THAT(refusal(parse_size("0.0000000000000000001TiB")), HasSubstr("whole bytes"));
}

TEST(ParseSize, ReadsWhatFormatSizeWrites) {
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{12}, 3 * kib / 2, 64 * mib, 5 * gib}) {
    EXPECT_EQ(size_of(format_size(bytes)), bytes);
  }
}

TEST(ParseSize, RefusesWhatIsNoSize) {
  for (const char* text : {"", " ", "MiB", ".5MiB", "1.MiB", "1..5MiB", "+1", "0x10", "1e3", "1,000", "1MiB2",
                           "64 M iB", "nan", "1\nMiB", "１KiB"}) {
    EXPECT_THAT(refusal(parse_size(text)), HasSubstr("is not a size")) << text;
  }
  EXPECT_THAT(refusal(parse_size("-1MiB")), HasSubstr("negative"));
}

TEST(ParseSize, NamesTheUnitThatWasMeant) {
  EXPECT_THAT(refusal(parse_size("64mib")), HasSubstr("did you mean `MiB`?"));
  EXPECT_THAT(refusal(parse_size("64Mb")), HasSubstr("did you mean `MB`?"));
  EXPECT_THAT(refusal(parse_size("64M")), HasSubstr("unknown unit `M`"));
}

TEST(ParseSize, RefusesWhatDoesNotFit) {
  EXPECT_EQ(size_of("18446744073709551615"), most);
  EXPECT_EQ(size_of("16777215TiB"), 16777215ULL * 1024 * gib);
  EXPECT_THAT(refusal(parse_size("18446744073709551616")), HasSubstr("too large"));
  EXPECT_THAT(refusal(parse_size("16777216TiB")), HasSubstr("too large"));
  EXPECT_THAT(refusal(parse_size("18446744073709551615KiB")), HasSubstr("too large"));
  EXPECT_THAT(refusal(parse_size(std::string(100'000, '9'))), HasSubstr("too large"));
}

TEST(ParseDuration, ReadsEveryUnit) {
  EXPECT_EQ(duration_of("100ns"), 100U);
  EXPECT_EQ(duration_of("50us"), 50'000U);
  EXPECT_EQ(duration_of("50\u00b5s"), 50'000U);
  EXPECT_EQ(duration_of("50\u03bcs"), 50'000U);
  EXPECT_EQ(duration_of("250ms"), 250 * ms_in_ns);
  EXPECT_EQ(duration_of("1s"), s_in_ns);
  EXPECT_EQ(duration_of("5m"), 300 * s_in_ns);
  EXPECT_EQ(duration_of("5min"), 300 * s_in_ns);
  EXPECT_EQ(duration_of("2h"), 7'200 * s_in_ns);
  EXPECT_EQ(duration_of("1.5s"), 1'500 * ms_in_ns);
  EXPECT_EQ(duration_of("0.19 µs"), 190U);
}

TEST(ParseDuration, AsksForTheUnitOfABareNumber) {
  EXPECT_EQ(refusal(parse_duration("250")), "`250` has no unit");
  EXPECT_EQ(refusal(parse_duration("0")), "`0` has no unit");
}

TEST(ParseDuration, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "s", "1 second", "1h30m", "1d", "1e3s", "one"}) {
    EXPECT_THAT(refusal(parse_duration(text)), HasSubstr("is not a duration")) << text;
  }
  EXPECT_THAT(refusal(parse_duration("-5s")), HasSubstr("negative"));
  EXPECT_THAT(refusal(parse_duration("1.5ns")), HasSubstr("whole nanoseconds"));
  EXPECT_THAT(refusal(parse_duration("5124096h")), HasSubstr("too large"));
  EXPECT_THAT(refusal(parse_duration("5S")), HasSubstr("did you mean `s`?"));
}

TEST(FormatSize, ShowsThreeDigits) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(12), "12 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(kib), "1 KiB");
  EXPECT_EQ(format_size(1536), "1.5 KiB");
  EXPECT_EQ(format_size(64 * mib), "64 MiB");
  EXPECT_EQ(format_size(128'000'000), "122 MiB");
  EXPECT_EQ(format_size(12'345'678), "11.8 MiB");
  EXPECT_EQ(format_size(1023 * kib), "1023 KiB");
  EXPECT_EQ(format_size(most), "16 EiB");
}

TEST(FormatSize, NeverShowsAThousandTwentyFourOfAUnit) {
  EXPECT_EQ(format_size(mib - 1), "1 MiB");
  EXPECT_EQ(format_size(gib - 1), "1 GiB");
}

TEST(FormatDuration, ShowsThreeDigits) {
  EXPECT_EQ(format_duration(0), "0 s");
  EXPECT_EQ(format_duration(1), "0.001 µs");
  EXPECT_EQ(format_duration(50), "0.05 µs");
  EXPECT_EQ(format_duration(190), "0.19 µs");
  EXPECT_EQ(format_duration(12'340), "12.3 µs");
  EXPECT_EQ(format_duration(250 * ms_in_ns), "250 ms");
  EXPECT_EQ(format_duration(1'460 * ms_in_ns), "1.46 s");
  EXPECT_EQ(format_duration(59'900 * ms_in_ns), "59.9 s");
}

TEST(FormatDuration, NeverShowsAThousandOfAUnit) {
  EXPECT_EQ(format_duration(999'499), "999 µs");
  EXPECT_EQ(format_duration(999'700), "1 ms");
  EXPECT_EQ(format_duration(999'700'000), "1 s");
  EXPECT_EQ(format_duration(59'970 * ms_in_ns), "1 min");
  EXPECT_EQ(format_duration(3'599'700 * ms_in_ns), "1 h");
}

TEST(FormatDuration, CountsInMinutesAndHoursFromThereOn) {
  EXPECT_EQ(format_duration(125 * s_in_ns), "2 min 5 s");
  EXPECT_EQ(format_duration(12'000 * s_in_ns), "3 h 20 min");
  EXPECT_EQ(format_duration(most), "5124095 h 35 min");
}

TEST(FormatCount, GroupsByThree) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1'000), "1,000");
  EXPECT_EQ(format_count(500'000), "500,000");
  EXPECT_EQ(format_count(most), "18,446,744,073,709,551,615");
}

TEST(ExactQuantities, AreReadBackAsTheSame) {
  EXPECT_EQ(exact_size(0), "0B");
  EXPECT_EQ(exact_size(64 * mib), "64MiB");
  EXPECT_EQ(exact_size(1'536), "1536B");
  EXPECT_EQ(exact_size(1'024 * gib), "1TiB");
  EXPECT_EQ(exact_duration(0), "0s");
  EXPECT_EQ(exact_duration(1'500 * ms_in_ns), "1500ms");
  EXPECT_EQ(exact_duration(90 * s_in_ns), "90s");
  EXPECT_EQ(exact_duration(7'200 * s_in_ns), "2h");
  for (const std::uint64_t value :
       {1ULL, 999ULL, 1'000ULL, 1'024ULL, 123'456'789ULL, 3'600'000'000'000ULL, 1ULL << 50}) {
    EXPECT_EQ(parse_size(exact_size(value)), value);
    EXPECT_EQ(parse_duration(exact_duration(value)), value);
  }
}

}  // namespace
}  // namespace torvyn::config
