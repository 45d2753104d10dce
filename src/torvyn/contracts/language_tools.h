// What building components of a language needs on this machine, and whether it is there.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace torvyn::contracts {

// One tool or library.
struct ToolCheck {
  std::string tool;     // "clang", "Rust for WebAssembly"
  std::string found;    // where and which version; empty where there is none
  std::string problem;  // why it can't be used; empty where it can
  std::string install;  // the command that mends it, for a shell
  bool needs_root = false;

  bool ok() const noexcept { return problem.empty(); }
};

// "c", "cpp", "rust", "go", "python", "javascript". Static.
std::span<const std::string_view> build_languages() noexcept;

// The language of a source, from its name's ending: "" where it is none of them.
std::string_view language_of_extension(std::string_view extension) noexcept;

// Looks for what `language` needs: on the PATH, and where TORVYN_CLANG, WASI_SDK_PATH and TORVYN_GO point. Runs the tools to ask for their versions,
// which takes some milliseconds each; changes nothing.
// Requires: `language` is one of build_languages().
std::vector<ToolCheck> check_tools(std::string_view language);

// Whether `version`, as a tool prints it ("go version go1.26.8 linux/amd64"), is at least major.minor. False where it holds no version.
bool version_at_least(std::string_view version, unsigned major, unsigned minor) noexcept;

// The first "1.2" or "1.2.3" in a text; empty where there is none.
std::string_view first_version(std::string_view text) noexcept;

}  // namespace torvyn::contracts
