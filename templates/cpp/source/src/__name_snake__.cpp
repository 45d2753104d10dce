// {{name}}: a source of the lines "tick 1", "tick 2", …
//
// Setting: `count`, how many (main setting; 10).
#include <cstdint>
#include <string>

#include <torvyn/source.hpp>

class Ticks {
 public:
  void init(torvyn::Settings& settings) {
    settings.set_main("count");  // torvyn run '{{name}}.wasm 3 ! stdout'
    count_ = settings.number("count", 10);
  }

  bool pull(torvyn::Output& out) {
    if (given_ == count_) return false;
    out.emit("tick " + std::to_string(++given_) + "\n");
    return true;
  }

 private:
  std::uint64_t count_ = 10;
  std::uint64_t given_ = 0;
};

TORVYN_SOURCE(Ticks)
