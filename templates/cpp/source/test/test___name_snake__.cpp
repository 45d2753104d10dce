#include <cassert>

#include "../src/{{name_snake}}.cpp"
#include <torvyn/test.hpp>

int main() {
  Ticks ticks;
  assert(torvyn::test::init(ticks, R"({"count": 2})"));

  torvyn::Output out;
  assert(ticks.pull(out));
  assert(ticks.pull(out));
  assert(!ticks.pull(out));  // the end
  assert(out.size() == 2);
  assert(out[1] == "tick 2\n");

  assert(!torvyn::test::init(ticks, R"({"count": "many"})"));
}
