// A component on the caller's thread. What is counted: operator new is replaced, in the whole executable.
#include "torvyn/host/plugin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>

namespace {

std::atomic<std::uint64_t> allocations{0};

void* counted(void* memory) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(std::malloc(bytes == 0 ? 1 : bytes)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(step, (bytes + step - 1) / step * step));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace torvyn::host {
namespace {

using testing::HasSubstr;

std::filesystem::path component(const std::string& name) {
  return std::filesystem::path(TORVYN_TEST_COMPONENTS_DIR) / (name + ".wasm");
}
std::filesystem::path misbehaving(const std::string& name) {
  return std::filesystem::path(TORVYN_TEST_COMPONENTS_DIR).parent_path() / "tests" / "components" / (name + ".wasm");
}

std::unique_ptr<Plugin> load(const std::filesystem::path& path, const PluginLimits& limits = {}) {
  Result<std::unique_ptr<Plugin>> plugin = Plugin::load(path, limits);
  if (!plugin) {
    ADD_FAILURE() << plugin.error().to_string();
    std::abort();
  }
  return *std::move(plugin);
}

TEST(Plugin, AnswersWithWhatTheComponentMakesOfIt) {
  for (const char* name : {"upper", "upper-batch", "rust/upper"}) {
    const auto plugin = load(component(name));
    const PluginAnswer answer = plugin->process("hello", "text/plain");
    ASSERT_EQ(answer.status, PluginStatus::ok) << name;
    ASSERT_EQ(answer.outputs.size(), 1U);
    EXPECT_EQ(answer.outputs[0].text(), "HELLO");
    EXPECT_EQ(answer.done, 1U);
    EXPECT_EQ(plugin->process("").outputs[0].text(), "");
  }
}

TEST(Plugin, ARunSaysWhatCameOfWhich) {
  const auto plugin = load(component("grep-batch"), {.settings = R"({"pattern":"b"})"});
  const std::array<std::string, 4> texts = {"abc", "xyz", "b", ""};
  std::array<std::span<const std::byte>, 4> inputs;
  for (std::size_t i = 0; i < texts.size(); ++i) inputs[i] = std::as_bytes(std::span(texts[i]));
  const PluginAnswer answer = plugin->process_run(inputs);
  ASSERT_EQ(answer.status, PluginStatus::ok)
      << (answer.status == PluginStatus::ended ? plugin->failure().to_string() : "");
  EXPECT_EQ(answer.done, 4U);
  ASSERT_EQ(answer.outputs.size(), 2U);
  EXPECT_EQ(answer.outputs[0].input, 0U);
  EXPECT_EQ(answer.outputs[1].input, 2U);
  EXPECT_EQ(answer.outputs[1].text(), "b");
}

TEST(Plugin, AllocatesNothingInSteadyState) {
  const auto plugin = load(component("upper"));
  for (int i = 0; i < 200; ++i) plugin->process("hello");
  const std::uint64_t before = allocations.load();
  for (int i = 0; i < 1000; ++i) plugin->process("hello");
  EXPECT_EQ(allocations.load() - before, 0U);
}

TEST(Plugin, ARefusalIsNotTheEnd) {
  const auto plugin = load(misbehaving("fail-at"), {.settings = R"({"at":"1"})"});
  EXPECT_EQ(plugin->process("0").status, PluginStatus::ok);
  const PluginAnswer refused = plugin->process("1");
  EXPECT_EQ(refused.status, PluginStatus::refused);
  EXPECT_FALSE(refused.text.empty());
  EXPECT_EQ(plugin->process("2").status, PluginStatus::ok);
}

TEST(Plugin, ATrapEndsItUntilItIsRestarted) {
  const auto plugin = load(misbehaving("trap"), {.settings = R"({"at":"1"})"});
  EXPECT_EQ(plugin->process("0").status, PluginStatus::ok);
  EXPECT_EQ(plugin->process("1").status, PluginStatus::ended);
  EXPECT_EQ(plugin->failure().code(), ErrorCode::component_trapped);
  EXPECT_EQ(plugin->process("2").status, PluginStatus::ended);
  ASSERT_TRUE(plugin->restart());
  EXPECT_EQ(plugin->process("0").status, PluginStatus::ok);
}

TEST(Plugin, HasLimits) {
  const auto spinning = load(misbehaving("spin"), {.call_timeout_ns = 20'000'000});
  EXPECT_EQ(spinning->process("x").status, PluginStatus::ended);
  EXPECT_EQ(spinning->failure().code(), ErrorCode::call_timed_out);
  const auto small = load(component("upper"), {.max_buffer_bytes = 4});
  EXPECT_EQ(small->process("hello").status, PluginStatus::refused);
  EXPECT_EQ(small->process("hell").status, PluginStatus::ok);
}

TEST(Plugin, CanBeStoppedFromAnotherThread) {
  const auto plugin = load(misbehaving("spin"), {.call_timeout_ns = 60'000'000'000});
  std::thread other([&plugin] { plugin->stop(); });
  EXPECT_EQ(plugin->process("x").status, PluginStatus::ended);
  other.join();
  EXPECT_EQ(plugin->failure().code(), ErrorCode::flow_cancelled);
}

TEST(Plugin, SaysWhyItCannotBeLoaded) {
  const auto code = [](const std::filesystem::path& path, const PluginLimits& limits = {}) {
    const auto plugin = Plugin::load(path, limits);
    return plugin ? ErrorCode::internal_error : plugin.error().code();
  };
  EXPECT_EQ(code("nowhere.wasm"), ErrorCode::component_not_found);
  EXPECT_EQ(code(component("count-sink")), ErrorCode::graph_invalid);
  EXPECT_EQ(code(component("upper"), {.settings = "{}"}), ErrorCode::settings_without_lifecycle);
  EXPECT_EQ(code(misbehaving("missing-import")), ErrorCode::import_not_provided);
}

}  // namespace
}  // namespace torvyn::host
