#include <cassert>

#include "../src/{{name_snake}}.cpp"
#include <torvyn/test.hpp>

int main() {
  assert(by_level("ERROR no route") == "errors");
  assert(by_level("INFO started") == "output");
}
