#include "torvyn/contracts/language_tools.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include "torvyn/contracts/run_command.h"
#include "torvyn/contracts/toolchain.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> languages = {"c", "cpp", "rust", "go", "python", "javascript"};

// clang 16 is the first that makes components of wasi-libc's C without further flags; Go 1.24 the first with //go:wasmexport.
constexpr unsigned clang_major = 16;
constexpr unsigned go_major = 1, go_minor = 24;
constexpr unsigned python_major = 3, python_minor = 9;
constexpr unsigned node_major = 18;

constexpr std::string_view apt = "apt-get install --no-install-recommends -y ";

// A path as it is, a name from the PATH. Nothing where there is no such program.
std::optional<std::string> find_program(std::string_view name) {
  if (!name.contains('/')) return find_on_path(name);
  std::error_code ignored;
  return fs::is_regular_file(name, ignored) ? std::optional<std::string>(name) : std::nullopt;
}

constexpr std::string_view python_packages = "python3 python3-venv";

// The first line that a command prints; empty where it cannot be run or fails.
std::string first_line(std::vector<std::string> command) {
  const auto found = find_program(command.front());
  if (!found) return {};
  command.front() = *found;
  const auto result = run_command(command);
  if (!result || !result->ok()) return {};
  return result->output.substr(0, result->output.find('\n'));
}

std::string place_and_version(const std::string& program, std::string_view version_line) {
  const std::string_view version = first_version(version_line);
  return version.empty() ? program : fmt::format("{} ({})", program, version);
}

ToolCheck missing(std::string_view tool, std::string_view problem, std::string_view packages) {
  return {.tool = std::string(tool),
          .found = {},
          .problem = std::string(problem),
          .install = fmt::format("{}{}", apt, packages),
          .needs_root = true};
}

constexpr std::string_view c_packages =
    "clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32 libc++-19-dev-wasm32 libc++abi-19-dev-wasm32";

std::vector<ToolCheck> check_c(bool cxx) {
  const auto toolchain = Toolchain::find();
  if (!toolchain) return {missing("clang", toolchain.error().message(), c_packages)};
  const std::string version = first_line({toolchain->clang(), "--version"});
  ToolCheck clang{
      .tool = "clang", .found = place_and_version(toolchain->clang(), version), .problem = {}, .install = {}};
  if (!version_at_least(version, clang_major, 0)) {
    clang.problem = fmt::format("clang {} or later is needed", clang_major);
    clang.install = fmt::format("{}{}", apt, c_packages);
    clang.needs_root = true;
    return {std::move(clang)};
  }
  constexpr std::string_view parts = "C library, runtime and linker for WebAssembly";
  if (const auto part = toolchain->missing_part(cxx))
    return {std::move(clang), missing(cxx ? "C and C++ libraries, runtime and linker for WebAssembly" : parts,
                                      part->message(), c_packages)};
  return {std::move(clang)};
}

// rustup's, with the target; else Debian's, whose standard library is built from source.
std::vector<ToolCheck> check_rust() {
  constexpr std::string_view tool = "Rust for WebAssembly";
  constexpr std::string_view packages = "rustc-web cargo-web rust-web-src lld-19";
  const auto sysroot_of = [](const std::string& rustc) { return first_line({rustc, "--print", "sysroot"}); };
  const auto found = [&](const std::string& rustc) {
    return ToolCheck{.tool = std::string(tool),
                     .found = place_and_version(rustc, first_line({rustc, "--version"})),
                     .problem = {},
                     .install = {}};
  };
  const auto rustc = find_program("rustc");
  std::error_code ignored;
  if (rustc && find_program("cargo") &&
      fs::is_directory(fs::path(sysroot_of(*rustc)) / "lib/rustlib/wasm32-unknown-unknown/lib", ignored))
    return {found(*rustc)};

  const std::string debians = "/usr/bin/rustc";
  if (find_program(debians) && find_program("/usr/bin/cargo") &&
      fs::exists(fs::path(sysroot_of(debians)) / "lib/rustlib/src/rust/library/Cargo.toml", ignored)) {
    if (find_program("wasm-ld-19") || find_program("wasm-ld") || find_program("rust-lld")) return {found(debians)};
    return {found(debians), missing("linker for WebAssembly", "there is none on the PATH", "lld-19")};
  }
  ToolCheck check = missing(tool, "there is no Rust that compiles to wasm32-unknown-unknown", packages);
  if (find_program("rustup")) {
    check.install = "rustup target add wasm32-unknown-unknown";
    check.needs_root = false;
  }
  return {std::move(check)};
}

