#include "torvyn/contracts/wasm_contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace torvyn::contracts {
namespace {

constexpr std::size_t header_bytes = 8;
// Deeper than any tool nests components: more is an attack on the stack.
constexpr int depth_max = 32;
constexpr std::uint64_t page_bytes = 65536;

enum CoreSection : std::uint8_t { core_custom = 0, core_function = 3, core_memory = 5, core_code = 10, core_data = 11 };
enum ComponentSection : std::uint8_t { component_custom = 0, component_module = 1, component_component = 4 };

// Bytes that are taken from the front. Taking more than there are is remembered and gives zeros: one question at the end is enough.
class Cursor {
 public:
  explicit Cursor(std::span<const std::uint8_t> bytes) noexcept : bytes_(bytes) {}

  bool empty() const noexcept { return bytes_.empty(); }
  bool failed() const noexcept { return failed_; }

  std::uint8_t byte() noexcept {
    const auto taken = take(1);
    return taken.empty() ? std::uint8_t{0} : taken.front();
  }

  // LEB128, of at most 64 bits.
  std::uint64_t number() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 0x7fU} << shift;
      if ((next & 0x80U) == 0) return value;
    }
    failed_ = true;
    return 0;
  }

  std::span<const std::uint8_t> take(std::uint64_t count) noexcept {
    if (count > bytes_.size()) {
      failed_ = true;
      bytes_ = {};
      return {};
    }
    const auto taken = bytes_.first(static_cast<std::size_t>(count));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

  std::string_view text() noexcept {
    const auto bytes = take(number());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  std::size_t left() const noexcept { return bytes_.size(); }

 private:
  std::span<const std::uint8_t> bytes_;
  bool failed_ = false;
};

std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b) noexcept {
  return b != 0 && a > std::numeric_limits<std::uint64_t>::max() / b ? std::numeric_limits<std::uint64_t>::max()
                                                                     : a * b;
}

// What a language calls itself in "language", and by which tools it is known where it keeps silent. First match wins.
struct LanguageMark {
  std::string_view field;
  std::string_view prefix;  // of the producer's name
  std::string_view language;
};
// Runtimes that are written in another language: their mark may stand anywhere in the file.
constexpr std::array runtime_marks = std::to_array<LanguageMark>({
    {"processed-by", "componentize-py", "Python"},
    {"language", "Python", "Python"},
    {"processed-by", "ComponentizeJS", "JavaScript"},
    {"processed-by", "componentize-js", "JavaScript"},
    {"language", "JavaScript", "JavaScript"},
});
// Of the module that brings the memory: those beside it are adapters, in a language of their own.
constexpr std::array module_marks = std::to_array<LanguageMark>({
    {"processed-by", "TinyGo", "Go"},
    {"processed-by", "Go cmd/compile", "Go"},
    {"language", "Go", "Go"},
    {"language", "C_plus_plus", "C++"},
    {"language", "Rust", "Rust"},
    {"processed-by", "rustc", "Rust"},
    {"language", "C", "C"},
});

using Producers = std::set<Producer>;

std::string_view marked(std::span<const LanguageMark> marks, const Producers& producers) {
  for (const LanguageMark& mark : marks) {
    const auto is_marked = [&mark](const Producer& producer) {
      return producer.field == mark.field && producer.name.starts_with(mark.prefix);
    };
    if (std::ranges::any_of(producers, is_marked)) return mark.language;
  }
  return {};
}

class Reader {
 public:
  Status read(std::span<const std::uint8_t> bytes, int depth) {
    if (depth > depth_max) return fail(ErrorCode::not_a_component, "components are nested too deeply in each other");
    if (bytes.size() < header_bytes) return broken("a header");
    const bool is_component = bytes[6] == 1;
    return is_component ? read_component(bytes, depth) : read_module(bytes);
  }

  WasmContents finish() {
    for (auto& [name, bytes] : section_bytes_) contents_.sections.push_back({.name = name, .bytes = bytes});
    std::ranges::sort(contents_.sections, [](const SectionSize& left, const SectionSize& right) {
      return left.bytes != right.bytes ? left.bytes > right.bytes : left.name < right.name;
    });
    contents_.producers.assign(producers_.begin(), producers_.end());
    std::string_view language = marked(runtime_marks, producers_);
    if (language.empty()) language = marked(module_marks, main_producers_);
    contents_.language = language;
    return std::move(contents_);
  }

 private:
  static std::unexpected<Error> broken(std::string_view what) {
    return fail(ErrorCode::not_a_component, fmt::format("the file ends within {}", what), "build or copy it again");
  }

  void count(std::string_view name, std::uint64_t bytes) { section_bytes_[std::string(name)] += bytes; }

