// Private to the tests of engine: real components, instances of them, and runs of elements to hand them.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/engine/engine.h"
#include "torvyn/engine/recorded_events.h"

namespace torvyn::engine {

// A component that is of use beside the tests: "upper", "grep-batch".
inline std::filesystem::path component_path(const std::string& name) {
  return std::filesystem::path(TORVYN_TEST_COMPONENTS_DIR) / (name + ".wasm");
}
// One of tests/components: "trap".
inline std::filesystem::path test_component_path(const std::string& name) {
  return std::filesystem::path(TORVYN_TEST_COMPONENTS_DIR) / "../tests/components" / (name + ".wasm");
}
// One of tests/hostile: "giant".
inline std::filesystem::path hostile_component_path(const std::string& name) {
  return std::filesystem::path(TORVYN_TEST_COMPONENTS_DIR) / "../tests/hostile" / (name + ".wasm");
}

inline std::string text_of(const Element& element) {
  const auto bytes = element.payload.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::vector<std::string> texts_of(const Run& run) {
  std::vector<std::string> texts;
  for (const Element& element : run) texts.push_back(text_of(element));
  return texts;
}
inline std::vector<std::uint16_t> ports_of(const Run& run) {
  std::vector<std::uint16_t> ports;
  for (const Element& element : run) ports.push_back(element.port);
  return ports;
}

// A clock that takes a step whenever somebody looks at it; steps of 0: it stands still.
class SteppingClock final : public Clock {
 public:
  void set_step_ns(std::uint64_t step_ns) noexcept { step_ns_ = step_ns; }
  std::uint64_t monotonic_ns() const noexcept override { return now_ns_.fetch_add(step_ns_) + step_ns_; }
  std::uint64_t wall_ns() const noexcept override { return monotonic_ns(); }

 private:
  std::uint64_t step_ns_ = 0;
  mutable std::atomic<std::uint64_t> now_ns_{0};
};

// An engine for all tests of the executable, a pool for each; at a test's end every buffer must be back in it.
class GuestTest : public testing::Test {
 protected:
  using Run = resources::Run;  // not testing::Test::Run

  explicit GuestTest(const resources::PoolOptions& pool_options = {}) {
    auto pool = resources::BufferPool::create(pool_options);
    if (!pool) std::abort();
    pool_ = *std::move(pool);
    options_.flow = "main";
    options_.node = "node";
    options_.pool = pool_.get();
    options_.content_types = &content_types_;
    options_.events = &events_;
    options_.clock = &SystemClock::instance();
  }

  void TearDown() override { EXPECT_EQ(pool_->stats().live, 0U) << "buffers that nobody gave back"; }

  static Engine& engine() {
    static const std::unique_ptr<Engine> engine = [] {
      Result<std::unique_ptr<Engine>> made =
          WasmEngine::create({.max_instances = 16, .cache_directory = {}, .events = nullptr});
      if (!made) {
        ADD_FAILURE() << made.error().to_string();
        std::abort();
      }
      return *std::move(made);
    }();
    return *engine;
  }

  static std::shared_ptr<Component> load(const std::filesystem::path& path) {
    Result<std::shared_ptr<Component>> component = engine().load(path);
    if (!component) {
      ADD_FAILURE() << component.error().to_string();
      std::abort();
    }
    return *std::move(component);
  }

  // Instances made from here on see time go on by so much with each look at it.
  void step_time_by_ns(std::uint64_t step_ns) {
    stepping_clock_.set_step_ns(step_ns);
    options_.clock = &stepping_clock_;
  }

  // An instance of the component's first stage, with `options_`; not initialised.
  Result<std::unique_ptr<Instance>> instantiate(Component& component) {
    options_.role = component.info().stages.front().role;
    options_.contract = component.info().stages.front().contract;
    return component.instantiate(options_);
  }

  // The same, which must succeed, initialised with `config`.
  std::unique_ptr<Instance> start(const std::filesystem::path& path, std::string_view config = {}) {
    return start(*load(path), config);
  }
  std::unique_ptr<Instance> start(Component& component, std::string_view config = {}) {
    Result<std::unique_ptr<Instance>> instance = instantiate(component);
    if (!instance) {
      ADD_FAILURE() << instance.error().to_string();
      std::abort();
    }
    const Status initialised = (*instance)->init(config);
    EXPECT_TRUE(initialised) << initialised.error().to_string();
    return *std::move(instance);
  }

  // A buffer on its way between stages.
  resources::BufferRef buffer_of(std::string_view text) {
    resources::BufferRef buffer;
    EXPECT_EQ(pool_->allocate(text.size(), buffer), resources::AllocateStatus::ok);
    if (!text.empty()) std::memcpy(buffer.writable().data(), text.data(), text.size());
    buffer.set_size(static_cast<std::uint32_t>(text.size()));
    EXPECT_TRUE(buffer.apply(resources::BufferAction::publish));
    return buffer;
  }

  // Appends an element; sequences count on from one run to the next, as in a flow.
  void add(Run& run, resources::BufferRef payload) {
    run.push_back(
        {.meta = {.sequence = next_sequence_, .timestamp_ns = 1000 + next_sequence_, .content_type = content_type_},
         .payload = std::move(payload),
         .lineage = static_cast<resources::LineageId>(run.size())});
    ++next_sequence_;
  }
  // Each element in a buffer of its own.
  Run run_of(const std::vector<std::string>& texts) {
    Run run;
    for (const std::string& text : texts) add(run, buffer_of(text));
    return run;
  }
  // All of them side by side in one buffer, as a batch stage or a built-in source leaves them.
  Run packed_run_of(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += text;
    const resources::BufferRef buffer = buffer_of(all);
    Run run;
    std::uint32_t start = 0;
    for (const std::string& text : texts) {
      add(run, buffer.slice(start, static_cast<std::uint32_t>(text.size())));
      start += static_cast<std::uint32_t>(text.size());
    }
    return run;
  }

  std::unique_ptr<resources::BufferPool> pool_;
  resources::ContentTypes content_types_;
  RecordedEvents events_;
  SteppingClock stepping_clock_;
  InstanceOptions options_;  // with the system's clock
  std::uint64_t next_sequence_ = 0;
  ContentTypeId content_type_ = 0;
};

}  // namespace torvyn::engine
