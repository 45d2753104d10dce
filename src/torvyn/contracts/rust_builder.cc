// Rust: cargo makes a core module that carries its component type, for wasm32-unknown-unknown, which has no WASI.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "torvyn/contracts/embedded.h"
#include "torvyn/contracts/files.h"
#include "torvyn/contracts/folder_lock.h"
#include "torvyn/contracts/language_builder.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view target = "wasm32-unknown-unknown";
constexpr std::string_view sdk = "sdk/rust/";

// Debian's compiler, which builds the standard library for the target from its source.
constexpr const char* debian_cargo = "/usr/bin/cargo";
constexpr const char* debian_rustc = "/usr/bin/rustc";
constexpr const char* debian_packages =
    "apt-get install --no-install-recommends rustc-web cargo-web rust-web-src lld-19";

Result<std::string> sysroot_of(const std::string& rustc) {
  const std::string command[] = {rustc, "--print", "sysroot"};
  TORVYN_LET(const CommandResult result, run_command(command));
  if (!result.ok()) return fail(ErrorCode::tool_missing, fmt::format("`{}` does not run: {}", rustc, result.output));
  return result.output.substr(0, result.output.find('\n'));
}

struct RustTools {
  std::string cargo;
  std::string rustc;
  std::string sysroot;
  std::string linker;  // that builds the standard library too; empty: it is there already
};

// The author's own cargo where its rustup target is installed, else Debian's.
Result<RustTools> choose_tools() {
  if (const auto cargo = find_on_path("cargo"), rustc = find_on_path("rustc"); cargo && rustc) {
    if (const auto sysroot = sysroot_of(*rustc);
        sysroot && is_there(fs::path(*sysroot) / "lib/rustlib" / target / "lib"))
      return RustTools{.cargo = *cargo, .rustc = *rustc, .sysroot = *sysroot, .linker = {}};
  }
  const auto has_rustup = find_on_path("rustup").has_value();
  const Error missing(ErrorCode::tool_missing, fmt::format("no Rust for {} was found", target),
                      has_rustup ? fmt::format("rustup target add {}", target)
                                 : fmt::format("{}\nor, with rustup: rustup target add {}", debian_packages, target));
  if (!is_there(debian_cargo) || !is_there(debian_rustc)) return fail(missing);
  TORVYN_LET(const std::string sysroot, sysroot_of(debian_rustc));
  if (!is_there(fs::path(sysroot) / "lib/rustlib/src/rust/library/Cargo.toml")) return fail(missing);
  for (const char* const name : {"wasm-ld-19", "wasm-ld", "rust-lld"})
    if (find_on_path(name))
      return RustTools{.cargo = debian_cargo, .rustc = debian_rustc, .sysroot = sysroot, .linker = name};
  return fail(ErrorCode::tool_missing, "no linker for WebAssembly was found", "apt-get install lld-19");
}

// The first "error…: message" and the " --> file:line:column" below it.
std::optional<CompilerError> first_rust_error(std::string_view output) {
  const std::string plain = without_colors(output);
  std::optional<CompilerError> found;
  std::string_view rest = plain;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!found && line.starts_with("error")) {
      const std::size_t colon = line.find(": ");
      if (colon != std::string_view::npos) found = CompilerError{{}, 0, 0, std::string(line.substr(colon + 2))};
    } else if (found && line.find("--> ") != std::string_view::npos) {
      // As clang writes it: one parser for both.
      const std::string place(line.substr(line.find("--> ") + 4));
      if (auto placed = first_compiler_error(fmt::format("{}: error: {}", place, found->message))) return placed;
      return found;
    } else if (found && line.empty()) {
      return found;
    }
  }
  return found;
}

// The folder of the Cargo.toml that sources in `folder` belong to; empty where they have none.
fs::path project_of(const fs::path& folder) {
  if (is_there(folder / "Cargo.toml")) return folder;
  if (folder.filename() != "src") return {};
  const fs::path above = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  return is_there(above / "Cargo.toml") ? above : fs::path();
}

