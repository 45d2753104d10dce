#include "torvyn/contracts/language.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "torvyn/contracts/files.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

struct Facts {
  Language language;
  std::string_view name;
  std::string_view title;
  std::string_view project_file;  // empty: there is no usual one
  std::array<std::string_view, 3> endings;
};

constexpr std::array facts = {
    Facts{Language::c, "c", "C", "", {".c"}},
    Facts{Language::cpp, "cpp", "C++", "", {".cc", ".cpp", ".cxx"}},
    Facts{Language::rust, "rust", "Rust", "Cargo.toml", {".rs"}},
    Facts{Language::go, "go", "Go", "go.mod", {".go"}},
    Facts{Language::python, "python", "Python", "pyproject.toml", {".py"}},
    Facts{Language::javascript, "javascript", "JavaScript", "package.json", {".js", ".mjs", ".ts"}},
};

constexpr std::array all = {Language::c,  Language::cpp,    Language::rust,
                            Language::go, Language::python, Language::javascript};

const Facts& facts_of(Language language) noexcept { return *std::ranges::find(facts, language, &Facts::language); }

std::string known_endings() {
  std::vector<std::string_view> endings;
  for (const Facts& one : facts)
    std::ranges::copy_if(one.endings, std::back_inserter(endings), [](auto ending) { return !ending.empty(); });
  return fmt::format("sources end in {}", fmt::join(endings, ", "));
}

// Of all in `found` the one that builds them; C is built as C++ beside it.
Result<Language> only_one(std::set<Language> found, const std::string& where) {
  if (found.contains(Language::cpp)) found.erase(Language::c);
  if (found.size() == 1) return *found.begin();
  if (found.empty()) return fail(ErrorCode::usage, fmt::format("`{}` holds no source", where), known_endings());
  std::vector<std::string_view> titles;
  for (const Language language : found) titles.push_back(language_title(language));
  return fail(ErrorCode::usage, fmt::format("`{}` holds {}", where, fmt::join(titles, " and ")),
              "a component is written in one language: name its file, or give each component a folder");
}

Result<Language> detect_in_folder(const fs::path& folder) {
  std::error_code ignored;
  for (const Facts& one : facts)
    if (!one.project_file.empty() && fs::exists(folder / one.project_file, ignored)) return one.language;
  std::set<Language> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (const auto language = language_of_file(at->path())) found.insert(*language);
  return only_one(std::move(found), folder.string());
}

}  // namespace

std::span<const Language> languages() noexcept { return all; }
std::string_view language_name(Language language) noexcept { return facts_of(language).name; }
std::string_view language_title(Language language) noexcept { return facts_of(language).title; }

std::optional<Language> find_language(std::string_view name) noexcept {
  const auto found = std::ranges::find(facts, name, &Facts::name);
  return found == facts.end() ? std::nullopt : std::optional(found->language);
}

std::optional<Language> language_of_file(const fs::path& file) {
  const std::string ending = file.extension().string();
  if (ending.empty()) return std::nullopt;
  for (const Facts& one : facts)
    if (std::ranges::find(one.endings, ending) != one.endings.end()) return one.language;
  return std::nullopt;
}

Result<Language> detect_language(std::span<const fs::path> sources) {
  std::error_code error;
  if (sources.size() == 1 && fs::is_directory(sources.front(), error)) return detect_in_folder(sources.front());
  std::set<Language> found;
  for (const fs::path& source : sources) {
    if (!fs::exists(source, error)) return fail(not_there(source, error));
    const auto language = language_of_file(source);
    if (!language)
      return fail(ErrorCode::usage, fmt::format("`{}` cannot be built", source.string()),
                  known_endings() + "; a folder of them or one core module (.wasm) can be built too");
    found.insert(*language);
  }
  return only_one(std::move(found), sources.front().string());
}

}  // namespace torvyn::contracts
