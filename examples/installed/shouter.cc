// Every line of the input through a sandboxed component, in a flow of a program that has nothing of Torvyn but what is installed.
//
//   shouter upper.wasm < in.txt
#include <cstdio>
#include <iostream>
#include <string>

#include "torvyn/prelude.h"

int main(int argc, char** argv) {
  const auto plugin = torvyn::Plugin::load(argc > 1 ? argv[1] : "upper.wasm");
  if (!plugin) return std::fprintf(stderr, "%s\n", plugin.error().to_string().c_str()), 1;
  for (std::string line; std::getline(std::cin, line);) {
    const torvyn::PluginAnswer answer = (*plugin)->process(line);
    if (answer.status != torvyn::PluginStatus::ok) return std::fprintf(stderr, "the component gave up\n"), 1;
    for (const auto& output : answer.outputs) std::cout << output.text() << '\n';
  }
}
