// Any script for tests/hostile/script.c: imports called with whatever handles, addresses and lengths. The first byte says what the component is
// called as, the rest is the script. Whatever it does, the instance gives what it may or ends with a word about why, every buffer comes
// back, and the instance beside it works on.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "torvyn/engine/engine.h"
#include "torvyn/resources/buffer_pool.h"

namespace {

using namespace torvyn;
using contracts::Contract;
using contracts::Role;
using engine::CallOutcome;
using engine::CallStatus;
using resources::Element;
using resources::Run;

[[noreturn]] void broken(const char* what, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.to_string().c_str());
  std::abort();
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

class Silence final : public EventSink {
 public:
  void event(Severity, std::string_view, std::string_view, std::string_view) noexcept override {}
  void guest_line(Severity, std::string_view, std::string_view) noexcept override {}
};

// What the component is called as.
struct Part {
  Role role;
  Contract contract;
};
constexpr Part parts[] = {{Role::processor, Contract::element},
                          {Role::processor, Contract::batch},
                          {Role::router, Contract::element},
                          {Role::aggregator, Contract::element}};

// Made once, for all inputs.
class World {
 public:
  World() : engine_(made(engine::WasmEngine::create({.max_instances = 8, .cache_directory = {}, .events = nullptr}))) {
    scripted_ = made(engine_->load(TORVYN_TEST_COMPONENTS_DIR "/../tests/hostile/script.wasm"));
    pool_ = made(resources::BufferPool::create({}));
    beside_ = make(made(engine_->load(TORVYN_TEST_COMPONENTS_DIR "/upper.wasm")), parts[0]);
  }

  void follow(const Part& part, std::string_view script) {
    const std::unique_ptr<engine::Instance> instance = make(scripted_, part);
    Run in;
    in.push_back(element_of(script));
    in.push_back(element_of("the second one"));
    Run out;
    CallOutcome outcome = instance->process(in, out);
    check(*instance, outcome, in.size(), out);
    if (outcome.status == CallStatus::ended || part.role != Role::aggregator) return;
    out.clear();
    outcome = instance->flush(out);
    if (outcome.status == CallStatus::ended) expect_word(instance->failure());
  }

  void check_that_all_is_well() {
    require(pool_->stats().live == 0, "a buffer did not come back");
    Run in;
    in.push_back(element_of("work"));
    Run out;
    require(beside_->process(in, out).status == CallStatus::ok, "the instance beside it does not work any more");
    const auto bytes = out.at(0).payload.bytes();
    require(bytes.size() == 4 && std::memcmp(bytes.data(), "WORK", 4) == 0,
            "the instance beside it does something else");
  }

 private:
  template <class T>
  static T made(Result<T> result) {
    if (!result) broken("the fuzzer cannot begin", result.error());
    return *std::move(result);
  }

  std::unique_ptr<engine::Instance> make(const std::shared_ptr<engine::Component>& component, const Part& part) {
    engine::InstanceOptions options;
    options.flow = "flow";
    options.node = "node";
    options.role = part.role;
    options.contract = part.contract;
    options.ports = {"output", "other"};
    options.pool = pool_.get();
    options.content_types = &content_types_;
    options.events = &events_;
    options.clock = &SystemClock::instance();
    options.max_memory_bytes = std::uint64_t{4} << 20;
    options.holdings = {.handles = 64, .buffer_bytes = std::uint64_t{1} << 20};
    options.call_timeout_ns = 20'000'000;
    std::unique_ptr<engine::Instance> instance = made(component->instantiate(options));
    if (const Status initialised = instance->init({}); !initialised) broken("init", initialised.error());
    return instance;
  }

  Element element_of(std::string_view text) {
    Element element;
    require(pool_->allocate(text.size(), element.payload) == resources::AllocateStatus::ok, "the pool is used up");
    if (!text.empty()) std::memcpy(element.payload.writable().data(), text.data(), text.size());
    element.payload.set_size(static_cast<std::uint32_t>(text.size()));
    require(element.payload.apply(resources::BufferAction::publish), "a filled buffer could not be published");
    return element;
  }

  static void expect_word(const Error& error) {
    if (error.code() == ErrorCode::internal_error) broken("the bridge panicked", error);
    require(!error.message().empty(), "an instance ended without a word");
  }

  static void check(const engine::Instance& instance, const CallOutcome& outcome, std::size_t offered, const Run& out) {
    require(outcome.done <= offered, "more was done than was offered");
    if (outcome.status == CallStatus::ended) {
      expect_word(instance.failure());
    } else {
      require(outcome.status != CallStatus::element_error || outcome.done < offered, "an error about no element");
    }
    for (const Element& element : out) {
      require(static_cast<bool>(element.payload), "an output without a payload");
      require(element.port < 2, "an output by a port that is none");
    }
  }

  Silence events_;
  resources::ContentTypes content_types_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<resources::BufferPool> pool_;
  std::shared_ptr<engine::Component> scripted_;
  std::unique_ptr<engine::Instance> beside_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
  static World world;
  if (length == 0) return 0;
  const std::string_view script(reinterpret_cast<const char*>(data) + 1, length - 1);
  world.follow(parts[data[0] % std::size(parts)], script);
  world.check_that_all_is_well();
  return 0;
}
