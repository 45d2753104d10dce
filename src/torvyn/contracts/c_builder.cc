#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "torvyn/contracts/bridge_values.h"
#include "torvyn/contracts/files.h"
#include "torvyn/contracts/language_builder.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

// Of a component, for its data on the stack. Twice what the linker gives by default; room that is not used costs
// nothing.
constexpr int guest_stack_bytes = 128 * 1024;

// In the work folder: the SDK's headers, also for a project's own tests and editor.
constexpr std::string_view sdk_folder = "sdk";
constexpr std::array<std::string_view, 2> sdk_headers = {"sdk/c/include/", "sdk/cpp/include/"};
constexpr std::string_view sdk_roles = "processor, filter, router, source, sink, aggregator";

bool is_cxx(const fs::path& path) { return language_of_file(path) == Language::cpp; }

bool is_below(const fs::path& path, const fs::path& folder) {
  const fs::path inner = fs::absolute(path).lexically_normal();
  const fs::path outer = fs::absolute(folder).lexically_normal();
  return std::ranges::mismatch(outer, inner).in1 == outer.end();
}

// What the compiler is asked for, source by source.
class Compiler {
 public:
  Compiler(const Toolchain& toolchain, const BuildPlan& plan)
      : toolchain_(toolchain), request_(plan.request), plan_(plan) {}

  // The files `source` consists of, itself included, and the worlds whose headers it includes.
  struct Scan {
    std::vector<fs::path> files;
    std::set<std::string> headers;
  };
  Result<Scan> scan(const fs::path& source) const;

  Status compile(const fs::path& source, const fs::path& object) const;
  Status compile_generated(const fs::path& source, const fs::path& object) const;
  Status link(const std::vector<fs::path>& objects, const fs::path& module, const std::string& world) const;

 private:
  static bool is_for_linker(const std::string& flag) {
    return flag.starts_with("-l") || flag.starts_with("-L") || flag.starts_with("-Wl,");
  }
  std::vector<std::string> base() const { return {toolchain_.clang(), Toolchain::target}; }
  std::vector<std::string> for_source(const fs::path& source) const;
  Status run(const std::vector<std::string>& command, const std::string& what, bool quiet_if_ok = false) const;
  Error explain(const CommandResult& result, const std::string& what) const;

  const Toolchain& toolchain_;
  const BuildRequest& request_;
  const BuildPlan& plan_;
};

std::vector<std::string> Compiler::for_source(const fs::path& source) const {
  std::vector<std::string> command = base();
  // SIMD is part of every engine that runs components, and makes byte loops several times as fast.
  command.insert(command.end(), {"-O2", "-msimd128", "-Wall", "-Wextra", "-Wno-unused-parameter"});
  if (is_cxx(source)) command.insert(command.end(), {"-std=c++23", "-fno-exceptions", "-fno-rtti"});
  command.emplace_back(request_.release ? "-g0" : "-g1");
  // Paths in line tables and __FILE__ are seen from the source's folder, wherever that is.
  const std::string folder = source.parent_path().string();
  if (!folder.empty()) command.push_back(fmt::format("-ffile-prefix-map={}/=", folder));
  command.push_back(fmt::format("-ffile-prefix-map={}=torvyn-build", plan_.work_dir.string()));
  command.emplace_back("-fdebug-compilation-dir=.");
  if (request_.color) command.emplace_back("-fcolor-diagnostics");
  command.push_back(fmt::format("-I{}", (plan_.work_dir / sdk_folder).string()));
  std::ranges::remove_copy_if(request_.flags, std::back_inserter(command), is_for_linker);
  return command;
}

