// What authors may write: every form of function and class, as a test on the host machine sees them.
#undef NDEBUG
#include <torvyn/test.h>

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <torvyn/aggregator.hpp>
#include <torvyn/filter.hpp>
#include <torvyn/processor.hpp>
#include <torvyn/router.hpp>
#include <torvyn/sink.hpp>
#include <torvyn/source.hpp>
#include <torvyn/test.hpp>

namespace {

std::string gives_a_text(std::string_view text) { return std::string(text) + "!"; }
std::optional<std::string> gives_perhaps(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return std::string(text);
}
std::vector<std::string> gives_several(const torvyn::Element& in) { return {std::string(in.text()), "again"}; }
torvyn::Result<std::string> fails_at_times(std::string_view text) {
  if (text == "bad") return torvyn::invalid_input("it is bad");
  return std::string(text);
}
void emits(const torvyn::Element& in, torvyn::Output& out) {
  out.emit(in.text());
  out.forward();
}
torvyn::Status emits_or_fails(std::string_view text, torvyn::Output& out) {
  out.emit(text);
  if (text == "bad") return torvyn::unavailable("come back");
  return {};
}

class Repeat {
 public:
  torvyn::Status init(torvyn::Settings& settings) {
    settings.set_main("times");
    times_ = settings.number("times", 2);
    if (times_ > 10) return torvyn::invalid_input("too often");
    return {};
  }
  void process(std::string_view text, torvyn::Output& out) const {
    for (std::uint64_t i = 0; i < times_; ++i) out.emit(text);
  }

 private:
  std::uint64_t times_ = 0;
};

void whole_run(const torvyn::Batch& batch, torvyn::Output& out) {
  for (char& c : batch.bytes()) c = c == 'a' ? 'A' : c;
  torvyn::emit_batch(out, batch);
}

bool is_long(const torvyn::Element& in) { return in.size_bytes() > 3; }
torvyn::Result<bool> is_true(std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  return torvyn::invalid_input("neither");
}

std::string_view one_port(std::string_view text) { return text; }
std::vector<std::string> two_ports(std::string_view) { return {"a", "b"}; }

class Three {
 public:
  torvyn::Result<bool> pull(torvyn::Output& out) {
    if (given_ == 3) return torvyn::fatal("empty");
    out.print("%d", ++given_);
    return given_ < 3;
  }
  void backpressure(bool paused) { paused_ = paused; }
  bool paused_ = false;

 private:
  int given_ = 0;
};

class Joined {
 public:
  void ingest(std::string_view text) { text_ += text; }
  std::string flush() { return text_; }

 private:
  std::string text_;
};

class Picky {
 public:
  torvyn::Status push(std::string_view text) {
    if (text.empty()) return torvyn::invalid_input("nothing");
    torvyn::pause();
    return {};
  }
};

struct Given {
  bool good;
  std::vector<std::string> outputs;
};

Given run(const torvyn_processor& processor, std::string_view text) {
  torvyn::Output out;
  torvyn_clear_error();
  const torvyn_element in{reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), nullptr, nullptr, 0};
  Given given{processor.process(&in, out.raw()), {}};
  for (std::size_t i = 0; i < out.size(); ++i)
    given.outputs.push_back(out.is_forwarded(i) ? "(in)" : std::string(out[i]));
  return given;
}

torvyn_element element(const char* text) { return torvyn_test_element(text); }

using Texts = std::vector<std::string>;
using torvyn::detail::make_processor;

void processors_of_every_form() {
  assert(run(make_processor<gives_a_text>(), "hi").outputs == Texts{"hi!"});
  assert(run(make_processor<gives_perhaps>(), "hi").outputs == Texts{"hi"});
  assert(run(make_processor<gives_perhaps>(), "").outputs.empty());
  assert((run(make_processor<gives_several>(), "hi").outputs == Texts{"hi", "again"}));
  assert((run(make_processor<emits>(), "hi").outputs == Texts{"hi", "(in)"}));
  assert(run(make_processor<fails_at_times>(), "hi").outputs == Texts{"hi"});
  assert(!run(make_processor<fails_at_times>(), "bad").good);
  assert(std::string_view(torvyn_test_error()) == "it is bad");
  assert(run(make_processor<emits_or_fails>(), "hi").good);
  assert(!run(make_processor<emits_or_fails>(), "bad").good && torvyn_call_state.kind == TORVYN_UNAVAILABLE);
}

