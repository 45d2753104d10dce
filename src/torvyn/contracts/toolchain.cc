#include "torvyn/contracts/toolchain.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

// 19 first: the one that Debian's WASI libraries are packaged for.
constexpr std::array clang_names = {"clang-19", "clang-20", "clang-21", "clang-22", "clang-18", "clang-17", "clang"};

constexpr const char* install_hint =
    "apt-get install clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32 libc++-19-dev-wasm32 libc++abi-19-dev-wasm32\n"
    "another clang that targets wasm32-wasi, a WASI SDK's for instance, is taken from $TORVYN_CLANG";

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<CompilerError> first_compiler_error(std::string_view output) {
  while (!output.empty()) {
    const std::size_t end = output.find('\n');
    const std::string_view line = output.substr(0, end);
    output.remove_prefix(end == std::string_view::npos ? output.size() : end + 1);

    for (const std::string_view marker : {": error: ", ": fatal error: "}) {
      const std::size_t at = line.find(marker);
      if (at == std::string_view::npos) continue;
      CompilerError error;
      error.message = line.substr(at + marker.size());
      // "file:line:column", or a tool's name.
      const std::string_view place = line.substr(0, at);
      const std::size_t second = place.rfind(':');
      const std::size_t first =
          second == 0 || second == std::string_view::npos ? std::string_view::npos : place.rfind(':', second - 1);
      if (first != std::string_view::npos) {
        const auto row = number(place.substr(first + 1, second - first - 1));
        const auto column = number(place.substr(second + 1));
        if (row && column) {
          error.file = place.substr(0, first);
          error.line = *row;
          error.column = *column;
        }
      }
      return error;
    }
  }
  return std::nullopt;
}

std::vector<fs::path> parse_depfile(std::string_view text) {
  std::vector<fs::path> paths;
  std::string path;
  const auto finish = [&] {
    if (!path.empty()) paths.emplace_back(std::exchange(path, {}));
  };
  const std::size_t colon = text.find(": ");
  if (colon == std::string_view::npos) return paths;
  for (std::size_t i = colon + 1; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '\\' && next == '\n') {
      finish();
      ++i;
    } else if ((text[i] == '\\' && (next == ' ' || next == '#')) || (text[i] == '$' && next == '$')) {
      path += next;
      ++i;
    } else if (text[i] == ' ' || text[i] == '\n') {
      finish();
    } else {
      path += text[i];
    }
  }
  finish();
  return paths;
}

Result<Toolchain> Toolchain::find() {
  if (const char* const named = std::getenv("TORVYN_CLANG"); named != nullptr && *named != '\0') {
    if (std::strchr(named, '/') != nullptr) {
      if (is_program(named)) return Toolchain(named);
    } else if (auto found = find_on_path(named)) {
      return Toolchain(*std::move(found));
    }
    return fail(ErrorCode::tool_missing,
                fmt::format("TORVYN_CLANG names `{}`, which is no program that can be run", named),
                "let it name a clang that targets wasm32-wasi, or unset it");
  }
  if (const char* const sdk = std::getenv("WASI_SDK_PATH"); sdk != nullptr && *sdk != '\0') {
    const fs::path clang = fs::path(sdk) / "bin" / "clang";
    if (is_program(clang)) return Toolchain(clang.string());
  }
  for (const std::string_view name : clang_names) {
    if (auto found = find_on_path(name)) return Toolchain(*std::move(found));
  }
  return fail(ErrorCode::tool_missing, "no clang was found, which compiles C and C++ to WebAssembly", install_hint);
}

std::optional<Error> Toolchain::missing_part(bool cxx) const {
  // clang prints the path of what it finds and repeats the bare name of what it doesn't.
  const auto has = [this](const std::string& question) {
    const std::array<std::string, 4> command = {clang_, target, "--rtlib=compiler-rt", question};
    const auto answer = run_command(command);
    if (!answer || !answer->ok()) return false;
    const std::string path = answer->output.substr(0, answer->output.find('\n'));
    std::error_code ignored;
    return path.find('/') != std::string::npos ? fs::exists(path, ignored) : find_on_path(path).has_value();
  };
  const auto missing = [this](std::string_view what) {
    return Error(ErrorCode::tool_missing, fmt::format("`{}` finds no {} for wasm32-wasi", clang_, what), install_hint);
  };
  if (!has("--print-file-name=crt1-reactor.o")) return missing("C library");
  if (!has("--print-libgcc-file-name")) return missing("compiler runtime");
  if (!has("--print-prog-name=wasm-ld")) return missing("linker");
  if (cxx && !has("--print-file-name=libc++.a")) return missing("C++ library");
  return std::nullopt;
}

}  // namespace torvyn::contracts
