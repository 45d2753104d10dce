#include "torvyn/config/config_file.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "torvyn/config/manifest.h"
#include "torvyn/types/file.h"

namespace torvyn::config {

Result<std::string> read_config_file(const std::filesystem::path& path) {
  const std::string file = path.string();
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) {
    return fail(Error(ErrorCode::io_failed, fmt::format("`{}` is a folder, not a manifest", file),
                      fmt::format("name the file in it: {}", (path / "Torvyn.toml").string()))
                    .at_file(file));
  }
  struct Closer {
    void operator()(std::FILE* stream) const { std::fclose(stream); }
  };
  const std::unique_ptr<std::FILE, Closer> stream(std::fopen(path.c_str(), "rbe"));
  if (stream == nullptr) {
    const int number = errno;
    if (number != ENOENT && number != ENOTDIR) return fail(io_error("cannot read", file, number).at_file(file));
    return fail(Error(ErrorCode::manifest_not_found, fmt::format("there is no manifest `{}`", file),
                      "go to the project's folder, name the file with --manifest, or make a project with `torvyn init`")
                    .at_file(file));
  }
  std::string text;
  std::array<char, 64 * kib> chunk;
  while (const std::size_t length = std::fread(chunk.data(), 1, chunk.size(), stream.get())) {
    text.append(chunk.data(), length);
    if (text.size() > manifest_bytes_max) break;
  }
  if (std::ferror(stream.get()) != 0) return fail(io_error("cannot read", file, errno).at_file(file));
  return text;
}

Status check_config_length(const std::string& file, std::size_t bytes) {
  if (bytes <= manifest_bytes_max) return {};
  return fail(Error(ErrorCode::io_failed, fmt::format("`{}` has more than 4 MiB, which no manifest should need", file))
                  .at_file(file));
}

}  // namespace torvyn::config
