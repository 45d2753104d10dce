#include <cassert>

#include "../src/fahrenheit.cpp"
#include <torvyn/test.hpp>

int main() {
  torvyn::Output out;
  assert(convert("kitchen 20\n", out));
  out.end();
  assert(out[0] == "kitchen 68.0\n");
  assert(!convert("kitchen warm\n", out));
}
