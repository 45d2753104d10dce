#include <cassert>

#include "../src/{{name_snake}}.cpp"
#include <torvyn/test.hpp>

int main() {
  Numbers numbers;
  assert(numbers.ingest("1.5\n"));
  assert(numbers.ingest("-3\n"));
  assert(numbers.ingest("6"));
  assert(numbers.ingest("six").error().text == "no number: \"six\"");

  torvyn::Output out;
  numbers.flush(out);
  out.end();
  assert(out[0] == "3 numbers from -3 to 6, mean 1.5\n");
}