// A program that has to be there in some version, with what Debian calls it.
ToolCheck check_program(std::string_view name, unsigned major, unsigned minor, std::string_view packages) {
  const auto program = find_program(name);
  const std::string wanted =
      minor == 0 ? fmt::format("{} {}", name, major) : fmt::format("{} {}.{}", name, major, minor);
  if (!program)
    return missing(name, fmt::format("there is no `{}` on the PATH; {} or later is needed", name, wanted), packages);
  const std::string version = first_line({*program, "--version"});
  ToolCheck check{
      .tool = std::string(name), .found = place_and_version(*program, version), .problem = {}, .install = {}};
  if (version_at_least(version, major, minor)) return check;
  check.problem = fmt::format("{} or later is needed", wanted);
  check.install = fmt::format("{}{}", apt, packages);
  check.needs_root = true;
  return check;
}

std::vector<ToolCheck> check_python() {
  std::vector<ToolCheck> checks = {check_program("python3", python_major, python_minor, python_packages)};
  if (checks.front().ok() && first_line({"python3", "-c", "import ensurepip, venv; print(venv.__file__)"}).empty())
    checks.push_back(missing("venv", "this Python cannot make virtual environments", python_packages));
  return checks;
}

// A tool that a build fetches from Python's package index, where the machine has none or an old one: then a Python that can do that is
// all that is needed.
std::vector<ToolCheck> or_fetched(std::vector<ToolCheck> checks, std::string_view what) {
  if (std::ranges::all_of(checks, &ToolCheck::ok) || !std::ranges::all_of(check_python(), &ToolCheck::ok))
    return checks;
  return {
      {.tool = std::string(what), .found = "fetched by the first build that needs it", .problem = {}, .install = {}}};
}

std::vector<ToolCheck> check_go() {
  const char* const named = std::getenv("TORVYN_GO");
  const std::string program = named != nullptr && *named != '\0' ? named : "go";
  const auto go = find_program(program);
  if (!go)
    return {missing("go",
                    fmt::format("there is no `{}`; go {}.{} or later is needed, or a Python that can fetch it", program,
                                go_major, go_minor),
                    python_packages)};
  const std::string version = first_line({*go, "version"});
  ToolCheck check{.tool = "go", .found = place_and_version(*go, version), .problem = {}, .install = {}};
  if (version_at_least(version, go_major, go_minor)) return {std::move(check)};
  check.problem = fmt::format("go {}.{} or later is needed, or a Python that can fetch it", go_major, go_minor);
  check.install = fmt::format("{}{}", apt, python_packages);
  check.needs_root = true;
  return {std::move(check)};
}

std::vector<ToolCheck> check_javascript() {
  return {check_program("node", node_major, 0, "nodejs npm"), check_program("npm", 1, 0, "nodejs npm")};
}

}  // namespace

std::span<const std::string_view> build_languages() noexcept { return languages; }

std::string_view language_of_extension(std::string_view extension) noexcept {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> endings = {{{".c", "c"},
                                                                                             {".cc", "cpp"},
                                                                                             {".cpp", "cpp"},
                                                                                             {".cxx", "cpp"},
                                                                                             {".rs", "rust"},
                                                                                             {".go", "go"},
                                                                                             {".py", "python"},
                                                                                             {".js", "javascript"},
                                                                                             {".mjs", "javascript"},
                                                                                             {".ts", "javascript"}}};
  for (const auto& [ending, language] : endings)
    if (ending == extension) return language;
  return {};
}

std::vector<ToolCheck> check_tools(std::string_view language) {
  if (language == "c") return check_c(false);
  if (language == "cpp") return check_c(true);
  if (language == "rust") return check_rust();
  if (language == "go") return or_fetched(check_go(), "go");
  if (language == "python") return check_python();
  return or_fetched(check_javascript(), "node");
}

std::string_view first_version(std::string_view text) noexcept {
  const auto is_digit = [](char byte) { return byte >= '0' && byte <= '9'; };
  for (std::size_t start = 0; start < text.size(); ++start) {
    if (!is_digit(text[start])) continue;
    std::size_t end = start;
    int dots = 0;
    while (end < text.size() &&
           (is_digit(text[end]) || (text[end] == '.' && end + 1 < text.size() && is_digit(text[end + 1])))) {
      if (text[end] == '.') ++dots;
      ++end;
    }
    if (dots > 0) return text.substr(start, end - start);
    start = end;
  }
  return {};
}

bool version_at_least(std::string_view version, unsigned major, unsigned minor) noexcept {
  const std::string_view digits = first_version(version);
  unsigned have_major = 0;
  unsigned have_minor = 0;
  const char* const begin = digits.data();
  const char* const end = begin + digits.size();
  const auto [dot, error] = std::from_chars(begin, end, have_major);
  if (error != std::errc() || dot == end) return false;
  std::from_chars(dot + 1, end, have_minor);
  return std::pair(have_major, have_minor) >= std::pair(major, minor);
}

}  // namespace torvyn::contracts