Error Compiler::explain(const CommandResult& result, const std::string& what) const {
  if (auto missing = toolchain_.missing_part(plan_.language == Language::cpp)) return *std::move(missing);
  const auto first = first_compiler_error(result.output);
  if (!first)
    return {ErrorCode::build_failed, fmt::format("{}: the compiler ended with code {}", what, result.exit_code)};
  // Of the two declarations, only the source's can be wrong.
  const bool is_export = first->message.contains("conflicting types for 'exports_");
  Error error(ErrorCode::build_failed, fmt::format("{}: {}", what, first->message),
              is_export ? fmt::format("declare it as its world does, in {}",
                                      (plan_.work_dir / "bindings" / "torvyn.h").string())
                        : "the compiler's own words stand above");
  if (first->line != 0) error = std::move(error).at_file(first->file, first->line, first->column);
  return error;
}

Status Compiler::run(const std::vector<std::string>& command, const std::string& what, bool quiet_if_ok) const {
  TORVYN_LET(const CommandResult result, run_command(command));
  const bool shown = !result.output.empty() && !(quiet_if_ok && result.ok());
  if (shown && request_.on_output) request_.on_output(result.output);
  if (result.ok()) return {};
  return fail(explain(result, what));
}

Result<Compiler::Scan> Compiler::scan(const fs::path& source) const {
  // -MG: headers that are not found are taken to be generated later, as those of the worlds are.
  const fs::path list = plan_.work_dir / "scan.d";
  std::vector<std::string> command = for_source(source);
  command.insert(command.end(), {"-MM", "-MG", "-MF", list.string(), source.string()});
  TORVYN_TRY(run(command, fmt::format("`{}` does not compile", source.string()), true));
  TORVYN_LET(const std::string text, read_file(list));

  Scan scan;
  constexpr std::string_view folder = "torvyn/";
  for (fs::path& path : parse_depfile(text)) {
    const std::string name = path.string();
    if (name.starts_with(folder) && path.extension() == ".h" && FileState::of(path).size_bytes < 0) {
      scan.headers.insert(path.stem().string());
    } else if (!is_below(path, plan_.work_dir)) {  // there stands what we write
      scan.files.push_back(std::move(path));
    }
  }
  return scan;
}

Status Compiler::compile(const fs::path& source, const fs::path& object) const {
  std::vector<std::string> command = for_source(source);
  command.push_back(fmt::format("-I{}", (plan_.work_dir / "bindings").string()));
  command.insert(command.end(), {"-c", source.string(), "-o", object.string()});
  return run(command, fmt::format("`{}` does not compile", source.string()));
}

Status Compiler::compile_generated(const fs::path& source, const fs::path& object) const {
  std::vector<std::string> command = base();
  command.insert(command.end(), {"-O2", "-g0", "-w", "-c", source.string(), "-o", object.string()});
  return run(command, "the generated bindings do not compile");
}

Status Compiler::link(const std::vector<fs::path>& objects, const fs::path& module, const std::string& world) const {
  std::vector<std::string> command = base();
  command.emplace_back("-mexec-model=reactor");
  if (plan_.language == Language::cpp) command.emplace_back("--driver-mode=g++");
  for (const fs::path& object : objects) command.push_back(object.string());
  // No -O here: it would let clang run wasm-opt where that is installed, which drops the names that backtraces need.
  // Stack first: an overflow then leaves the memory and traps, and does not run over the data.
  command.push_back(fmt::format("-Wl,--stack-first,-z,stack-size={}", guest_stack_bytes));
  if (request_.release) command.emplace_back("-Wl,--strip-debug");
  std::ranges::copy_if(request_.flags, std::back_inserter(command), is_for_linker);
  // The C library's own formatting complains of `long double` on stderr, and so needs WASI for every snprintf. This
  // one can do it.
  command.emplace_back("-lc-printscan-long-double");
  command.insert(command.end(), {"-o", module.string()});

  Status linked = run(command, fmt::format("`{}` does not link", plan_.name));
  constexpr std::string_view undefined = "undefined symbol: exports_";
  if (linked) return linked;
  const std::string& message = linked.error().message();
  if (const std::size_t at = message.find(undefined); at != std::string::npos) {
    const std::size_t start = at + undefined.find("exports_");
    const std::string function = message.substr(start, message.find_first_of(" \n", start) - start);
    return fail(ErrorCode::build_failed,
                fmt::format("`{}` does not define `{}`, which its world `{}` asks for", plan_.name, function, world),
                fmt::format("{} declares it; look for a function that is spelt nearly so",
                            (plan_.work_dir / "bindings" / "torvyn.h").string()));
  }
  return linked;
}

