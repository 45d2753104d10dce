// The C and C++ compiler for WebAssembly: finding it, and saying what of it is missing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/contracts/run_command.h"
#include "torvyn/types/error.h"

namespace torvyn::contracts {

// The first line of a compiler's output that reports an error: "x.c:3:5: error: expected ';'".
struct CompilerError {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string message;
};
std::optional<CompilerError> first_compiler_error(std::string_view output);

// The prerequisites of the one rule in a make-style dependency file, as clang writes it.
std::vector<std::filesystem::path> parse_depfile(std::string_view text);

// A clang, and beside it a WASI sysroot and linker, as far as it finds them itself.
class Toolchain {
 public:
  static constexpr const char* target = "--target=wasm32-wasi";

  // Takes $TORVYN_CLANG (a path or a name), else $WASI_SDK_PATH's, else the first clang of a usable version on the
  // PATH. Only looks for the file: see `missing_part`.
  // Errors: E0010 with the command that installs one.
  static Result<Toolchain> find();

  const std::string& clang() const noexcept { return clang_; }

  // Looks for the parts a build needs beside the compiler; meant for after a failure, to tell a missing tool from a
  // mistake in the source. E0010 for the first that is missing, with the command that installs all of them; nothing if
  // all are there.
  std::optional<Error> missing_part(bool cxx) const;

 private:
  explicit Toolchain(std::string clang) : clang_(std::move(clang)) {}
  std::string clang_;
};

}  // namespace torvyn::contracts
