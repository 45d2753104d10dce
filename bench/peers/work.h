// The work that all peers do, as the components of components/c do it: elements "hello 0....\n", "hello 1....\n", … made by a source,
// upper-cased by a processor, and counted by a sink.
#pragma once

#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "components/c/hello-source/hello_lines.h"
#include "components/c/upper/upper_core.h"

namespace torvyn::peers {

// What every peer is told.
struct Task {
  std::size_t size = 0;     // bytes an element; at least hello_text_bytes_max are there to be written to
  std::uint64_t count = 0;  // elements
  std::size_t run = 1;      // elements that are passed on together
};

// The first three words of the command line; ends the process where they are no numbers or out of range.
inline Task read_task(int argc, char** argv) {
  const auto number = [&](int index) -> std::uint64_t {
    char* end = nullptr;
    const std::uint64_t value = index < argc ? std::strtoull(argv[index], &end, 10) : 0;
    if (value == 0 || *end != '\0') {
      std::fprintf(stderr, "usage: %s SIZE COUNT RUN ...\n", argv[0]);
      std::exit(2);
    }
    return value;
  };
  return {.size = number(1), .count = number(2), .run = number(3)};
}

// Makes elements, up to a run of them in one buffer.
class Source {
 public:
  explicit Source(const Task& task) : run_(task.run) {
    hello_start(&hello_, task.count, task.size);
    room_.assign(run_ * hello_element_bytes_max(&hello_), '.');
    ends_.reserve(run_);
  }

  // False at the end. Else bytes() and ends() hold the next run, until the next call.
  bool pull() {
    ends_.clear();
    size_ = 0;
    while (ends_.size() < run_ && hello_.next < hello_.count) {
      size_ += hello_write(&hello_, room_.data() + size_);
      ends_.push_back(static_cast<std::uint32_t>(size_));
    }
    return !ends_.empty();
  }
  [[nodiscard]] const std::uint8_t* bytes() const { return room_.data(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::vector<std::uint32_t>& ends() const { return ends_; }

 private:
  hello_t hello_{};
  std::size_t run_;
  std::vector<std::uint8_t> room_;
  std::size_t size_ = 0;
  std::vector<std::uint32_t> ends_;
};

// What a sink has seen. `upper` holds where each element's first byte was upper case: the work was done.
struct Total {
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
  std::uint64_t upper = 0;

  void add(const std::uint8_t* data, std::size_t size) {
    ++elements;
    bytes += size;
    upper += size > 0 && data[0] == 'H' ? 1 : 0;
  }
};

// The one line that bench/run reads.
inline void print(const Total& total) {
  std::printf("{\"elements\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"upper\": %" PRIu64 "}\n", total.elements,
              total.bytes, total.upper);
}

}  // namespace torvyn::peers