  Status read_component(std::span<const std::uint8_t> bytes, int depth) {
    count("component", header_bytes);
    Cursor cursor(bytes.subspan(header_bytes));
    while (!cursor.empty()) {
      const std::size_t before = cursor.left();
      const std::uint8_t id = cursor.byte();
      const auto body = cursor.take(cursor.number());
      if (cursor.failed()) return broken("a section of a component");
      const std::uint64_t whole = before - cursor.left();
      if (id == component_module || id == component_component) {
        count("component", whole - body.size());
        TORVYN_TRY(read(body, depth + 1));
      } else if (id == component_custom) {
        read_custom(body, whole, nullptr, producers_);
      } else {
        count("component", whole);
      }
    }
    return {};
  }

  Status read_module(std::span<const std::uint8_t> bytes) {
    CoreModule module{.name = {}, .size_bytes = bytes.size()};
    Producers producers;
    const std::size_t memories_before = contents_.memories.size();
    count("modules", header_bytes);
    Cursor cursor(bytes.subspan(header_bytes));
    while (!cursor.empty()) {
      const std::size_t before = cursor.left();
      const std::uint8_t id = cursor.byte();
      const auto body = cursor.take(cursor.number());
      if (cursor.failed()) return broken("a section of a module");
      const std::uint64_t whole = before - cursor.left();
      switch (id) {
        case core_custom:
          read_custom(body, whole, &module, producers);
          break;
        case core_code:
          if (!holds_its_functions(body)) return broken("a function of a module");
          module.code_bytes += whole;
          count("code", whole);
          break;
        case core_data:
          module.data_bytes += whole;
          count("data", whole);
          break;
        case core_function:
          module.functions += Cursor(body).number();
          count("modules", whole);
          break;
        case core_memory:
          read_memories(Cursor(body));
          count("modules", whole);
          break;
        default:
          count("modules", whole);
      }
    }
    if (contents_.memories.size() > memories_before) main_producers_.insert(producers.begin(), producers.end());
    producers_.merge(producers);
    contents_.modules.push_back(std::move(module));
    return {};
  }

  static bool holds_its_functions(std::span<const std::uint8_t> code) noexcept {
    Cursor cursor(code);
    for (std::uint64_t left = cursor.number(); left != 0 && !cursor.failed(); --left)
      std::ignore = cursor.take(cursor.number());
    return !cursor.failed();
  }

  // Custom sections may hold anything: one that cannot be read is counted, and that is all.
  void read_custom(std::span<const std::uint8_t> body, std::uint64_t whole, CoreModule* module, Producers& producers) {
    Cursor cursor(body);
    const std::string_view name = cursor.text();
    if (name == "name" || name == "component-name") {
      if (module != nullptr) module->name = module_name(cursor);
      count("names", whole);
    } else if (name.starts_with(".debug_")) {
      count("debug", whole);
    } else {
      if (name == "producers") read_producers(cursor, producers);
      count(fmt::format("custom {}", name), whole);
    }
  }

  static std::string module_name(Cursor cursor) {
    while (!cursor.empty()) {
      const std::uint8_t id = cursor.byte();
      Cursor subsection(cursor.take(cursor.number()));
      if (id == 0) return std::string(subsection.text());
    }
    return {};
  }

  static void read_producers(Cursor cursor, Producers& producers) {
    for (std::uint64_t fields = cursor.number(); fields != 0 && !cursor.failed(); --fields) {
      const std::string_view field = cursor.text();
      for (std::uint64_t values = cursor.number(); values != 0 && !cursor.failed(); --values) {
        const std::string_view name = cursor.text();
        const std::string_view version = cursor.text();
        if (cursor.failed()) return;
        producers.insert({.field = std::string(field), .name = std::string(name), .version = std::string(version)});
      }
    }
  }

  void read_memories(Cursor cursor) {
    constexpr std::uint8_t has_maximum = 1;
    constexpr std::uint8_t has_page_size = 8;
    for (std::uint64_t memories = cursor.number(); memories != 0; --memories) {
      const std::uint8_t flags = cursor.byte();
      const std::uint64_t initial = cursor.number();
      const std::uint64_t maximum = (flags & has_maximum) != 0 ? cursor.number() : 0;
      const std::uint64_t page_bits = (flags & has_page_size) != 0 ? std::min<std::uint64_t>(cursor.number(), 16) : 16;
      if (cursor.failed()) return;
      const std::uint64_t page = std::min(page_bytes, std::uint64_t{1} << page_bits);
      CoreMemory memory{.initial_bytes = saturating_product(initial, page), .maximum_bytes = std::nullopt};
      if ((flags & has_maximum) != 0) memory.maximum_bytes = saturating_product(maximum, page);
      contents_.memories.push_back(memory);
    }
  }

  std::map<std::string, std::uint64_t> section_bytes_;
  Producers producers_;       // of the whole file
  Producers main_producers_;  // of modules with a memory
  WasmContents contents_;
};

}  // namespace

Result<WasmContents> read_wasm_contents(std::span<const std::uint8_t> wasm) {
  Reader reader;
  TORVYN_TRY(reader.read(wasm, 0));
  return reader.finish();
}

}  // namespace torvyn::contracts