// `error` at the line that includes the header of a world. Errors of reading are left to the compiler.
Error at_include(Error error, const BuildPlan& plan, std::string_view header) {
  const std::string name = fmt::format("torvyn/{}.h", header);
  for (const fs::path& source : plan.sources) {
    const auto text = read_file(source);
    if (!text) continue;
    const std::size_t at = text->find(name);
    if (at == std::string::npos) continue;
    const auto line = 1 + std::count(text->begin(), text->begin() + static_cast<std::ptrdiff_t>(at), '\n');
    const std::size_t line_start = text->rfind('\n', at) + 1;
    return std::move(error).at_file(source.string(), static_cast<std::uint32_t>(line),
                                    static_cast<std::uint32_t>(at - line_start + 1));
  }
  return std::move(error).at_file(plan.sources.front().string());
}

// The world the sources are for: the one asked for, or the one whose header they include.
Result<const WorldCatalog::Entry*> choose_world(const BuildRequest& request, const BuildPlan& plan,
                                                const WorldCatalog& catalog, const std::set<std::string>& headers) {
  const WorldCatalog::Entry* asked = nullptr;
  if (!request.world.empty()) {
    TORVYN_LET(asked, catalog.require(request.world));
  }
  for (const std::string& header : headers) {
    const WorldCatalog::Entry* included = catalog.find_header(header);
    if (included == nullptr) {
      std::string world = header;
      std::ranges::replace(world, '_', '-');
      return fail(
          at_include(Error(ErrorCode::usage,
                           fmt::format("\"torvyn/{}.h\" is no header of the SDK and of no world{}", header,
                                       catalog.did_you_mean(world)),
                           fmt::format("the SDK has: {}; the worlds are: {}; a `-` becomes `_` in the header's name",
                                       sdk_roles, catalog.names())),
                     plan, header));
    }
    if (asked != nullptr && asked->header != included->header) {
      const std::string message =
          request.world.empty() ? fmt::format("`{}` includes the headers of two worlds, `{}` and `{}`", plan.name,
                                              asked->name, included->name)
                                : fmt::format("`{}` is to be built for the world `{}`, and includes the header of `{}`",
                                              plan.name, asked->name, included->name);
      return fail(at_include(
          Error(ErrorCode::usage, message, "a component is built for one world; keep the header of that one"), plan,
          included->header));
    }
    if (asked == nullptr) asked = included;
  }
  if (asked == nullptr) {
    return fail(
        Error(ErrorCode::usage, fmt::format("`{}` does not say which world it is for", plan.name),
              fmt::format(
                  "include the SDK's header of a role, for instance <torvyn/processor.h> ({}), or the header of a "
                  "world, for instance \"torvyn/managed_transform.h\"; the worlds are: {}",
                  sdk_roles, catalog.names()))
            .at_file(plan.sources.front().string()));
  }
  return asked;
}

// Writes the bindings of `world`, and of what every component may use beside it.
Status write_bindings(const BuildPlan& plan, const WorldCatalog& catalog, const WorldCatalog::Entry& world) {
  const fs::path folder = plan.work_dir / "bindings";
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  TORVYN_TRY(make_folder(folder / "torvyn"));
  TORVYN_TRY(write_file(folder / "torvyn" / (world.header + ".h"), "#include \"../torvyn.h\"\n"));
  TORVYN_TRY(write_file(folder / "runtime.c", guest_runtime()));

  const std::string wit = component_wit(world);
  std::vector<WitFile> files = catalog.files();
  files.push_back({"torvyn-build", "torvyn-build.wit", wit});
  const std::vector<tvb_wit_file> raw = bridge_files(files);

  struct Writer {
    const fs::path& folder;
    Status status;
  } writer{folder, {}};
  const auto write = [](void* user, tvb_view name, tvb_view bytes) noexcept {
    auto& out = *static_cast<Writer*>(user);
    if (out.status) out.status = write_file(out.folder / text_of(name), text_of(bytes));
  };
  tvb_failure failure{};
  if (tvb_bindings_c(raw.data(), raw.size(), view_of("torvyn:build/component"), write, &writer, &failure) != TVB_OK) {
    return fail(take_error(failure, ErrorCode::wit_syntax));
  }
  return writer.status;
}

