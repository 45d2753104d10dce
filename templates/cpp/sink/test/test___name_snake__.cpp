#include <cassert>

#include "../src/{{name_snake}}.cpp"
#include <torvyn/test.hpp>

int main() {
  Count count;
  count.push(torvyn::Element("hello"));
  count.push(torvyn::Element("again"));
  assert(count.report() == "2 elements, 10 bytes");
}
