// `engine` alone: what a component exports.
#include <cstdio>

#include "torvyn/engine/engine.h"

int main(int argc, char** argv) {
  torvyn::engine::EngineOptions options;
  options.max_instances = 1;
  const auto engine = torvyn::engine::WasmEngine::create(options);
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().to_string().c_str()), 1;
  const auto component = (*engine)->load(argc > 1 ? argv[1] : "upper.wasm");
  if (!component) return std::fprintf(stderr, "%s\n", component.error().to_string().c_str()), 1;
  for (const auto& exported : (*component)->info().exports) std::printf("%s\n", exported.name.c_str());
}