Status write_sdk(const BuildPlan& plan) {
  for (const std::string_view headers : sdk_headers) TORVYN_TRY(write_embedded(headers, plan.work_dir / sdk_folder));
  return {};
}

// What the sources are made of and for, found before anything is written.
struct Sources {
  std::vector<FileState> inputs;
  const WorldCatalog::Entry* world = nullptr;
};

Result<Sources> scan_sources(const BuildRequest& request, const BuildPlan& plan, const WorldCatalog& catalog,
                             const Compiler& compiler) {
  Sources sources;
  std::set<fs::path> files;
  std::set<std::string> headers;
  for (const fs::path& source : plan.sources) {
    TORVYN_LET(const Compiler::Scan scan, compiler.scan(source));
    headers.insert(scan.headers.begin(), scan.headers.end());
    for (const fs::path& file : scan.files) files.insert(fs::absolute(file).lexically_normal());
  }
  for (const fs::path& file : files) sources.inputs.push_back(FileState::of(file));
  TORVYN_LET(sources.world, choose_world(request, plan, catalog, headers));
  return sources;
}

Result<std::string> compile_sources(const BuildPlan& plan, const WorldCatalog& catalog,
                                    const WorldCatalog::Entry& world, const Compiler& compiler) {
  TORVYN_TRY(write_bindings(plan, catalog, world));
  const fs::path bindings = plan.work_dir / "bindings";
  const fs::path folder = plan.work_dir / "objects";
  TORVYN_TRY(make_folder(folder));

  std::vector<fs::path> objects;
  for (const fs::path& source : plan.sources) {
    // Numbered: sources of several folders may share a name.
    objects.push_back(folder / fmt::format("{}-{}.o", objects.size(), source.stem().string()));
    TORVYN_TRY(compiler.compile(source, objects.back()));
  }
  for (const char* const generated : {"torvyn", "runtime"}) {
    objects.push_back(folder / fmt::format("{}.o", generated));
    TORVYN_TRY(compiler.compile_generated(bindings / fmt::format("{}.c", generated), objects.back()));
  }
  objects.push_back(bindings / "torvyn_component_type.o");

  // The linker makes the file's name the module's, which backtraces show.
  const fs::path module = plan.work_dir / (plan.name + ".wasm");
  TORVYN_TRY(compiler.link(objects, module, world.name));
  return read_file(module);
}

class CBuilder final : public LanguageBuilder {
 public:
  using LanguageBuilder::LanguageBuilder;

  void add_to_key(Hash& key) const override {
    key.add(guest_runtime());
    for (const std::string_view headers : sdk_headers) add_embedded(key, headers);
  }

  Result<std::uint64_t> find_tools() override {
    TORVYN_LET(toolchain_, Toolchain::find());
    return identity_of_program(toolchain_->clang());
  }

  Result<Made> make() override {
    const Compiler compiler(*toolchain_, plan_);
    TORVYN_TRY(write_sdk(plan_));
    TORVYN_LET(Sources sources, scan_sources(plan_.request, plan_, plan_.catalog, compiler));
    Made made{.wasm = {}, .world = sources.world->full_name, .inputs = std::move(sources.inputs)};
    TORVYN_LET(made.wasm, compile_sources(plan_, plan_.catalog, *sources.world, compiler));
    return made;
  }

 private:
  std::optional<Toolchain> toolchain_;
};

}  // namespace

std::unique_ptr<LanguageBuilder> make_c_builder(const BuildPlan& plan) { return std::make_unique<CBuilder>(plan); }

}  // namespace torvyn::contracts
