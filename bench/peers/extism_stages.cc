// Extism: three plug-ins called one after the other through its C library, payloads going in and out through its own memory.
//
//   extism_stages SIZE COUNT RUN LIBRARY STAGE.wasm
#include <dlfcn.h>

#include <fstream>
#include <iterator>
#include <string>

#include "bench/peers/work.h"

namespace torvyn::peers {
namespace {

struct Plugin;  // Extism's

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "extism_stages: %s\n", why.c_str());
  std::exit(1);
}

// The five functions of Extism's C interface that are needed here.
class Extism {
 public:
  explicit Extism(const char* path) : library_(dlopen(path, RTLD_NOW)) {
    if (library_ == nullptr) give_up(dlerror());
    find(make_, "extism_plugin_new");
    find(call_, "extism_plugin_call");
    find(output_size_, "extism_plugin_output_length");
    find(output_, "extism_plugin_output_data");
    find(error_, "extism_plugin_error");
  }

  Plugin* load(const std::vector<std::uint8_t>& module) const {
    char* why = nullptr;
    Plugin* const plugin = make_(module.data(), module.size(), nullptr, 0, false, &why);
    if (plugin == nullptr) give_up(why != nullptr ? why : "a plug-in cannot be made");
    return plugin;
  }

  // What it returns is valid until the plug-in's next call.
  std::pair<const std::uint8_t*, std::size_t> call(Plugin* plugin, const char* function, const std::uint8_t* input,
                                                   std::size_t size) const {
    if (call_(plugin, function, input, size) != 0) {
      const char* const why = error_(plugin);
      give_up(why != nullptr ? why : function);
    }
    return {output_(plugin), output_size_(plugin)};
  }

 private:
  template <typename Function>
  void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(library_, name));
    if (function == nullptr) give_up(std::string("the library has no ") + name);
  }

  void* library_;
  Plugin* (*make_)(const std::uint8_t*, std::uint64_t, const void**, std::uint64_t, bool, char**) = nullptr;
  std::int32_t (*call_)(Plugin*, const char*, const std::uint8_t*, std::uint64_t) = nullptr;
  std::uint64_t (*output_size_)(Plugin*) = nullptr;
  const std::uint8_t* (*output_)(Plugin*) = nullptr;
  const char* (*error_)(Plugin*) = nullptr;
};

}  // namespace
}  // namespace torvyn::peers

int main(int argc, char** argv) {
  using namespace torvyn::peers;
  const Task task = read_task(argc, argv);
  if (argc != 6) give_up("usage: extism_stages SIZE COUNT RUN LIBRARY STAGE.wasm");
  std::ifstream file(argv[5], std::ios::binary);
  const std::vector<std::uint8_t> module{std::istreambuf_iterator<char>(file), {}};
  const Extism extism(argv[4]);
  Plugin* const source = extism.load(module);
  Plugin* const processor = extism.load(module);
  Plugin* const sink = extism.load(module);

  const std::uint64_t size = task.size;
  Total total;
  // Its source is asked for elements of one size, so a run is its elements back to back.
  for (std::uint64_t left = task.count; left > 0;) {
    const std::uint64_t asked[2] = {size, std::min<std::uint64_t>(task.run, left)};
    const auto made = extism.call(source, "pull", reinterpret_cast<const std::uint8_t*>(asked), sizeof asked);
    const auto changed = extism.call(processor, "process", made.first, made.second);
    const auto seen = extism.call(sink, "push", changed.first, changed.second);
    if (seen.second != 0) give_up("the sink said something");
    for (std::size_t at = 0; at < changed.second; at += size) total.add(changed.first + at, size);
    left -= asked[1];
  }
  print(total);
  return 0;
}