// A crate's name of a file's: what is no letter or digit becomes `_`, which none may begin with a digit.
std::string crate_name(const std::string& stem) {
  std::string name = stem;
  std::ranges::replace_if(
      name, [](char c) { return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')); }, '_');
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) name.insert(0, "_");
  return name;
}

class RustBuilder final : public LanguageBuilder {
 public:
  explicit RustBuilder(const BuildPlan& plan) : LanguageBuilder(plan), project_(project_of(plan.folder)) {}

  void add_to_key(Hash& key) const override {
    if (is_single_file()) add_embedded(key, sdk);
  }

  Result<std::uint64_t> find_tools() override {
    Hash hash;
    for (const char* const name : {"cargo", "rustc"})
      if (const auto program = find_on_path(name)) hash.add(fmt::format("{}", identity_of_program(*program)));
    for (const char* const program : {debian_cargo, debian_rustc})
      hash.add(fmt::format("{}", identity_of_program(program)));
    if (const char* const toolchain = std::getenv("RUSTUP_TOOLCHAIN"); toolchain != nullptr) hash.add(toolchain);
    return hash.value();
  }

  Result<Made> make() override;

 private:
  // A crate as cargo tells of it.
  struct Crate {
    std::string package;
    std::string library;  // the file it leaves, without ending
    fs::path manifest;
  };

  bool is_single_file() const { return project_.empty(); }
  Result<fs::path> make_project() const;
  Result<Crate> find_crate(const RustTools& tools, const fs::path& project) const;
  Result<fs::path> make_wrapper(const fs::path& project) const;
  std::string flags_for(const RustTools& tools) const;
  Error explain(const CommandResult& result, const fs::path& project) const;
  std::vector<FileState> inputs_of(const Crate& crate, const fs::path& project, const fs::path& depfile) const;

  const fs::path project_;  // the author's; empty: there is none
  const fs::path cache_ = plan_.cache_dir / "rust";
};

// A file that has no project of its own gets one in the work folder.
Result<fs::path> RustBuilder::make_project() const {
  fs::path project = plan_.work_dir / "project";
  TORVYN_TRY(write_embedded(sdk, project / "vendor" / "torvyn"));
  TORVYN_TRY(write_embedded("wit/", project / "vendor" / "torvyn" / "wit"));
  const fs::path source = fs::absolute(plan_.sources.front()).lexically_normal();
  const std::string manifest = fmt::format(
      "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n"
      "[lib]\npath = {}\ncrate-type = [\"cdylib\"]\n\n"
      "[dependencies]\ntorvyn = {{ path = \"vendor/torvyn\" }}\n\n"
      "[profile.release]\nlto = true\ncodegen-units = 1\npanic = \"abort\"\nstrip = \"debuginfo\"\n\n[workspace]\n",
      crate_name(plan_.name), nlohmann::json(source.string()).dump());
  TORVYN_TRY(write_if_changed(project / "Cargo.toml", manifest));
  // Pins what the SDK needs; cargo adds the crate itself, without asking the registry.
  const auto lock = embedded_files("sdk/rust/Cargo.lock");
  if (!lock.empty() && !is_there(project / "Cargo.lock"))
    TORVYN_TRY(write_if_changed(project / "Cargo.lock", lock.front().text));
  return project;
}

Result<RustBuilder::Crate> RustBuilder::find_crate(const RustTools& tools, const fs::path& project) const {
  const std::string command[] = {tools.cargo, "metadata", "--no-deps", "--format-version", "1", "--quiet"};
  TORVYN_LET(const CommandResult result,
             run_command(command, {.directory = project, .environment = {"RUSTC=" + tools.rustc}}));
  if (!result.ok()) {
    if (plan_.request.on_output) plan_.request.on_output(result.output);
    return fail(explain(result, project));
  }
  const auto metadata = nlohmann::json::parse(result.output, nullptr, false);
  std::error_code ignored;
  const fs::path wanted = fs::canonical(project / "Cargo.toml", ignored);
  if (!metadata.is_discarded()) {
    for (const auto& package : metadata.at("packages")) {
      const fs::path manifest = package.at("manifest_path").get<std::string>();
      if (fs::canonical(manifest, ignored) != wanted) continue;
      for (const auto& one : package.at("targets"))
        if (std::ranges::find(one.at("kind"), "cdylib") != one.at("kind").end()) {
          std::string library = one.at("name").get<std::string>();
          std::ranges::replace(library, '-', '_');
          return Crate{package.at("name").get<std::string>(), std::move(library), manifest};
        }
    }
  }
  return fail(Error(ErrorCode::usage, "the crate makes no WebAssembly module", "[lib]\ncrate-type = [\"cdylib\"]")
                  .at_file((project / "Cargo.toml").string()));
}

// Cargo makes the path of this wrapper part of what names a project's own crates, so that projects which share a target folder share
// what they depend on and never each other's components.
Result<fs::path> RustBuilder::make_wrapper(const fs::path& project) const {
  std::error_code ignored;
  const std::uint64_t hash = Hash().add(fs::canonical(project, ignored).string()).value();
  fs::path wrapper = cache_ / "projects" / fmt::format("{:016x}", hash) / "rustc";
  std::string script = "#!/bin/sh\nexec \"$@\"\n";
  if (is_single_file()) {
    // Messages and panics name the author's file as it is seen from its folder.
    std::string folder;
    for (const char c : (fs::absolute(plan_.folder) / "").lexically_normal().string())
      folder += c == '\'' ? std::string("'\\''") : std::string(1, c);
    script = fmt::format("#!/bin/sh\nexec \"$@\" --remap-path-prefix='{}='\n", folder);
  }
  TORVYN_TRY(write_if_changed(wrapper, script));
  if (::chmod(wrapper.c_str(), 0755) != 0)
    return fail(ErrorCode::io_failed, fmt::format("`{}` cannot be made executable", wrapper.string()));
  return wrapper;
}

// The same for all projects, or the standard library would be built for each. No paths of this machine: panics name source files.
std::string RustBuilder::flags_for(const RustTools& tools) const {
  const char* const home = std::getenv("CARGO_HOME");
  const char* const user = std::getenv("HOME");
  const fs::path cargo_home = home != nullptr ? fs::path(home) : fs::path(user != nullptr ? user : "") / ".cargo";
  const fs::path library = fs::path(tools.sysroot) / "lib/rustlib/src/rust";
  std::error_code ignored;
  // Separated as cargo wants it where a path may hold a blank.
  return fmt::format(
      "-Ctarget-feature=+simd128\x1f--remap-path-prefix={}=registry\x1f--remap-path-prefix={}=rust\x1f--remap-path-"
      "prefix={}=rust",
      (cargo_home / "registry/src").string(), fs::weakly_canonical(library, ignored).string(), library.string());
}

Error RustBuilder::explain(const CommandResult& result, const fs::path& project) const {
  const std::string what = plan_.request.sources.front().string();
  const auto first = first_rust_error(result.output);
  if (!first)
    return {ErrorCode::build_failed,
            fmt::format("`{}` does not build: cargo ended with code {}", what, result.exit_code)};
  Error error(ErrorCode::build_failed, fmt::format("`{}` does not build: {}", what, first->message));
  if (first->line != 0) {
    const fs::path base = is_single_file() ? plan_.folder : project;
    error = std::move(error).at_file((base / first->file).lexically_normal().string(), first->line, first->column);
  }
  const std::string plain = without_colors(result.output);
  if (plain.find("failed to download") != std::string::npos || plain.find("failed to get `") != std::string::npos)
    error = std::move(error).with_hint(
        "the first build of Rust needs the crates registry once, for what the SDK depends on");
  return std::move(error).with_hint(read_the_compiler);
}

std::vector<FileState> RustBuilder::inputs_of(const Crate& crate, const fs::path& project,
                                              const fs::path& depfile) const {
  std::vector<fs::path> files;
  if (const Result<std::string> text = read_file(depfile)) files = parse_depfile(*text);
  std::vector<FileState> inputs;
  std::error_code ignored;
  const fs::path work_dir = fs::weakly_canonical(plan_.work_dir, ignored);
  files.push_back(crate.manifest);
  // A workspace has its lock at its root.
  for (fs::path folder = fs::absolute(project); folder.has_relative_path(); folder = folder.parent_path()) {
    if (!is_there(folder / "Cargo.lock")) continue;
    files.push_back(folder / "Cargo.lock");
    break;
  }
  for (const fs::path& file : files) {
    const bool generated = is_single_file() && file.string().starts_with(work_dir.string());
    if (!generated) inputs.push_back(FileState::of(fs::absolute(file).lexically_normal()));
  }
  return inputs;
}

Result<Made> RustBuilder::make() {
  if (plan_.sources.size() > 1 && is_single_file())
    return fail(ErrorCode::usage, fmt::format("`{}` holds several Rust files and no Cargo.toml", plan_.folder.string()),
                "name one file, or add a Cargo.toml: torvyn init --language rust makes one");
  TORVYN_LET(const RustTools tools, choose_tools());
  fs::path project = project_;
  if (is_single_file()) {
    TORVYN_LET(project, make_project());
  }
  TORVYN_LET(const Crate crate, find_crate(tools, project));
  TORVYN_LET(const fs::path wrapper, make_wrapper(project));
  const fs::path made = cache_ / "target" / target / "release";

  TORVYN_TRY(make_folder(cache_));
  // Held until the module is read: the file it is in has the same name for all projects whose crates have it.
  TORVYN_LET(const FolderLock lock,
             FolderLock::take(cache_, [this] { plan_.note("waiting for another build of Rust"); }));
  if (!is_there(made))
    plan_.note(tools.linker.empty()
                   ? "building what the SDK depends on, once"
                   : "building Rust's standard library for WebAssembly, once: it takes about three minutes");
  std::vector<std::string> command = {tools.cargo,   "build",    "--release",        "--package",
                                      crate.package, "--target", std::string(target)};
  CommandPlace place{.directory = project, .environment = {}};
  place.environment = {"RUSTC=" + tools.rustc, "CARGO_TARGET_DIR=" + (cache_ / "target").string(),
                       "RUSTC_WORKSPACE_WRAPPER=" + wrapper.string(),
                       // Goes before whatever flags the author has for other targets.
                       "CARGO_ENCODED_RUSTFLAGS=" + flags_for(tools)};
  if (!tools.linker.empty()) {
    place.environment.emplace_back("RUSTC_BOOTSTRAP=1");
    place.environment.push_back("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=" + tools.linker);
    command.insert(command.end(), {"-Z", "build-std=std,panic_abort"});
  }
  command.emplace_back(plan_.request.color ? "--color=always" : "--color=never");
  command.emplace_back("--quiet");
  command.insert(command.end(), plan_.request.flags.begin(), plan_.request.flags.end());
  TORVYN_LET(const CommandResult result, run(command, place));
  if (!result.ok()) return fail(explain(result, project));
  Made module;
  TORVYN_LET(module.wasm, read_file(made / (crate.library + ".wasm")));
  module.inputs = inputs_of(crate, project, made / (crate.library + ".d"));
  return module;
}

}  // namespace

std::unique_ptr<LanguageBuilder> make_rust_builder(const BuildPlan& plan) {
  return std::make_unique<RustBuilder>(plan);
}

}  // namespace torvyn::contracts
