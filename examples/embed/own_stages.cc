// A program's own data through a sandboxed component and back: an inlet, a component, and a function that gets the results.
//
//   own_stages upper.wasm
#include <cstdio>

#include "torvyn/prelude.h"

int main(int argc, char** argv) {
  torvyn::FlowBuilder flow("shout");
  const torvyn::Inlet in = flow.inlet("in");
  flow.component("upper", argc > 1 ? argv[1] : "upper.wasm");
  flow.sink("out", [](const torvyn::ElementView& element) -> torvyn::StageResult {
    std::printf("%.*s\n", static_cast<int>(element.text().size()), element.text().data());
    return {};
  });

  const auto host = torvyn::HostBuilder().build();
  if (!host || !(*host)->start()) return 1;
  const auto id = (*host)->start_flow(flow.definition());
  if (!id) return std::fprintf(stderr, "%s\n", id.error().to_string().c_str()), 1;
  for (const char* word : {"hello", "from", "inside"}) in.push(word);
  in.close();
  return (*host)->wait(*id)->state == torvyn::FlowState::completed ? 0 : 1;
}
