// `config` alone: what a file says of the runtime.
#include <cstdio>

#include "torvyn/config/runtime_config.h"

int main(int argc, char** argv) {
  const auto runtime = torvyn::config::RuntimeConfig::from_file(argc > 1 ? argv[1] : "Torvyn.toml");
  if (!runtime) return std::fprintf(stderr, "%s\n", runtime.error().to_string().c_str()), 1;
  std::printf("%u elements a call at most, queues of %u\n", runtime->max_batch, runtime->backpressure.queue_depth);
}
