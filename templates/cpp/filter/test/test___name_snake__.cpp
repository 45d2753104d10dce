#include <cassert>

#include "../src/{{name_snake}}.cpp"
#include <torvyn/test.hpp>

int main() {
  Matches matches;
  assert(!torvyn::test::init(matches, ""));  // a pattern is needed

  assert(torvyn::test::init(matches, R"({"pattern": "ERROR"})"));
  assert(matches.keep("an ERROR here"));
  assert(!matches.keep("ERRO"));
}
