// Any bytes are a component that can be described, compiled and looked at, or an error that says why not. Nothing is instantiated.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "torvyn/contracts/wit_model.h"
#include "torvyn/engine/engine.h"

namespace {

using namespace torvyn;

[[noreturn]] void broken(const char* what, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.to_string().c_str());
  std::abort();
}

// An error of the host's own is a panic inside the bridge.
void expect_word(const Error& error) {
  if (error.code() == ErrorCode::internal_error) broken("bytes made the engine panic", error);
  if (error.message().empty()) broken("bytes were refused without a word", error);
}

engine::Engine& the_engine() {
  static const std::unique_ptr<engine::Engine> engine = [] {
    Result<std::unique_ptr<engine::Engine>> made =
        engine::WasmEngine::create({.max_instances = 1, .cache_directory = {}, .events = nullptr});
    if (!made) broken("no engine", made.error());
    return *std::move(made);
  }();
  return *engine;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
  const Result<contracts::WitModel> model = contracts::read_component({data, length}, "fuzz.wasm");
  if (!model) expect_word(model.error());
  const Result<std::shared_ptr<engine::Component>> component = the_engine().compile({data, length}, "fuzz.wasm");
  if (!component) {
    expect_word(component.error());
    return 0;
  }
  const engine::ComponentInfo& info = (*component)->info();
  for (const engine::StageInfo& stage : info.stages)
    if (info.find_stage(stage.role) == nullptr) std::abort();
  if (const Status imports = (*component)->check_imports(); !imports) expect_word(imports.error());
  return 0;
}