void a_class_lives_from_init_to_teardown() {
  constexpr torvyn_processor repeat = make_processor<Repeat>();
  torvyn_settings settings{};
  const std::string_view json = R"({"times": "3"})";
  assert(torvyn_configure(&settings, repeat.init, json.data(), json.size()));
  assert((run(repeat, "x").outputs == Texts{"x", "x", "x"}));
  repeat.teardown();
  torvyn_settings_free(&settings);
}

void settings_that_are_wrong_fail_init() {
  Repeat repeat;
  assert(torvyn::test::init(repeat, "4"));
  assert(torvyn::test::init(repeat, R"({"times": 11})").error().text == "too often");
  assert(torvyn::test::init(repeat, R"({"times": "x"})").error().text.starts_with("`times` is \"x\", not"));
  assert(torvyn::test::init(repeat, R"({"tmes": 1})").error().text == "unknown setting `tmes`; there are `times`");
}

void a_whole_run_in_place() {
  std::uint8_t bytes[] = {'a', 'b', 'a'};
  const std::uint32_t ends[] = {1, 3};
  const torvyn_batch batch{bytes, ends, 2, nullptr};
  torvyn::Output out;
  assert(torvyn::detail::make_batch_processor<whole_run>().process_batch(&batch, out.raw()));
  assert(out.size() == 2 && out[0] == "A" && out[1] == "bA");
}

void filters() {
  const torvyn_element longer = element("long"), shorter = element("no"), truth = element("true");
  assert(torvyn::detail::make_filter<is_long>().keep(&longer));
  assert(!torvyn::detail::make_filter<is_long>().keep(&shorter));
  torvyn_clear_error();
  assert(torvyn::detail::make_filter<is_true>().keep(&truth) && !torvyn_call_state.failed);
  assert(!torvyn::detail::make_filter<is_true>().keep(&shorter) && torvyn_call_state.failed);
}

void routers() {
  const torvyn_element in = element("here");
  torvyn_ports ports{};
  assert(torvyn::detail::make_router<one_port>().route(&in, &ports));
  assert(torvyn_is_routed(&ports, "here") && !torvyn_is_routed(&ports, "a"));
  assert(torvyn::detail::make_router<two_ports>().route(&in, &ports));
  assert(torvyn_is_routed(&ports, "a") && torvyn_is_routed(&ports, "b"));
  torvyn_ports_free(&ports);
}

void sources() {
  constexpr torvyn_source source = torvyn::detail::make_source<Three>();
  assert(source.init(nullptr));
  torvyn::Output out;
  const auto pull = [&] {
    const bool goes_on = source.pull(out.raw());
    torvyn_end_written(out.raw());
    return goes_on;
  };
  torvyn_clear_error();
  assert(pull() && pull() && !pull() && !torvyn_call_state.failed);
  assert(out.size() == 3 && out[2] == "3");
  assert(!pull() && torvyn_call_state.kind == TORVYN_FATAL);
  source.backpressure(true);
  assert(torvyn::detail::Instance<Three>::object->paused_);
  source.teardown();
}

void aggregators() {
  constexpr torvyn_aggregator joined = torvyn::detail::make_aggregator<Joined>();
  assert(joined.init(nullptr));
  torvyn::Output out;
  for (const char* text : {"a", "b"}) {
    const torvyn_element in = element(text);
    assert(joined.ingest(&in, out.raw()));
  }
  assert(out.size() == 0);
  assert(joined.flush(out.raw()));
  assert(out.size() == 1 && out[0] == "ab");
  joined.teardown();
}

void sinks() {
  constexpr torvyn_sink picky = torvyn::detail::make_sink<Picky>();
  assert(picky.init(nullptr));
  const torvyn_element some = element("x"), none = element("");
  assert(picky.push(&some) && torvyn_call_state.paused);
  assert(!picky.push(&none) && std::string_view(torvyn_test_error()) == "nothing");
  assert(picky.complete());
  picky.teardown();
}

}  // namespace

int main() {
  processors_of_every_form();
  a_class_lives_from_init_to_teardown();
  settings_that_are_wrong_fail_init();
  a_whole_run_in_place();
  filters();
  routers();
  sources();
  aggregators();
  sinks();
}
