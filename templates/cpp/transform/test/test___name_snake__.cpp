#include <cassert>

#include "../src/{{name_snake}}.cpp"
#include <torvyn/test.hpp>

int main() {
  assert(shout("ERROR 7: no route\n") == "ERROR 7: NO ROUTE\n");
  assert(shout("") == "");
}
