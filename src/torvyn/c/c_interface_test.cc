// The C interface, through its header alone. What is counted: operator new is replaced, in the whole executable.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "torvyn/c/torvyn.h"

extern "C" int torvyn_c_upper(const char* component, const char* text, char* out, size_t out_size);

namespace {

std::atomic<std::uint64_t> allocations{0};

void* counted(void* memory) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(std::malloc(bytes == 0 ? 1 : bytes)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

std::string component(const std::string& name) {
  return std::string(TORVYN_TEST_COMPONENTS_DIR) + "/" + name + ".wasm";
}
std::string test_component(const std::string& name) {
  return std::string(TORVYN_TEST_COMPONENTS_DIR) + "/../tests/components/" + name + ".wasm";
}

// "E0104", or "" for success; the error is freed.
std::string code_of(torvyn_error* error) {
  std::string code = torvyn_error_code(error);
  torvyn_error_free(error);
  return code;
}

std::string text_of(const torvyn_output& output) { return {reinterpret_cast<const char*>(output.bytes), output.size}; }

std::string taken(char* text) {
  std::string copy = text;
  torvyn_text_free(text);
  return copy;
}

// ---- what is no handle ------------------------------------------------------------------------------------------------

TEST(CInterface, KnowsItsVersion) { EXPECT_STREQ(torvyn_version(), "0.1.0"); }

TEST(CInterface, RefusesNothingInAHandlesPlace) {
  torvyn_plugin* plugin = nullptr;
  torvyn_host* host = nullptr;
  torvyn_flow* flow = nullptr;
  torvyn_inlet* inlet = nullptr;
  torvyn_answer answer;
  std::uint64_t id = 0;
  const char* state = nullptr;
  EXPECT_EQ(code_of(torvyn_plugin_load(nullptr, nullptr, &plugin)), "E0006");
  EXPECT_EQ(code_of(torvyn_plugin_load("x", nullptr, nullptr)), "E0006");
  EXPECT_EQ(code_of(torvyn_plugin_process(nullptr, "x", 1, nullptr, &answer)), "E0006");
  EXPECT_EQ(code_of(torvyn_plugin_failure(nullptr)), "E0006");
  EXPECT_EQ(code_of(torvyn_plugin_restart(nullptr)), "E0006");
  EXPECT_EQ(code_of(torvyn_flow_new(nullptr, &flow)), "E0006");
  EXPECT_EQ(code_of(torvyn_flow_add_component(nullptr, "n", "c", nullptr, nullptr, 0)), "E0006");
  EXPECT_EQ(code_of(torvyn_flow_add_function(nullptr, "n", TORVYN_SINK, nullptr, nullptr, nullptr)), "E0006");
  EXPECT_EQ(code_of(torvyn_flow_add_inlet(nullptr, "n", 1, &inlet)), "E0006");
  EXPECT_EQ(code_of(torvyn_flow_connect(nullptr, "a", "b")), "E0006");
  EXPECT_EQ(code_of(torvyn_host_new(nullptr, nullptr)), "E0006");
  EXPECT_EQ(code_of(torvyn_host_start(nullptr)), "E0006");
  EXPECT_EQ(code_of(torvyn_host_run(nullptr, nullptr)), "E0006");
  EXPECT_EQ(code_of(torvyn_host_start_flow(nullptr, "x", &id)), "E0006");
  EXPECT_EQ(code_of(torvyn_host_start_made(nullptr, nullptr, &id)), "E0006");
  EXPECT_EQ(code_of(torvyn_host_flow_state(nullptr, 1, &state)), "E0006");
  EXPECT_EQ(torvyn_inlet_push(nullptr, "x", 1, nullptr), TORVYN_PUSH_INVALID);
  EXPECT_STREQ(torvyn_host_state(nullptr), "");
  EXPECT_EQ(torvyn_plugin_memory_bytes(nullptr), 0U);
  torvyn_plugin_stop(nullptr);
  torvyn_inlet_close(nullptr);
  torvyn_plugin_free(plugin);
  torvyn_host_free(host);
  torvyn_flow_free(flow);
  torvyn_inlet_free(inlet);
  torvyn_error_free(nullptr);
  torvyn_text_free(nullptr);
}

TEST(CInterface, RefusesOptionsOfAnotherSize) {
  torvyn_plugin_options options;
  torvyn_plugin_options_init(&options);
  options.size -= 1;
  torvyn_plugin* plugin = nullptr;
  EXPECT_EQ(code_of(torvyn_plugin_load(component("upper").c_str(), &options, &plugin)), "E0006");
  torvyn_host_options host_options{};
  torvyn_host* host = nullptr;
  EXPECT_EQ(code_of(torvyn_host_new(&host_options, &host)), "E0006");
  EXPECT_EQ(plugin, nullptr);
  EXPECT_EQ(host, nullptr);
}

// ---- plugins ----------------------------------------------------------------------------------------------------------

TEST(CPlugin, IsUsedFromC) {
  std::array<char, 16> out{};
  ASSERT_EQ(torvyn_c_upper(component("upper").c_str(), "hello", out.data(), out.size()), 0);
  EXPECT_STREQ(out.data(), "HELLO");
  EXPECT_EQ(torvyn_c_upper("nowhere.wasm", "hello", out.data(), out.size()), 1);
}

TEST(CPlugin, SaysWhatIsWrong) {
  torvyn_plugin* plugin = nullptr;
  torvyn_error* const error = torvyn_plugin_load("nowhere.wasm", nullptr, &plugin);
  ASSERT_NE(error, nullptr);
  EXPECT_STREQ(torvyn_error_code(error), "E0210");
  EXPECT_NE(std::strstr(torvyn_error_message(error), "nowhere.wasm"), nullptr);
  EXPECT_NE(std::strlen(torvyn_error_hint(error)), 0U);
  EXPECT_EQ(std::strncmp(torvyn_error_text(error), "E0210: ", 7), 0);
  torvyn_error_free(error);
  torvyn_plugin_options options;
  torvyn_plugin_options_init(&options);
  const char* const grants[] = {"no-such-thing"};
  options.grants = grants;
  options.grant_count = 1;
  EXPECT_EQ(code_of(torvyn_plugin_load(component("upper").c_str(), &options, &plugin)), "E0702");
}

TEST(CPlugin, AnswersForEachOfARun) {
  torvyn_plugin* plugin = nullptr;
  ASSERT_EQ(torvyn_plugin_load(component("upper").c_str(), nullptr, &plugin), nullptr);
  const std::array<torvyn_bytes, 3> inputs{{{"a", 1}, {nullptr, 0}, {"ccc", 3}}};
  torvyn_answer answer;
  ASSERT_EQ(torvyn_plugin_process_run(plugin, inputs.data(), inputs.size(), "text/plain", &answer), nullptr);
  ASSERT_EQ(answer.output_count, 3U);
  EXPECT_EQ(answer.done, 3U);
  EXPECT_EQ(text_of(answer.outputs[2]), "CCC");
  EXPECT_EQ(answer.outputs[2].input, 2U);
  EXPECT_EQ(std::string(answer.outputs[0].content_type, answer.outputs[0].content_type_size), "text/plain");
  EXPECT_GT(torvyn_plugin_memory_bytes(plugin), 0U);
  const torvyn_bytes nothing{nullptr, 5};
  EXPECT_EQ(code_of(torvyn_plugin_process_run(plugin, &nothing, 1, nullptr, &answer)), "E0006");
  torvyn_plugin_free(plugin);
}

TEST(CPlugin, AllocatesNothingInSteadyState) {
  torvyn_plugin* plugin = nullptr;
  ASSERT_EQ(torvyn_plugin_load(component("upper").c_str(), nullptr, &plugin), nullptr);
  torvyn_answer answer;
  for (int i = 0; i < 10; ++i) ASSERT_EQ(torvyn_plugin_process(plugin, "hello", 5, nullptr, &answer), nullptr);
  const std::uint64_t before = allocations.load();
  for (int i = 0; i < 1000; ++i) torvyn_plugin_process(plugin, "hello", 5, nullptr, &answer);
  EXPECT_EQ(allocations.load() - before, 0U);
  torvyn_plugin_free(plugin);
}

TEST(CPlugin, EndsAndBeginsAnew) {
  torvyn_plugin* plugin = nullptr;
  ASSERT_EQ(torvyn_plugin_load(test_component("trap").c_str(), nullptr, &plugin), nullptr);
  EXPECT_EQ(torvyn_plugin_failure(plugin), nullptr);
  torvyn_answer answer;
  ASSERT_EQ(torvyn_plugin_process(plugin, "x", 1, nullptr, &answer), nullptr);
  EXPECT_EQ(answer.status, TORVYN_PLUGIN_ENDED);
  EXPECT_EQ(code_of(torvyn_plugin_failure(plugin)), "E0420");
  ASSERT_EQ(torvyn_plugin_restart(plugin), nullptr);
  EXPECT_EQ(torvyn_plugin_failure(plugin), nullptr);
  torvyn_plugin_free(plugin);
}

TEST(CPlugin, TellsWhatIsLogged) {
  struct Told {
    std::mutex mutex;
    std::vector<std::string> texts;
  } told;
  torvyn_plugin_options options;
  torvyn_plugin_options_init(&options);
  options.user = &told;
  options.on_event = [](void* user, int, const char* code, const char*, const char* text) {
    auto& all = *static_cast<Told*>(user);
    const std::scoped_lock lock(all.mutex);
    all.texts.push_back(std::string(code) + " " + text);
  };
  torvyn_plugin* plugin = nullptr;
  ASSERT_EQ(torvyn_plugin_load(test_component("wasi-upper").c_str(), &options, &plugin), nullptr);
  torvyn_answer answer;
  ASSERT_EQ(torvyn_plugin_process(plugin, "x", 1, nullptr, &answer), nullptr);
  torvyn_plugin_free(plugin);
  ASSERT_FALSE(told.texts.empty());
  EXPECT_EQ(told.texts.front(), "guest the clock goes");
}

// ---- hosts and flows --------------------------------------------------------------------------------------------------

struct Collected {
  std::mutex mutex;
  std::vector<std::string> texts;
  std::atomic<int> released{0};
};

torvyn_stage_result collect(void* user, const torvyn_element* element, torvyn_outputs*) {
  auto& collected = *static_cast<Collected*>(user);
  const std::scoped_lock lock(collected.mutex);
  collected.texts.emplace_back(reinterpret_cast<const char*>(element->bytes), element->size);
  return TORVYN_STAGE_OK;
}

void count_release(void* user) { ++static_cast<Collected*>(user)->released; }

torvyn_host* running_host() {
  torvyn_host* host = nullptr;
  EXPECT_EQ(torvyn_host_new(nullptr, &host), nullptr);
  EXPECT_STREQ(torvyn_host_state(host), "ready");
  EXPECT_EQ(torvyn_host_start(host), nullptr);
  EXPECT_STREQ(torvyn_host_state(host), "running");
  return host;
}

TEST(CFlow, TakesDataInAndGivesItBack) {
  Collected collected;
  torvyn_flow* flow = nullptr;
  torvyn_inlet* inlet = nullptr;
  ASSERT_EQ(torvyn_flow_new("shout", &flow), nullptr);
  ASSERT_EQ(torvyn_flow_add_inlet(flow, "in", 8, &inlet), nullptr);
  ASSERT_EQ(torvyn_flow_add_component(flow, "upper", component("upper").c_str(), nullptr, nullptr, 0), nullptr);
  ASSERT_EQ(torvyn_flow_add_function(flow, "out", TORVYN_SINK, collect, &collected, count_release), nullptr);
  EXPECT_EQ(torvyn_inlet_try_push(inlet, "early", 5, nullptr), TORVYN_PUSH_CLOSED);
  torvyn_host* const host = running_host();
  std::uint64_t id = 0;
  ASSERT_EQ(torvyn_host_start_made(host, flow, &id), nullptr);
  torvyn_flow_free(flow);
  std::uint64_t found = 0;
  EXPECT_EQ(torvyn_host_find_flow(host, "shout", &found), nullptr);
  EXPECT_EQ(found, id);
  EXPECT_EQ(torvyn_inlet_push(inlet, "hello", 5, nullptr), TORVYN_PUSH_OK);
  const std::string lent = "lent";
  EXPECT_EQ(torvyn_inlet_push_adopted(inlet, lent.data(), lent.size(), nullptr, count_release, &collected),
            TORVYN_PUSH_OK);
  EXPECT_EQ(torvyn_inlet_push_adopted(inlet, lent.data(), lent.size(), nullptr, nullptr, nullptr), TORVYN_PUSH_INVALID);
  torvyn_inlet_close(inlet);
  EXPECT_EQ(torvyn_inlet_push(inlet, "late", 4, nullptr), TORVYN_PUSH_CLOSED);
  char* report = nullptr;
  ASSERT_EQ(torvyn_host_wait(host, id, &report), nullptr);
  EXPECT_NE(taken(report).find("\"completed\""), std::string::npos);
  EXPECT_EQ(collected.texts, (std::vector<std::string>{"HELLO", "LENT"}));
  const char* state = nullptr;
  ASSERT_EQ(torvyn_host_flow_state(host, id, &state), nullptr);
  EXPECT_STREQ(state, "completed");
  EXPECT_EQ(torvyn_host_shutdown(host, 1'000'000'000), nullptr);
  EXPECT_STREQ(torvyn_host_state(host), "stopped");
  EXPECT_EQ(code_of(torvyn_host_start(host)), "E0006");
  torvyn_host_free(host);
  torvyn_inlet_free(inlet);
  EXPECT_EQ(collected.released, 2) << "what was lent, and the sink's";
}

TEST(CFlow, RunsAllKindsOfFunctions) {
  struct Counter {
    int given = 0;
  } counter;
  Collected odd;
  Collected even;
  torvyn_flow* flow = nullptr;
  ASSERT_EQ(torvyn_flow_new("kinds", &flow), nullptr);
  const auto source = [](void* user, const torvyn_element* element, torvyn_outputs* outputs) {
    auto& count = static_cast<Counter*>(user)->given;
    if (element != nullptr) return TORVYN_STAGE_FATAL;
    if (count == 4) return TORVYN_STAGE_END;
    const std::string text = std::to_string(count++);
    torvyn_outputs_emit(outputs, text.data(), text.size(), "text/plain");
    return TORVYN_STAGE_OK;
  };
  const auto pass = [](void*, const torvyn_element*, torvyn_outputs* outputs) {
    torvyn_outputs_pass(outputs);
    return TORVYN_STAGE_OK;
  };
  const auto route = [](void*, const torvyn_element* element, torvyn_outputs* outputs) {
    torvyn_outputs_to(outputs, element->bytes[0] % 2 == 0 ? "even" : "odd");
    torvyn_outputs_pass(outputs);
    return TORVYN_STAGE_OK;
  };
  ASSERT_EQ(torvyn_flow_add_function(flow, "source", TORVYN_SOURCE, source, &counter, nullptr), nullptr);
  ASSERT_EQ(torvyn_flow_add_function(flow, "pass", TORVYN_PROCESSOR, pass, nullptr, nullptr), nullptr);
  ASSERT_EQ(torvyn_flow_add_function(flow, "route", TORVYN_ROUTER, route, nullptr, nullptr), nullptr);
  ASSERT_EQ(torvyn_flow_add_function(flow, "odd", TORVYN_SINK, collect, &odd, nullptr), nullptr);
  ASSERT_EQ(torvyn_flow_add_function(flow, "even", TORVYN_SINK, collect, &even, nullptr), nullptr);
  for (const auto& [from, to] :
       {std::pair{"source", "pass"}, {"pass", "route"}, {"route.odd", "odd"}, {"route.even", "even"}})
    ASSERT_EQ(torvyn_flow_connect(flow, from, to), nullptr);
  torvyn_host* const host = running_host();
  std::uint64_t id = 0;
  ASSERT_EQ(torvyn_host_start_made(host, flow, &id), nullptr);
  ASSERT_EQ(torvyn_host_wait(host, id, nullptr), nullptr);
  torvyn_flow_free(flow);
  torvyn_host_free(host);
  EXPECT_EQ(odd.texts, (std::vector<std::string>{"1", "3"}));
  EXPECT_EQ(even.texts, (std::vector<std::string>{"0", "2"}));
}

TEST(CFlow, FailsWithAFunctionsWords) {
  torvyn_flow* flow = nullptr;
  ASSERT_EQ(torvyn_flow_new("bad", &flow), nullptr);
  const auto refuse = [](void*, const torvyn_element*, torvyn_outputs* outputs) {
    torvyn_outputs_refuse(outputs, "not to my taste");
    return TORVYN_STAGE_INVALID_INPUT;
  };
  ASSERT_EQ(torvyn_flow_add_component(flow, "in", "builtin:generate", nullptr, nullptr, 0), nullptr);
  ASSERT_EQ(torvyn_flow_add_function(flow, "out", TORVYN_SINK, refuse, nullptr, nullptr), nullptr);
  EXPECT_EQ(code_of(torvyn_flow_add_function(flow, "x", 9, refuse, nullptr, nullptr)), "E0006");
  torvyn_host* const host = running_host();
  std::uint64_t id = 0;
  ASSERT_EQ(torvyn_host_start_made(host, flow, &id), nullptr);
  char* report = nullptr;
  ASSERT_EQ(torvyn_host_wait(host, id, &report), nullptr);
  const std::string text = taken(report);
  EXPECT_NE(text.find("\"failed\""), std::string::npos);
  EXPECT_NE(text.find("not to my taste"), std::string::npos);
  torvyn_flow_free(flow);
  torvyn_host_free(host);
}

TEST(CHost, IsCancelledFromAnotherThread) {
  torvyn_flow* flow = nullptr;
  ASSERT_EQ(torvyn_flow_new("endless", &flow), nullptr);
  ASSERT_EQ(torvyn_flow_add_component(flow, "in", "builtin:generate", nullptr, nullptr, 0), nullptr);
  ASSERT_EQ(torvyn_flow_add_component(flow, "out", "builtin:null", nullptr, nullptr, 0), nullptr);
  torvyn_host* const host = running_host();
  std::uint64_t id = 0;
  ASSERT_EQ(torvyn_host_start_made(host, flow, &id), nullptr);
  char* now = nullptr;
  ASSERT_EQ(torvyn_host_report(host, id, &now), nullptr);
  EXPECT_NE(taken(now).find("\"running\""), std::string::npos);
  std::thread canceller([&] { EXPECT_EQ(torvyn_host_cancel_flow(host, id), nullptr); });
  char* report = nullptr;
  ASSERT_EQ(torvyn_host_wait(host, id, &report), nullptr);
  canceller.join();
  EXPECT_NE(taken(report).find("\"cancelled\""), std::string::npos);
  EXPECT_EQ(code_of(torvyn_host_cancel_flow(host, 999)), "E0207");
  EXPECT_EQ(code_of(torvyn_host_start_flow(host, "nowhere", &id)), "E0207");
  EXPECT_EQ(code_of(torvyn_host_set_level(host, "loud")), "E0702");
  EXPECT_EQ(torvyn_host_set_level(host, "diagnostic"), nullptr);
  torvyn_flow_free(flow);
  torvyn_host_free(host);
}

TEST(CHost, RunsAManifest) {
  const std::string manifest = std::string(TORVYN_TEST_SOURCE_DIR) + "/examples/embed/Torvyn.toml";
  torvyn_host_options options;
  torvyn_host_options_init(&options);
  options.manifest = manifest.c_str();
  torvyn_host* host = nullptr;
  ASSERT_EQ(torvyn_host_new(&options, &host), nullptr);
  char* reports = nullptr;
  ASSERT_EQ(torvyn_host_run(host, &reports), nullptr);
  const std::string text = taken(reports);
  EXPECT_EQ(text.front(), '[');
  EXPECT_NE(text.find("\"completed\""), std::string::npos);
  torvyn_host_free(host);
  options.manifest = "nowhere.toml";
  EXPECT_EQ(code_of(torvyn_host_new(&options, &host)), "E0001");
}

TEST(CHost, RunsOnTheCallersThread) {
  torvyn_host_options options;
  torvyn_host_options_init(&options);
  options.worker_threads = 0;
  torvyn_host* host = nullptr;
  ASSERT_EQ(torvyn_host_new(&options, &host), nullptr);
  ASSERT_EQ(torvyn_host_start(host), nullptr);
  Collected collected;
  torvyn_flow* flow = nullptr;
  torvyn_inlet* inlet = nullptr;
  ASSERT_EQ(torvyn_flow_new("here", &flow), nullptr);
  ASSERT_EQ(torvyn_flow_add_inlet(flow, "in", 8, &inlet), nullptr);
  ASSERT_EQ(torvyn_flow_add_function(flow, "out", TORVYN_SINK, collect, &collected, nullptr), nullptr);
  std::uint64_t id = 0;
  ASSERT_EQ(torvyn_host_start_made(host, flow, &id), nullptr);
  ASSERT_EQ(torvyn_inlet_try_push(inlet, "x", 1, nullptr), TORVYN_PUSH_OK);
  torvyn_inlet_close(inlet);
  EXPECT_TRUE(collected.texts.empty());
  for (bool more = true; more;) ASSERT_EQ(torvyn_host_run_some(host, 1'000'000, &more), nullptr);
  EXPECT_EQ(collected.texts, std::vector<std::string>{"x"});
  torvyn_flow_free(flow);
  torvyn_inlet_free(inlet);
  torvyn_host_free(host);
}

}  // namespace
