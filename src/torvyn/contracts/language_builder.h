// Private to contracts: what the languages have in common, and what each has to do.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/contracts/build.h"
#include "torvyn/contracts/build_stamp.h"
#include "torvyn/contracts/hash.h"
#include "torvyn/contracts/toolchain.h"
#include "torvyn/contracts/world_catalog.h"
#include "torvyn/types/error.h"

namespace torvyn::contracts {

// A request with every blank filled in. Outlives its builder.
struct BuildPlan {
  const BuildRequest& request;
  const WorldCatalog& catalog;
  std::optional<Language> language;            // nothing: a core module, or a command of one's own
  std::vector<std::filesystem::path> sources;  // files; a project's folder alone where it has a project file
  std::filesystem::path folder;                // that the sources lie in; "." rather than empty
  std::string name;
  std::filesystem::path output;
  std::filesystem::path work_dir;   // absolute, made, and held for this build alone
  std::filesystem::path cache_dir;  // absolute; may not be there yet

  void note(std::string_view sentence) const {
    if (request.on_note) request.on_note(sentence);
  }
};

// What a language makes of a plan.
struct Made {
  std::string wasm;   // a component, or a core module that carries its type
  std::string world;  // in full; empty where only the module's own tools know
  std::vector<FileState> inputs;
};

class LanguageBuilder {
 public:
  explicit LanguageBuilder(const BuildPlan& plan) : plan_(plan) {}
  virtual ~LanguageBuilder() = default;
  LanguageBuilder(const LanguageBuilder&) = delete;
  LanguageBuilder& operator=(const LanguageBuilder&) = delete;

  // Adds what the component depends on beside request, WIT and input files: the SDK, the way it is built, the list of its sources.
  virtual void add_to_key(Hash& key) const = 0;

  // Finds the tools, quickly: it is asked before every build, also those that turn out to have nothing to do. The answer changes where they
  // do. Errors: E0010.
  virtual Result<std::uint64_t> find_tools() = 0;

  // Called once, after find_tools has found them. Errors: of build_component.
  virtual Result<Made> make() = 0;

 protected:
  // Runs a compiler; what it writes goes to the one who asked for the build.
  Result<CommandResult> run(std::span<const std::string> command, const CommandPlace& place = {}) const;

  const BuildPlan& plan_;
};

// The hint of an error that a compiler has explained itself.
inline constexpr const char* read_the_compiler = "the compiler's own words stand above";

std::unique_ptr<LanguageBuilder> make_c_builder(const BuildPlan& plan);
std::unique_ptr<LanguageBuilder> make_rust_builder(const BuildPlan& plan);
std::unique_ptr<LanguageBuilder> make_go_builder(const BuildPlan& plan);
std::unique_ptr<LanguageBuilder> make_python_builder(const BuildPlan& plan);
std::unique_ptr<LanguageBuilder> make_javascript_builder(const BuildPlan& plan);

// The WIT of the world `torvyn:build/component`: `world`, and what every component may use beside it.
std::string component_wit(const WorldCatalog::Entry& world);

// Puts the type of a world into a core module. Errors: E0104.
Result<std::string> embed_world(std::string_view module, std::span<const WitFile> wit, std::string_view world);

// Adds the embedded files below `folder` of the source tree to a key.
void add_embedded(Hash& key, std::string_view folder);

// Writes the embedded files below `from` ("sdk/rust/") into `to`, those alone that have changed: tools look at their times. Files that
// are there and not embedded stay. Errors: E0004.
Status write_embedded(std::string_view from, const std::filesystem::path& to);

// Writes a file unless it has this content already. Errors: E0004.
Status write_if_changed(const std::filesystem::path& path, std::string_view text);

// The regular files below `folder` with one of these endings, sorted; not those in hidden folders, nor in target, node_modules, vendor or
// __pycache__.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder,
                                               std::span<const std::string_view> endings);

// Who a program is, for find_tools: its path, size and time.
std::uint64_t identity_of_program(const std::filesystem::path& program);

}  // namespace torvyn::contracts
