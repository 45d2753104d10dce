// What large payloads cost beside memcpy, and how soon a pipeline works once its process has started.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "bench/graph_cases.h"

namespace torvyn::bench {

// hello-source → copies → count-sink: four copies of `size` bytes an element, of which `count` are measured.
Found bandwidth_case(Task& task) {
  const std::uint64_t size = task.settings.number("size", 65'536);
  const std::uint64_t count = task.settings.number("count", 8'000);
  config::FlowConfig flow;
  flow.name = "bench";
  add_node(flow, "components/hello-source.wasm", {{"size", std::to_string(size)}, {"count", "1000000000"}});
  add_node(flow, "tests/components/copies.wasm");
  add_node(flow, "components/count-sink.wasm");
  const std::unique_ptr<host::Host> host = make_host(task, static_cast<std::uint32_t>(task.settings.number("run", 64)));
  run_flow(*host, flow, {.elements_max = 640});  // what happens once in a process
  const FlowCost few = run_flow(*host, flow, {.elements_max = 640});
  const FlowCost many = run_flow(*host, flow, {.elements_max = 640 + count});
  if (many.elements - few.elements != count) give_up("not all elements arrived");
  return difference(many, few);
}

// The same bytes by four calls of memcpy an element, through five buffers.
Found memcpy_case(Task& task) {
  const std::uint64_t size = task.settings.number("size", 65'536);
  const std::uint64_t count = task.settings.number("count", 8'000);
  std::array<std::vector<char>, 5> buffers;
  for (std::vector<char>& buffer : buffers) buffer.assign(size, '.');
  const auto copy_all = [&](std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) {
      buffers.front().front() = static_cast<char>(i);  // so that no copy can be left out
      for (std::size_t at = 1; at < buffers.size(); ++at) std::memcpy(buffers[at].data(), buffers[at - 1].data(), size);
      // The compiler must believe that somebody reads them.
      for (std::vector<char>& buffer : buffers) asm volatile("" : : "r"(buffer.data()) : "memory");
    }
  };
  copy_all(64);
  const std::uint64_t wall_before_ns = wall_ns();
  const std::uint64_t cpu_before_ns = cpu_ns();
  copy_all(count);
  const std::uint64_t cpu_after_ns = cpu_ns();
  const std::uint64_t wall_after_ns = wall_ns();
  return {{"elements", count},
          {"wall_ns", wall_after_ns - wall_before_ns},
          {"cpu_ns", cpu_after_ns - cpu_before_ns},
          {"host_allocations", 0},
          {"copies", 4 * count},
          {"copied_bytes", 4 * count * size}};
}

// `times` times: `torvyn run` of three cached components as a new process, from its start to the first byte that the pipeline writes, and to
// its end.
Found start_case(Task& task) {
  const std::uint64_t times = task.settings.number("times", 20);
  const std::string torvyn = task.build / "torvyn";
  const std::string stages = task.build / "components";
  const std::string pipeline = stages + "/hello-source.wasm count=1 ! " + stages + "/upper.wasm ! " + stages +
                               "/grep.wasm pattern=HELLO ! stdout";
  const std::string cache = "TORVYN_CACHE_DIR=" + (task.build / "bench" / "compiled").string();

  std::vector<std::string> environment_words{cache};
  for (char** word = environ; *word != nullptr; ++word) environment_words.emplace_back(*word);
  std::vector<char*> environment;
  for (std::string& word : environment_words) environment.push_back(word.data());
  environment.push_back(nullptr);

  std::vector<std::uint64_t> first_ns;
  std::vector<std::uint64_t> end_ns;
  for (std::uint64_t i = 0; i <= times; ++i) {  // the first compiles, or finds what an earlier one compiled
    std::array<int, 2> out{};
    if (pipe2(out.data(), O_CLOEXEC) != 0) give_up("no pipe");
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::array<std::string, 3> words{torvyn, "run", pipeline};
    std::array<char*, 4> arguments{words[0].data(), words[1].data(), words[2].data(), nullptr};
    const std::uint64_t began_ns = wall_ns();
    pid_t process = 0;
    if (posix_spawn(&process, torvyn.c_str(), &actions, nullptr, arguments.data(), environment.data()) != 0)
      give_up("cannot start " + torvyn);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    std::array<char, 256> text{};
    const ssize_t size = read(out[0], text.data(), text.size());
    const std::uint64_t first_at_ns = wall_ns();
    int status = 0;
    if (waitpid(process, &status, 0) != process || status != 0) give_up("torvyn run failed: " + pipeline);
    const std::uint64_t end_at_ns = wall_ns();
    close(out[0]);
    if (size < 5 || std::string_view(text.data(), 5) != "HELLO") give_up("the first element did not arrive");
    if (i == 0) continue;
    first_ns.push_back(first_at_ns - began_ns);
    end_ns.push_back(end_at_ns - began_ns);
  }
  return {{"times", times},
          {"first_p50_ns", quantile(first_ns, 0.5)},
          {"first_max_ns", quantile(first_ns, 1)},
          {"end_p50_ns", quantile(end_ns, 0.5)},
          {"end_max_ns", quantile(end_ns, 1)}};
}

}  // namespace torvyn::bench
