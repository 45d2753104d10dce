#include "torvyn/cli/project_template.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <ranges>
#include <utility>

#include "torvyn/config/names.h"
#include "torvyn/config/nearest.h"
#include "torvyn/contracts/worlds.h"
#include "torvyn/types/file.h"

namespace torvyn::cli {
namespace {

namespace fs = std::filesystem;
using contracts::EmbeddedFile;
using contracts::Language;

constexpr std::array templates = std::to_array<TemplateInfo>({
    {"transform", "changes each element: one in, none or several out"},
    {"filter", "lets elements pass, or not"},
    {"router", "sends each element to the ports it names"},
    {"aggregator", "makes one element of many"},
    {"source", "makes elements"},
    {"sink", "takes elements out of the flow"},
    {"full-pipeline", "a source, a processor and a sink of its own"},
    {"empty", "a manifest and the contract, no component"},
});

// Words that some language does not allow as the name of a crate, package or module.
constexpr std::array kept_words = std::to_array<std::string_view>(
    {"alloc",   "and",   "as",     "async", "await", "break",  "case",  "class", "const", "core",   "crate", "def",
     "default", "defer", "del",    "else",  "enum",  "except", "false", "fn",    "for",   "from",   "func",  "go",
     "if",      "impl",  "import", "in",    "is",    "lambda", "let",   "loop",  "main",  "map",    "match", "mod",
     "move",    "mut",   "not",    "or",    "out",   "pass",   "pub",   "range", "ref",   "return", "self",  "std",
     "super",   "test",  "torvyn", "true",  "try",   "type",   "use",   "var",   "where", "while",  "with",  "yield"});

constexpr std::string_view example_begins = "{{#example}}";
constexpr std::string_view example_ends = "{{/example}}";
constexpr std::string_view example_folder = "data/";

// What of the SDK a project has in it, so that its unit tests run without torvyn, and editors know what they look at.
struct SdkPart {
  Language language;
  std::string_view from;
  std::string_view to;
};

constexpr std::array sdk_parts = std::to_array<SdkPart>({
    {Language::rust, "sdk/rust/", "vendor/torvyn/"},
    {Language::rust, "wit/", "vendor/torvyn/wit/"},
    {Language::rust, "sdk/rust/Cargo.lock", "Cargo.lock"},
    {Language::go, "sdk/go/", "sdk/torvyn/"},
    {Language::python, "sdk/python/torvyn/", "torvyn/"},
    {Language::javascript, "sdk/javascript/package.json", "vendor/torvyn/package.json"},
    {Language::javascript, "sdk/javascript/index.", "vendor/torvyn/index."},
    {Language::javascript, "sdk/javascript/testing.", "vendor/torvyn/testing."},
    {Language::javascript, "sdk/javascript/lib/", "vendor/torvyn/lib/"},
});

// What `npm install` makes of "file:vendor/torvyn", so that tests run without it.
constexpr std::string_view javascript_link = "node_modules/torvyn";
constexpr std::string_view javascript_link_to = "../vendor/torvyn";

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string snake_case(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string pascal_case(std::string_view name) {
  std::string pascal;
  bool begins = true;
  for (const char c : name) {
    if (c != '-') pascal += begins && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    begins = c == '-';
  }
  return pascal;
}

// The values for the placeholders of one project.
class Filling {
 public:
  explicit Filling(const NewProject& project)
      : values_{{"name", project.name},
                {"name_snake", snake_case(project.name)},
                {"name_pascal", pascal_case(project.name)},
                {"contract_version", project.contract_version},
                {"language", std::string(contracts::language_name(project.language))}},
        example_(project.example) {}

  std::string text(std::string_view of) const {
    std::string kept;
    bool keeping = true;
    while (!of.empty()) {
      const std::size_t end = std::min(of.find('\n'), of.size() - 1) + 1;
      const std::string_view line = of.substr(0, end);
      of.remove_prefix(end);
      if (line.find(example_begins) != std::string_view::npos) {
        keeping = example_;
      } else if (line.find(example_ends) != std::string_view::npos) {
        keeping = true;
      } else if (keeping) {
        kept += line;
      }
    }
    return filled(std::move(kept));
  }

  std::string path(std::string_view of) const {
    std::string path = replaced("/" + std::string(of), "/dot-", "/.").substr(1);
    for (const auto& [name, value] : values_) path = replaced(std::move(path), fmt::format("__{}__", name), value);
    return filled(std::move(path));
  }

  bool wants(std::string_view path) const { return example_ || !path.starts_with(example_folder); }

 private:
  std::string filled(std::string text) const {
    for (const auto& [name, value] : values_) text = replaced(std::move(text), fmt::format("{{{{{}}}}}", name), value);
    return text;
  }

  std::vector<std::pair<std::string_view, std::string>> values_;
  bool example_;
};

std::string template_folder(std::string_view name, Language language) {
  return fmt::format("templates/{}/{}/", contracts::language_name(language), name);
}

bool has_folder(std::span<const EmbeddedFile> files, std::string_view folder) {
  return std::ranges::any_of(files, [folder](const EmbeddedFile& file) { return file.path.starts_with(folder); });
}

Error cannot_write(const fs::path& path, int error_number) {
  return io_error("cannot write", path.string(), error_number);
}

// Moves files into a folder where others may be, one by one, and takes all of it back unless it is told to keep it.
class Moves {
 public:
  explicit Moves(fs::path replaced) : replaced_(std::move(replaced)) {}
  Moves(const Moves&) = delete;
  Moves& operator=(const Moves&) = delete;
  ~Moves() {
    std::error_code ignored;
    for (const Move& file : std::views::reverse(done_)) {
      fs::remove(file.to, ignored);
      if (!file.before.empty()) fs::rename(file.before, file.to, ignored);
    }
    for (const fs::path& folder : std::views::reverse(made_)) fs::remove(folder, ignored);
  }

  Status move(const fs::path& from, const fs::path& to) {
    TORVYN_TRY(make_folders(to.parent_path()));
    std::error_code error;
    Move one{.to = to, .before = {}};
    if (fs::exists(fs::symlink_status(to, error))) {
      one.before = replaced_ / fmt::format("{}", done_.size());
      fs::rename(to, one.before, error);
      if (error) return fail(cannot_write(to, error.value()));
    }
    done_.push_back(std::move(one));
    fs::rename(from, to, error);
    if (error) return fail(cannot_write(to, error.value()));
    return {};
  }

  void keep() noexcept {
    done_.clear();
    made_.clear();
  }

 private:
  struct Move {
    fs::path to;
    fs::path before;  // where what stood there is now; empty: nothing did
  };

  Status make_folders(const fs::path& folder) {
    std::error_code error;
    if (folder.empty() || fs::exists(folder, error)) return {};
    TORVYN_TRY(make_folders(folder.parent_path()));
    if (fs::create_directory(folder, error)) made_.push_back(folder);
    if (error) return fail(cannot_write(folder, error.value()));
    return {};
  }

  const fs::path replaced_;
  std::vector<Move> done_;
  std::vector<fs::path> made_;
};

// A folder that goes away with what is in it.
class TemporaryFolder {
 public:
  // Beside or in what it is for, so that its files can be renamed to there. Errors: E0004.
  static Result<TemporaryFolder> make(const fs::path& parent) {
    std::string pattern = ((parent.empty() ? fs::path(".") : parent) / ".torvyn-init-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) return fail(cannot_write(parent.empty() ? "." : parent, errno));
    return TemporaryFolder(pattern);
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const noexcept { return path_; }

 private:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

Status write_all(const fs::path& folder, std::span<const ProjectFile> files) {
  for (const ProjectFile& file : files) {
    const fs::path path = folder / file.path;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) return fail(cannot_write(path.parent_path(), error.value()));
    if (file.is_link) {
      fs::create_symlink(file.text, path, error);
      if (error) return fail(cannot_write(path, error.value()));
      continue;
    }
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(file.text.data());
    TORVYN_TRY(replace_file(path, {std::span(bytes, file.text.size())}));
  }
  return {};
}

Result<bool> is_empty_folder(const fs::path& directory) {
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
    if (at->path().filename() != ".git") return false;
  if (error) return fail(io_error("cannot read", directory.string(), error.value()));
  return true;
}

}  // namespace

std::span<const TemplateInfo> project_templates() noexcept { return templates; }

std::string_view contract_version() noexcept { return contracts::worlds().front().version; }

Status check_project_name(std::string_view name) {
  const bool begins_well = !name.empty() && name.front() >= 'a' && name.front() <= 'z';
  if (!begins_well || !config::is_project_name(name))
    return fail(ErrorCode::usage, fmt::format("`{}` is no name for a project", name),
                "a name is up to 64 lowercase letters, digits and hyphens, begins with a letter and ends with a letter "
                "or digit: my-filter");
  if (std::ranges::find(kept_words, name) != kept_words.end())
    return fail(ErrorCode::usage, fmt::format("`{}` is a word that some language keeps for itself", name),
                fmt::format("a name of two words is free: my-{}", name));
  return {};
}

Status check_template(std::string_view name, Language language, std::span<const EmbeddedFile> files) {
  std::vector<std::string_view> names;
  std::vector<std::string_view> of_language;
  for (const TemplateInfo& info : templates) {
    names.push_back(info.name);
    if (has_folder(files, template_folder(info.name, language))) of_language.push_back(info.name);
  }
  if (std::ranges::find(of_language, name) != of_language.end()) return {};
  if (std::ranges::find(names, name) != names.end())
    return fail(ErrorCode::usage,
                fmt::format("there is no template `{}` for {}", name, contracts::language_title(language)),
                fmt::format("{} has {}", contracts::language_title(language), fmt::join(of_language, ", ")));
  const std::string_view near = config::nearest(name, names);
  return fail(
      ErrorCode::usage,
      fmt::format("there is no template `{}`{}", name, near.empty() ? "" : fmt::format(", did you mean `{}`?", near)),
      fmt::format("the templates are {}", fmt::join(names, ", ")));
}

std::vector<ProjectFile> render_project(const NewProject& project, std::span<const EmbeddedFile> files) {
  const Filling filling(project);
  std::map<std::string, std::string> rendered;
  for (const EmbeddedFile& file : files) {
    if (file.path.starts_with("wit/") && file.path.ends_with(".wit"))
      rendered[fmt::format("wit/deps/{}", file.path.substr(4))] = file.text;
    for (const SdkPart& part : sdk_parts) {
      if (part.language == project.language && file.path.starts_with(part.from))
        rendered[fmt::format("{}{}", part.to, file.path.substr(part.from.size()))] = file.text;
    }
  }
  const std::string folders[] = {"templates/common/", template_folder("common", project.language),
                                 template_folder(project.template_name, project.language)};
  for (const std::string& folder : folders)
    for (const EmbeddedFile& file : files)
      if (file.path.starts_with(folder)) {
        std::string path = filling.path(file.path.substr(folder.size()));
        if (filling.wants(path)) rendered[std::move(path)] = filling.text(file.text);
      }
  std::vector<ProjectFile> result;
  for (auto& [path, text] : rendered) result.push_back({path, std::move(text)});
  if (project.language == Language::javascript && project.template_name != "empty")
    result.push_back({std::string(javascript_link), std::string(javascript_link_to), true});
  return result;
}

Status write_project(const fs::path& directory, std::span<const ProjectFile> files, bool force) {
  std::error_code error;
  const fs::path target = directory.has_filename() ? directory : directory.parent_path();
  if (fs::exists(target, error)) {
    if (!fs::is_directory(target, error))
      return fail(ErrorCode::directory_not_empty, fmt::format("`{}` is a file", target.string()),
                  "choose another name");
    TORVYN_LET(const bool is_empty, is_empty_folder(target));
    if (!is_empty && !force)
      return fail(ErrorCode::directory_not_empty, fmt::format("`{}` is not empty", target.string()),
                  "choose another folder, or have files of the same name replaced with --force");
    TORVYN_LET(const TemporaryFolder temporary, TemporaryFolder::make(target));
    const fs::path made = temporary.path() / "new";
    const fs::path before = temporary.path() / "old";
    TORVYN_TRY(write_all(made, files));
    if (!fs::create_directory(before, error)) return fail(cannot_write(before, error.value()));
    Moves moves(before);
    for (const ProjectFile& file : files) TORVYN_TRY(moves.move(made / file.path, target / file.path));
    moves.keep();
    return {};
  }
  fs::create_directories(target.parent_path(), error);
  TORVYN_LET(const TemporaryFolder temporary, TemporaryFolder::make(target.parent_path()));
  const fs::path made =
      temporary.path() / "new";  // with the permissions of any new folder, which the temporary one has not
  TORVYN_TRY(write_all(made, files));
  fs::rename(made, target, error);
  if (error) return fail(cannot_write(target, error.value()));
  return {};
}

}  // namespace torvyn::cli
