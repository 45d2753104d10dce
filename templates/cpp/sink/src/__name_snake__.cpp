// {{name}}: a sink that counts elements and bytes, and logs the sums when the stream is complete.
#include <cstdint>
#include <string>

#include <torvyn/sink.hpp>

class Count {
 public:
  void push(const torvyn::Element& in) {
    elements_++;
    bytes_ += in.size_bytes();
  }

  void complete() { torvyn::log(torvyn::Level::info, report()); }

  std::string report() const { return std::to_string(elements_) + " elements, " + std::to_string(bytes_) + " bytes"; }

 private:
  std::uint64_t elements_ = 0;
  std::uint64_t bytes_ = 0;
};

TORVYN_SINK(Count)
