#include "torvyn/resources/content_types.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

namespace torvyn::resources {
namespace {

TEST(ContentTypes, GivesTheEmptyTextIdZero) {
  ContentTypes types;
  EXPECT_EQ(types.intern(""), 0U);
  EXPECT_EQ(types.text(0), "");
}

TEST(ContentTypes, GivesOneIdToOneTextAndDifferentOnesToDifferentTexts) {
  ContentTypes types;
  const ContentTypeId plain = types.intern("text/plain");
  const ContentTypeId json = types.intern("application/json");
  EXPECT_NE(plain, json);
  EXPECT_EQ(types.intern(std::string("text/") + "plain"), plain);
  EXPECT_EQ(types.text(plain), "text/plain");
  EXPECT_EQ(types.text(json), "application/json");
  EXPECT_NE(types.intern(std::string_view("text/plain\0", 11)), plain);
}

TEST(ContentTypes, KeepsTextsOfItsOwn) {
  ContentTypes types;
  std::string text = "a text that is too long for a small string's own memory";
  const ContentTypeId id = types.intern(text);
  const std::string_view kept = types.text(id);
  text.assign(text.size(), 'x');
  types.intern("another");
  EXPECT_EQ(kept, "a text that is too long for a small string's own memory");
}

TEST(ContentTypes, RejectsWhatIsTooLong) {
  ContentTypes types;
  EXPECT_NE(types.intern(std::string(content_type_bytes_max, 'x')), content_type_rejected);
  EXPECT_EQ(types.intern(std::string(content_type_bytes_max + 1, 'x')), content_type_rejected);
}

// The edges of each length, of what is longer than it need be, of surrogates and of all there is.
TEST(ContentTypes, TakesUtf8AndNothingElse) {
  ContentTypes types;
  for (const std::string_view good :
       {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "text/plain; name=\"größe €😀\""})
    EXPECT_NE(types.intern(good), content_type_rejected) << good;
  for (const std::string_view bad : {"\x80",
                                     "\xbf",
                                     "\xc0\x80",
                                     "\xc1\xbf",
                                     "\xc2",
                                     "\xc2\x7f",
                                     "\xc2\xc0",
                                     "\xe0\x80\x80",
                                     "\xe0\x9f\xbf",
                                     "\xe2\x82",
                                     "\xed\xa0\x80",
                                     "\xed\xbf\xbf",
                                     "\xf0\x80\x80\x80",
                                     "\xf0\x8f\xbf\xbf",
                                     "\xf0\x9f\x98",
                                     "\xf4\x90\x80\x80",
                                     "\xf5\x80\x80\x80",
                                     "\xf8\x88\x80\x80\x80",
                                     "\xff",
                                     "text/\xff",
                                     "text\xe2\x28\xa1"})
    EXPECT_EQ(types.intern(bad), content_type_rejected);
}

TEST(ContentTypes, RejectsNewTextsWhenFullAndStillKnowsTheOldOnes) {
  ContentTypes types;
  std::set<ContentTypeId> ids{0};
  for (std::uint32_t i = 1; i < content_types_max; ++i) ids.insert(types.intern("type/" + std::to_string(i)));
  EXPECT_EQ(ids.size(), content_types_max);
  EXPECT_FALSE(ids.contains(content_type_rejected));
  EXPECT_EQ(types.intern("one/more"), content_type_rejected);
  for (std::uint32_t i = 1; i < content_types_max; ++i) {
    const std::string text = "type/" + std::to_string(i);
    ASSERT_EQ(types.text(types.intern(text)), text);
  }
}

TEST(ContentTypes, TakesNoMoreNewTextsThanThereIsRoomFor) {
  ContentTypes types;
  const ContentTypeId known = types.intern("text/plain");
  std::uint32_t room = 2;
  EXPECT_EQ(types.intern("text/plain", room), known);
  EXPECT_EQ(room, 2U);
  const ContentTypeId first = types.intern("first", room);
  EXPECT_NE(types.intern("second", room), content_type_rejected);
  EXPECT_EQ(room, 0U);
  EXPECT_EQ(types.intern("third", room), content_type_rejected);
  EXPECT_EQ(types.intern("first", room), first);
  EXPECT_NE(types.intern("third"), content_type_rejected) << "others have room of their own";
}

TEST(ContentTypes, AgreesBetweenThreadsThatInternTheSameTexts) {
  ContentTypes types;
  constexpr int texts = 500;
  std::vector<std::vector<ContentTypeId>> ids(4, std::vector<ContentTypeId>(texts));
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < ids.size(); ++thread)
      threads.emplace_back([&, thread] {
        for (int round = 0; round < 3; ++round)
          for (int i = 0; i < texts; ++i) {
            const std::string text = "type/" + std::to_string(i);
            const ContentTypeId id = types.intern(text);
            if (types.text(id) != text) ADD_FAILURE() << text << " is " << types.text(id);
            ids[thread][static_cast<std::size_t>(i)] = id;
          }
      });
  }
  for (const auto& of_thread : ids) EXPECT_EQ(of_thread, ids[0]);
  EXPECT_EQ(std::set(ids[0].begin(), ids[0].end()).size(), std::size_t{texts});
}

TEST(ContentTypesDeathTest, TakesAnIdItNeverGaveForABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ContentTypes types;
  EXPECT_DEATH(static_cast<void>(types.text(1)), "never gave");
  EXPECT_DEATH(static_cast<void>(types.text(content_type_rejected)), "never gave");
}

}  // namespace
}  // namespace torvyn::resources
