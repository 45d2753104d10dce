// Counts what the hot paths allocate. The counter replaces the global operator new of this test program; not inlined, or
// GCC sees malloc meet delete.
#include <atomic>
#include <cstdlib>
#include <new>

#include "torvyn/connectors/test_stages.h"

namespace {
std::atomic<std::uint64_t> allocations{0};
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace torvyn::connectors {
namespace {

using reactor::StageStatus;

class Allocations : public StageTest {
 protected:
  // Runs source → sink to the end, and gives the allocations made after the first tenth of the elements.
  std::uint64_t count(reactor::Stage& source, reactor::Stage& sink, std::uint64_t elements) {
    resources::Run run;
    std::uint64_t passed = 0;
    std::uint64_t before = 0;
    for (StageStatus status = StageStatus::ok; status == StageStatus::ok;) {
      if (passed < elements / 10) before = allocations.load();
      status = source.pull({}, run).status;
      passed += run.size();
      if (sink.push(run).status != StageStatus::ok) break;
      resources::clear_run(run);
    }
    const std::uint64_t after = allocations.load();
    EXPECT_EQ(passed, elements);
    return after - before;
  }
};

TEST_F(Allocations, AreCounted) {
  const std::uint64_t before = allocations.load();
  const auto something = std::make_unique<int>(1);
  EXPECT_GT(allocations.load(), before);
}

TEST_F(Allocations, AreNoneFromFileToFile) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "line " + std::to_string(i) + "\r\n";
  write_file("in", text);
  const auto source = started(Position::source, "file", {{"", "in"}});
  const auto sink = started(Position::sink, "file", {{"", "out"}});
  EXPECT_EQ(count(*source, *sink, 50'000), 0U);
}

TEST_F(Allocations, AreNoneForLinesOfManyBlocks) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += std::string(300'000, 'x') + "\n";
  write_file("in", text);
  const auto source = started(Position::source, "file", {{"", "in"}});
  const auto sink = started(Position::sink, "null");
  EXPECT_EQ(count(*source, *sink, 40), 0U);
}

TEST_F(Allocations, AreNoneFromGenerateToNull) {
  const auto source = started(Position::source, "generate", {{"", "50000"}});
  const auto sink = started(Position::sink, "null");
  EXPECT_EQ(count(*source, *sink, 50'000), 0U);
}

TEST_F(Allocations, AreNoneFromStdinToStdout) {
  Pipe pipe;
  context_.stdin_fd = pipe.read_end();
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(null, 0);
  context_.stdout_fd = null;
  const auto source = started(Position::source, "stdin");
  const auto sink = started(Position::sink, "stdout");
  const std::string line = "some line\n";
  std::thread writer([&] {
    for (int i = 0; i < 20'000; ++i) pipe.write(line);
    pipe.close_write_end();
  });
  EXPECT_EQ(count(*source, *sink, 20'000), 0U);
  writer.join();
  close(null);
}

}  // namespace
}  // namespace torvyn::connectors
