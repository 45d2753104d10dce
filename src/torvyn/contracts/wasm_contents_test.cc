#include "torvyn/contracts/wasm_contents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>

#include "torvyn/contracts/files.h"

namespace torvyn::contracts {
namespace {

using namespace std::string_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

const std::string module_header = "\0asm\1\0\0\0"s;
const std::string component_header = "\0asm\x0d\0\1\0"s;

std::string sized(std::string_view bytes) {
  std::string text;
  std::size_t left = bytes.size();
  for (; left >= 0x80; left >>= 7U) text += static_cast<char>((left & 0x7fU) | 0x80U);
  text += static_cast<char>(left);
  return text.append(bytes);
}
std::string section(char id, std::string_view body) { return id + sized(body); }
std::string custom(std::string_view name, std::string_view body) { return section(0, sized(name).append(body)); }
std::string producers(std::string_view field, std::string_view name, std::string_view version) {
  return custom("producers", "\1"s + sized(field) + "\1"s + sized(name) + sized(version));
}

Result<WasmContents> read(std::string_view bytes) {
  return read_wasm_contents({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}
WasmContents contents_of(std::string_view bytes) {
  auto contents = read(bytes);
  EXPECT_TRUE(contents.has_value()) << contents.error().to_string();
  return contents ? *std::move(contents) : WasmContents{};
}
std::uint64_t bytes_of(const WasmContents& contents, std::string_view name) {
  const auto found = std::ranges::find(contents.sections, name, &SectionSize::name);
  return found == contents.sections.end() ? 0 : found->bytes;
}

TEST(WasmContents, CountsEveryByteOnce) {
  const std::string module = module_header + section(10, "\1"s + sized(std::string(197, 'c'))) + section(11, "data") +
                             section(7, "export") + custom("name", "") + custom(".debug_info", "12345") +
                             custom("mine", "67");
  const std::string bytes = component_header + section(7, "types") + section(1, module) +
                            custom("component-name", "x") + section(4, component_header + section(10, "import"));
  const WasmContents contents = contents_of(bytes);
  EXPECT_EQ(bytes_of(contents, "code"), 203U);
  EXPECT_EQ(bytes_of(contents, "data"), 6U);
  EXPECT_EQ(bytes_of(contents, "debug"), 19U);
  EXPECT_EQ(bytes_of(contents, "custom mine"), 9U);
  EXPECT_EQ(bytes_of(contents, "modules"), 16U);
  std::uint64_t sum = 0;
  for (const SectionSize& each : contents.sections) sum += each.bytes;
  EXPECT_EQ(sum, bytes.size());
  EXPECT_TRUE(std::ranges::is_sorted(contents.sections, std::ranges::greater{}, &SectionSize::bytes));
}

TEST(WasmContents, TellsTheModulesApart) {
  const std::string main = module_header + section(3, "\2\0\0"s) + section(10, "\1\0"s) + custom("name", "\0\5\4main"s);
  const std::string shim = module_header + section(3, "\1\0"s);
  const auto modules = contents_of(component_header + section(1, main) + section(1, shim)).modules;
  ASSERT_EQ(modules.size(), 2U);
  EXPECT_EQ(modules[0].name, "main");
  EXPECT_EQ(modules[0].size_bytes, main.size());
  EXPECT_EQ(modules[0].code_bytes, 4U);
  EXPECT_EQ(modules[0].functions, 2U);
  EXPECT_EQ(modules[1].name, "");
  EXPECT_EQ(modules[1].functions, 1U);
}

TEST(WasmContents, ReadsTheLimitsOfMemories) {
  const auto memories = contents_of(module_header + section(5, "\3\0\1\1\2\x10\x08\x80\x02\x00"s)).memories;
  ASSERT_EQ(memories.size(), 3U);
  EXPECT_EQ(memories[0].initial_bytes, 65536U);
  EXPECT_FALSE(memories[0].maximum_bytes.has_value());
  EXPECT_EQ(memories[1].initial_bytes, 131072U);
  EXPECT_EQ(memories[1].maximum_bytes, 1048576U);
  EXPECT_EQ(memories[2].initial_bytes, 256U) << "pages of one byte";
}

TEST(WasmContents, ListsEachProducerOnce) {
  const std::string module = module_header + producers("processed-by", "clang", "19");
  const auto contents = contents_of(component_header + section(1, module) + section(1, module) +
                                    producers("processed-by", "clang", "20"));
  EXPECT_THAT(contents.producers,
              ElementsAre(Producer{"processed-by", "clang", "19"}, Producer{"processed-by", "clang", "20"}));
}

TEST(WasmContents, NamesTheLanguageOfTheModuleWithTheMemory) {
  const std::string memory = section(5, "\1\0\1"s);
  const std::string c = section(1, module_header + memory + producers("language", "C11", ""));
  const std::string cpp = section(1, module_header + memory + producers("language", "C_plus_plus_14", ""));
  const std::string adapter = section(1, module_header + producers("language", "Rust", ""));
  EXPECT_EQ(contents_of(component_header + c + adapter).language, "C");
  EXPECT_EQ(contents_of(component_header + c + cpp).language, "C++");
  EXPECT_EQ(contents_of(component_header + section(1, module_header + memory + producers("processed-by", "rustc", "1")))
                .language,
            "Rust");
  EXPECT_EQ(contents_of(component_header + c + producers("processed-by", "componentize-py", "0.25")).language,
            "Python");
  EXPECT_EQ(contents_of(component_header + adapter).language, "");
}

TEST(WasmContents, LeavesCustomSectionsThatCannotBeReadAlone) {
  for (const std::string& body :
       {"\xff"s, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s, "\1\5lang"s, "\1\4lang\x09\1"s}) {
    const auto contents = contents_of(module_header + custom("producers", body) + custom("name", body));
    EXPECT_THAT(contents.producers, IsEmpty());
    EXPECT_EQ(contents.modules.front().name, "");
  }
  EXPECT_TRUE(read(module_header + section(0, "")).has_value());
}

TEST(WasmContents, RefusesSectionsThatDontAddUp) {
  std::string nested = component_header;
  for (int depth = 0; depth < 100; ++depth) nested = component_header + section(4, nested);
  for (const std::string& bytes :
       {""s, "\0asm"s, module_header + "\1"s, module_header + "\1\5abc"s, component_header + section(1, "short"),
        module_header + "\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s, nested}) {
    const auto contents = read(bytes);
    ASSERT_FALSE(contents.has_value());
    EXPECT_EQ(contents.error().code(), ErrorCode::not_a_component);
  }
}

TEST(WasmContents, ReadsARealComponentInAllItsPartsAndNoneOfItsPrefixes) {
  const auto bytes = read_file(std::filesystem::path(TORVYN_TEST_COMPONENTS_DIR) / "upper.wasm");
  ASSERT_TRUE(bytes.has_value()) << bytes.error().to_string();
  const WasmContents contents = contents_of(*bytes);
  EXPECT_EQ(contents.language, "C");
  EXPECT_GT(contents.modules.front().functions, 5U);
  ASSERT_EQ(contents.memories.size(), 1U);
  EXPECT_GT(contents.memories.front().initial_bytes, 0U);
  EXPECT_THAT(contents.producers, Contains(Field(&Producer::name, "wit-component")));
  const auto sum = std::accumulate(contents.sections.begin(), contents.sections.end(), std::uint64_t{0},
                                   [](std::uint64_t before, const SectionSize& each) { return before + each.bytes; });
  EXPECT_EQ(sum, bytes->size());
  // Cut anywhere: an error or what is there, never a byte beyond.
  for (std::size_t size = 0; size < bytes->size(); size += 7) {
    const std::string cut = bytes->substr(0, size);
    if (const auto some = read(cut); some.has_value()) {
      EXPECT_LE(bytes_of(*some, "code"), size);
    }
  }
}

}  // namespace
}  // namespace torvyn::contracts
