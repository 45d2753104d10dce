#include "torvyn/contracts/build_stamp.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <sstream>
#include <string_view>

#include "torvyn/contracts/files.h"
#include "torvyn/contracts/hash.h"

namespace torvyn::contracts {
namespace {

constexpr std::string_view first_line = "torvyn build stamp 2";

std::string line_of(std::string_view what, const FileState& state) {
  return fmt::format("{} {} {} {} {}\n", what, state.size_bytes, state.modified_ns, state.content, state.path.string());
}

}  // namespace

FileState FileState::of(std::filesystem::path path) {
  FileState state = glance(std::move(path));
  if (const Result<std::string> text = read_file(state.path)) state.content = Hash().add(*text).value();
  return state;
}

bool FileState::unchanged() const {
  if (size_bytes < 0) return false;
  const FileState now = glance(path);
  if (now.size_bytes != size_bytes) return false;
  return now.modified_ns == modified_ns || of(path).content == content;
}

FileState FileState::glance(std::filesystem::path path) {
  FileState state{std::move(path)};
  struct stat info{};
  if (::stat(state.path.c_str(), &info) == 0) {
    state.size_bytes = info.st_size;
    state.modified_ns = info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec;
  }
  return state;
}

std::optional<BuildStamp> BuildStamp::read(const std::filesystem::path& path) {
  const Result<std::string> text = read_file(path);
  if (!text) return std::nullopt;
  std::istringstream lines(*text);
  std::string line;
  if (!std::getline(lines, line) || line != first_line) return std::nullopt;

  BuildStamp stamp;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string what;
    words >> what;
    if (what == "key") {
      words >> stamp.key >> stamp.compiler;
    } else if (what == "world") {
      words >> stamp.world;
      words.clear();  // a core module that carries its own has none
    } else {
      FileState state;
      std::string name;
      words >> state.size_bytes >> state.modified_ns >> state.content;
      words.ignore(1);
      std::getline(words, name);
      state.path = name;
      if (what == "output") {
        stamp.output = state;
      } else {
        stamp.inputs.push_back(state);
      }
    }
    if (words.fail()) return std::nullopt;
  }
  return stamp;
}

Status BuildStamp::write(const std::filesystem::path& path) const {
  std::string text = fmt::format("{}\nkey {} {}\nworld {}\n", first_line, key, compiler, world);
  text += line_of("output", output);
  for (const FileState& input : inputs) text += line_of("input", input);
  return replace_file(path, text);
}

bool BuildStamp::files_unchanged() const {
  return output.unchanged() && !inputs.empty() && std::ranges::all_of(inputs, &FileState::unchanged);
}

}  // namespace torvyn::contracts
