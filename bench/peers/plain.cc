// Plain C++: three stages behind virtual functions in one process, with the same four copies as the contract's: a stage writes from its own
// memory to the host's buffer and reads from that into its own. What sandboxing, typed contracts and everything else is held against.
//
//   plain SIZE COUNT RUN
#include <memory>

#include "bench/peers/work.h"

namespace torvyn::peers {
namespace {

// The host's side of a run.
struct Buffer {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint32_t> ends;

  void write(const std::uint8_t* from, std::size_t size, const std::vector<std::uint32_t>& their_ends) {
    if (bytes.size() < size) bytes.resize(size);
    std::memcpy(bytes.data(), from, size);
    ends = their_ends;
  }
};

class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;
  // False at the end of the stream.
  virtual bool call(const Buffer& input, Buffer& output) = 0;
};

class SourceStage final : public Stage {
 public:
  explicit SourceStage(const Task& task) : source_(task) {}
  bool call(const Buffer& /*input*/, Buffer& output) override {
    if (!source_.pull()) return false;
    output.write(source_.bytes(), source_.size(), source_.ends());
    return true;
  }

 private:
  Source source_;
};

class UpperStage final : public Stage {
 public:
  bool call(const Buffer& input, Buffer& output) override {
    own_.write(input.bytes.data(), input.ends.back(), input.ends);
    upper(own_.bytes.data(), own_.ends.back());
    output.write(own_.bytes.data(), own_.ends.back(), own_.ends);
    return true;
  }

 private:
  Buffer own_;
};

class CountStage final : public Stage {
 public:
  explicit CountStage(Total& total) : total_(total) {}
  bool call(const Buffer& input, Buffer& /*output*/) override {
    own_.write(input.bytes.data(), input.ends.back(), input.ends);
    std::size_t begin = 0;
    for (const std::uint32_t end : own_.ends) {
      total_.add(own_.bytes.data() + begin, end - begin);
      begin = end;
    }
    return true;
  }

 private:
  Total& total_;
  Buffer own_;
};

}  // namespace
}  // namespace torvyn::peers

int main(int argc, char** argv) {
  using namespace torvyn::peers;
  const Task task = read_task(argc, argv);
  Total total;
  const std::unique_ptr<Stage> source = std::make_unique<SourceStage>(task);
  const std::unique_ptr<Stage> processor = std::make_unique<UpperStage>();
  const std::unique_ptr<Stage> sink = std::make_unique<CountStage>(total);
  const Buffer none;
  Buffer first;
  Buffer second;
  Buffer unused;
  while (source->call(none, first)) {
    processor->call(first, second);
    sink->call(second, unused);
  }
  print(total);
  return 0;
}
