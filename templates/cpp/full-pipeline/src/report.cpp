// A sink that logs each reading, and how many there were when the stream is complete.
#include <cstdint>
#include <string>
#include <string_view>

#include <torvyn/sink.hpp>

class Report {
 public:
  void push(std::string_view line) {
    if (line.ends_with('\n')) line.remove_suffix(1);
    torvyn::log(torvyn::Level::info, std::string(line) + " F");
    readings_++;
  }

  void complete() { torvyn::log(torvyn::Level::info, std::to_string(readings_) + " readings"); }

 private:
  std::uint64_t readings_ = 0;
};

TORVYN_SINK(Report)
