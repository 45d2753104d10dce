// What `torvyn init` writes: the files of a new project, made of the templates in the binary.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/contracts/embedded.h"
#include "torvyn/contracts/language.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// A kind of project.
struct TemplateInfo {
  std::string_view name;
  std::string_view summary;  // half a sentence
};

// In the order they are offered. Static.
std::span<const TemplateInfo> project_templates() noexcept;

// What was asked for, checked: see check_project.
struct NewProject {
  std::string name;
  contracts::Language language;
  std::string template_name;
  std::string contract_version;
  bool example = true;  // with a flow that runs at once, and its data
};

struct ProjectFile {
  std::string path;  // below the project's folder
  std::string text;
  bool is_link = false;  // a symbolic link, to `text`
};

// Whether this is a name for a project in every language: besides being one for a manifest, it begins with a letter and is no word that a
// language keeps for itself.
// Errors: E0006 with what a name looks like.
Status check_project_name(std::string_view name);

// Whether there is such a template for the language. `files` are those of the binary.
// Errors: E0006 with the nearest name, or with what the language has.
Status check_template(std::string_view name, contracts::Language language,
                      std::span<const contracts::EmbeddedFile> files);

// The version of the contract that this binary has.
std::string_view contract_version() noexcept;

// The project's files, sorted by path: those of templates/common/, of templates/LANGUAGE/common/ and of templates/LANGUAGE/TEMPLATE/, a later
// one in place of an earlier one; the contract's WIT in wit/deps/; what of the SDK belongs into a project.
//
// In contents and paths, {{name}}, {{name_snake}}, {{name_pascal}}, {{contract_version}} and {{language}} are filled in; in paths also
// __name__, __name_snake__ and __name_pascal__. A part of a path that begins with `dot-` begins with `.` in the project. Lines between one
// that holds {{#example}} and one that holds {{/example}} are there only with an example, like the folder data/.
std::vector<ProjectFile> render_project(const NewProject& project, std::span<const contracts::EmbeddedFile> files);

// Writes all files, or none: what was there before a failure is there after it. `directory` is made where it is missing; where it is not empty,
// but for a .git, nothing is written without `force`, and with it files of the same name are replaced.
// Errors: E0003; E0004.
Status write_project(const std::filesystem::path& directory, std::span<const ProjectFile> files, bool force);

}  // namespace torvyn::cli
