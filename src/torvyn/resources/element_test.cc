#include "torvyn/resources/element.h"

#include <gtest/gtest.h>

#include "torvyn/resources/test_pool.h"

namespace torvyn::resources {
namespace {

// `resources::Run` in full below: within a test, `Run` is GoogleTest's.
Element element_of(BufferRef payload) {
  Element element;
  element.payload = std::move(payload);
  return element;
}

TEST(Element, ReleasesEveryPayloadOfARun) {
  const auto pool = make_pool();
  const BufferRef a = publish(*pool, "aaaa");
  const BufferRef b = publish(*pool, "bbbb");
  resources::Run run;
  // Neighbours, a gap, a buffer that comes back after another one.
  for (std::uint32_t i = 0; i < 3; ++i) run.push_back(element_of(a.slice(i, 1)));
  run.push_back(element_of({}));
  run.push_back(element_of(a));
  run.push_back(element_of(b));
  run.push_back(element_of(a));
  ASSERT_EQ(a.references(), 6U);
  ASSERT_EQ(b.references(), 2U);
  release_elements(run);
  EXPECT_EQ(a.references(), 1U);
  EXPECT_EQ(b.references(), 1U);
  EXPECT_EQ(run.size(), 7U);
  for (const Element& element : run) EXPECT_FALSE(element.payload);
}

TEST(Element, ReturnsABufferWhenARunHeldItsLastReferences) {
  const auto pool = make_pool();
  resources::Run run;
  {
    const BufferRef buffer = publish(*pool, std::string(64, 'x'));
    buffer.reserve_references(64);
    for (std::uint32_t i = 0; i < 64; ++i) run.push_back(element_of(buffer.adopt_slice(i, 1)));
    EXPECT_EQ(buffer.references(), 65U);
  }
  EXPECT_EQ(pool->stats().live, 1U);
  release_elements(std::span(run).first(63));
  EXPECT_EQ(pool->stats().live, 1U);
  release_elements(run);
  EXPECT_EQ(pool->stats().live, 0U);
}

TEST(Element, KeepsTheMemoryOfAClearedRun) {
  const auto pool = make_pool();
  resources::Run run;
  for (int i = 0; i < 64; ++i) run.push_back(element_of(publish(*pool, "x")));
  const std::size_t capacity = run.capacity();
  clear_run(run);
  EXPECT_TRUE(run.empty());
  EXPECT_EQ(run.capacity(), capacity);
  EXPECT_EQ(pool->stats().live, 0U);
}

TEST(Element, ReleasesNothingOfNothing) {
  release_elements({});
  resources::Run run(3);
  clear_run(run);
  EXPECT_TRUE(run.empty());
}

}  // namespace
}  // namespace torvyn::resources
