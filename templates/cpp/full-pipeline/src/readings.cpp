// A source of temperatures, "SENSOR CELSIUS\n".
//
// Setting: `count`, how many (10).
#include <cstdint>
#include <string>

#include <torvyn/source.hpp>

class Readings {
 public:
  void init(torvyn::Settings& settings) { count_ = settings.number("count", 10); }

  bool pull(torvyn::Output& out) {
    if (given_ == count_) return false;
    const bool is_kitchen = given_ % 2 == 0;
    const std::uint64_t celsius = (is_kitchen ? 20 : 10) + given_++;
    out.emit((is_kitchen ? "kitchen " : "cellar ") + std::to_string(celsius) + "\n");
    return true;
  }

 private:
  std::uint64_t count_ = 10;
  std::uint64_t given_ = 0;
};

TORVYN_SOURCE(Readings)
