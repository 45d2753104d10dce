#include "torvyn/types/short_bytes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace torvyn {
namespace {

constexpr std::size_t sizes_max = 40;  // on both sides of all that is treated apart

TEST(ShortBytes, AreCopiedWhateverTheirNumberAndNothingBeside) {
  for (std::size_t size = 0; size <= sizes_max; ++size) {
    std::vector<std::byte> from(size);
    for (std::size_t i = 0; i < size; ++i) from[i] = static_cast<std::byte>(i + 1);
    std::vector<std::byte> to(size + 2, std::byte{0xee});
    copy_bytes(to.data() + 1, from);
    EXPECT_EQ(to.front(), std::byte{0xee}) << size;
    EXPECT_EQ(to.back(), std::byte{0xee}) << size;
    EXPECT_EQ(std::vector(to.begin() + 1, to.end() - 1), from) << size;
  }
}

TEST(ShortBytes, AreTheSameWhereEachIs) {
  for (std::size_t size = 0; size <= sizes_max; ++size) {
    const std::string text(size, 'a');
    EXPECT_TRUE(same_text(text, std::string(text))) << size;
    EXPECT_FALSE(same_text(text, text + "a")) << size;
    for (std::size_t i = 0; i < size; ++i) {
      std::string other = text;
      other[i] = 'b';
      EXPECT_FALSE(same_text(text, other)) << size << " bytes, byte " << i;
    }
  }
}

}  // namespace
}  // namespace torvyn
