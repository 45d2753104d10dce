// {{name}}: an aggregator that takes numbers, one an element, and gives their count, smallest, largest and mean at the end of
// the stream. What is no number is an error about that element; the flow in Torvyn.toml skips it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <torvyn/aggregator.hpp>

class Numbers {
 public:
  torvyn::Status ingest(std::string_view line) {
    const std::string text(line);  // strtod needs the zero at its end
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (end == text.c_str()) return torvyn::invalid_input("no number: \"" + text + "\"");
    smallest_ = count_ == 0 ? value : std::min(smallest_, value);
    largest_ = count_ == 0 ? value : std::max(largest_, value);
    sum_ += value;
    count_++;
    return {};
  }

  void flush(torvyn::Output& out) const {
    if (count_ == 0) return;
    out.print("%llu numbers from %g to %g, mean %g\n", static_cast<unsigned long long>(count_), smallest_, largest_,
              sum_ / static_cast<double>(count_));
  }

 private:
  std::uint64_t count_ = 0;
  double sum_ = 0;
  double smallest_ = 0;
  double largest_ = 0;
};

TORVYN_AGGREGATOR(Numbers)
