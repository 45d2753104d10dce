#include "torvyn/contracts/component_builder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>

#include "torvyn/contracts/bridge_values.h"
#include "torvyn/contracts/build_stamp.h"
#include "torvyn/contracts/files.h"
#include "torvyn/contracts/hash.h"
#include "torvyn/contracts/toolchain.h"
#include "torvyn/contracts/wasm_file.h"
#include "torvyn/contracts/world_catalog.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

// To be raised when the same inputs would give another component.
constexpr std::string_view builder_revision = "2";

// Of a component, for its data on the stack. Twice what the linker gives by default; room that is not used costs
// nothing.
constexpr int guest_stack_bytes = 128 * 1024;

constexpr std::array c_extensions = {".c"};
constexpr std::array cxx_extensions = {".cc", ".cpp", ".cxx"};

bool is_c(const fs::path& path) { return std::ranges::find(c_extensions, path.extension()) != c_extensions.end(); }
bool is_cxx(const fs::path& path) {
  return std::ranges::find(cxx_extensions, path.extension()) != cxx_extensions.end();
}

// A request with every blank filled in.
struct Plan {
  std::vector<fs::path> sources;
  bool is_core_module = false;
  bool cxx = false;
  std::string name;
  fs::path output;
  fs::path work_dir;
};

Result<Plan> plan_build(const BuildRequest& request) {
  if (request.sources.empty()) return fail(ErrorCode::usage, "nothing to build was named", "torvyn build SOURCE");
  Plan plan;
  fs::path first = request.sources.front();
  std::error_code error;
  fs::path folder = first.parent_path();
  if (request.sources.size() == 1 && fs::is_directory(first, error)) {
    if (!first.has_filename()) first = first.parent_path();
    folder = first;
    for (fs::directory_iterator at(first, error), end; !error && at != end; at.increment(error)) {
      if (is_c(at->path()) || is_cxx(at->path())) plan.sources.push_back(at->path());
    }
    std::ranges::sort(plan.sources);
    if (plan.sources.empty()) {
      return fail(ErrorCode::usage, fmt::format("`{}` holds no C or C++ source", first.string()),
                  "sources end in .c, .cc, .cpp or .cxx");
    }
    plan.name = fs::absolute(first).lexically_normal().filename().string();
  } else {
    plan.sources = request.sources;
    plan.name = first.stem().string();
    for (const fs::path& source : plan.sources) {
      if (!fs::exists(source, error)) {
        return fail(ErrorCode::io_failed, fmt::format("`{}` cannot be read: {}", source.string(),
                                                      error ? error.message() : "No such file or directory"));
      }
      if (is_c(source) || is_cxx(source)) continue;
      if (source.extension() == ".wasm" && plan.sources.size() == 1) {
        plan.is_core_module = true;
        continue;
      }
      return fail(ErrorCode::usage, fmt::format("`{}` cannot be built", source.string()),
                  "give .c, .cc, .cpp or .cxx files, one folder of them, or one core module (.wasm)");
    }
  }
  plan.cxx = std::ranges::any_of(plan.sources, is_cxx);
  const std::string_view ending = plan.is_core_module ? ".component.wasm" : ".wasm";
  plan.output = request.output.empty() ? folder / (plan.name + std::string(ending)) : request.output;
  plan.work_dir = request.work_dir.empty() ? folder / "target" / plan.name : request.work_dir;
  return plan;
}

// Keeps other builds out of a work folder for as long as it lives.
class FolderLock {
 public:
  static Result<FolderLock> take(const fs::path& folder) {
    const fs::path path = folder / "lock";
    FolderLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (lock.fd_ < 0 || ::flock(lock.fd_, LOCK_EX) != 0) {
      return fail(ErrorCode::io_failed, fmt::format("`{}` cannot be locked: {}", path.string(), std::strerror(errno)));
    }
    return lock;
  }
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit FolderLock(int fd) noexcept : fd_(fd) {}
  int fd_;
};

std::uint64_t key_of(const BuildRequest& request, const Plan& plan, const WorldCatalog& catalog) {
  Hash hash;
  hash.add(builder_revision).add(guest_runtime()).add(request.world).add(request.release ? "release" : "debug");
  for (const WitFile& file : catalog.files()) hash.add(file.package).add(file.path).add(file.text);
  for (const fs::path& source : plan.sources) hash.add(fs::absolute(source).lexically_normal().string());
  for (const std::string& flag : request.flags) hash.add("flag").add(flag);
  hash.add(fs::absolute(plan.output).lexically_normal().string());
  return hash.value();
}

std::uint64_t identity_of(const Toolchain& toolchain) {
  const FileState program = FileState::of(toolchain.clang());
  return Hash().add(program.path.string()).add(fmt::format("{} {}", program.size_bytes, program.modified_ns)).value();
}

// What the compiler is asked for, source by source.
class Compiler {
 public:
  Compiler(const Toolchain& toolchain, const BuildRequest& request, const Plan& plan)
      : toolchain_(toolchain), request_(request), plan_(plan) {}

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
  const Plan& plan_;
};

std::vector<std::string> Compiler::for_source(const fs::path& source) const {
  std::vector<std::string> command = base();
  // SIMD is part of every engine that runs components, and makes byte loops several times as fast.
  command.insert(command.end(), {"-O2", "-msimd128", "-Wall", "-Wextra", "-Wno-unused-parameter"});
  if (is_cxx(source)) command.insert(command.end(), {"-std=c++20", "-fno-exceptions", "-fno-rtti"});
  command.emplace_back(request_.release ? "-g0" : "-g1");
  // Paths in line tables and __FILE__ are seen from the source's folder, wherever that is.
  const std::string folder = source.parent_path().string();
  if (!folder.empty()) command.push_back(fmt::format("-ffile-prefix-map={}/=", folder));
  command.push_back(fmt::format("-ffile-prefix-map={}=torvyn-build", plan_.work_dir.string()));
  command.emplace_back("-fdebug-compilation-dir=.");
  if (request_.color) command.emplace_back("-fcolor-diagnostics");
  std::ranges::remove_copy_if(request_.flags, std::back_inserter(command), is_for_linker);
  return command;
}

Error Compiler::explain(const CommandResult& result, const std::string& what) const {
  if (auto missing = toolchain_.missing_part(plan_.cxx)) return *std::move(missing);
  const auto first = first_compiler_error(result.output);
  if (!first)
    return {ErrorCode::build_failed, fmt::format("{}: the compiler ended with code {}", what, result.exit_code)};
  Error error(ErrorCode::build_failed, fmt::format("{}: {}", what, first->message));
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
    } else {
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
  if (plan_.cxx) command.emplace_back("--driver-mode=g++");
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
  if (!linked && linked.error().message().find("undefined symbol: exports_") != std::string::npos) {
    return fail(std::move(linked).error().with_hint(
        fmt::format("the world `{}` asks for a function that the sources do not define; {} declares it", world,
                    (plan_.work_dir / "bindings" / "torvyn.h").string())));
  }
  return linked;
}

// The world the sources are for: the one asked for, or the one whose header they include.
Result<const WorldCatalog::Entry*> choose_world(const BuildRequest& request, const Plan& plan,
                                                const WorldCatalog& catalog, const std::set<std::string>& headers) {
  const WorldCatalog::Entry* asked = nullptr;
  if (!request.world.empty()) {
    asked = catalog.find(request.world);
    if (asked == nullptr) {
      return fail(ErrorCode::usage, fmt::format("there is no world `{}`", request.world),
                  fmt::format("the worlds are: {}", catalog.names()));
    }
  }
  for (const std::string& header : headers) {
    const WorldCatalog::Entry* included = catalog.find_header(header);
    if (included == nullptr) {
      return fail(ErrorCode::usage, fmt::format("`{}` includes \"torvyn/{}.h\", which no world has", plan.name, header),
                  fmt::format("the worlds are: {}; a `-` becomes `_` in the header's name", catalog.names()));
    }
    if (asked != nullptr && asked->header != included->header) {
      return fail(ErrorCode::usage,
                  fmt::format("`{}` includes the headers of two worlds, or one that is not asked for: `{}` and `{}`",
                              plan.name, asked->name, included->name),
                  "a component is built for one world; keep the header of that one");
    }
    if (asked == nullptr) asked = included;
  }
  if (asked == nullptr) {
    return fail(
        ErrorCode::usage, fmt::format("`{}` does not say which world it is for", plan.name),
        fmt::format("include the header of one, for instance \"torvyn/managed_transform.h\"; the worlds are: {}",
                    catalog.names()));
  }
  return asked;
}

// Writes the bindings of `world`, and of what every component may use beside it.
Status write_bindings(const Plan& plan, const WorldCatalog& catalog, const WorldCatalog::Entry& world) {
  const fs::path folder = plan.work_dir / "bindings";
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  TORVYN_TRY(make_folder(folder / "torvyn"));
  TORVYN_TRY(write_file(folder / "torvyn" / (world.header + ".h"), "#include \"../torvyn.h\"\n"));
  TORVYN_TRY(write_file(folder / "runtime.c", guest_runtime()));

  const std::string wit = fmt::format(
      "package torvyn:build;\n"
      "world component {{\n"
      "  include {};\n"
      "  import torvyn:diagnostics/log@0.1.0;\n"
      "  import torvyn:capabilities/capability-query@0.1.0;\n"
      "}}\n",
      world.full_name);
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

// What the sources are made of and for, found before anything is written.
struct Sources {
  std::vector<FileState> inputs;
  const WorldCatalog::Entry* world = nullptr;
};

Result<Sources> scan_sources(const BuildRequest& request, const Plan& plan, const WorldCatalog& catalog,
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

Result<std::string> compile_sources(const Plan& plan, const WorldCatalog& catalog, const WorldCatalog::Entry& world,
                                    const Compiler& compiler) {
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

Result<std::string> embed_world(std::string_view module, const Plan& plan, const WorldCatalog& catalog,
                                const WorldCatalog::Entry& world) {
  const std::vector<WitFile> files = catalog.files();
  const std::vector<tvb_wit_file> raw = bridge_files(files);
  tvb_string out{};
  tvb_failure failure{};
  if (tvb_embed_world(view_of(module), raw.data(), raw.size(), view_of(world.full_name), &out, &failure) != TVB_OK) {
    return fail(take_error(failure, ErrorCode::not_a_component).at_file(plan.sources.front().string()));
  }
  return take(out);
}

Result<std::string> componentize(std::string_view module, const Plan& plan) {
  tvb_string component{};
  tvb_failure failure{};
  if (tvb_componentize(view_of(module), &component, &failure) == TVB_OK) return take(component);
  Error error = take_error(failure, ErrorCode::not_a_component);
  error.detail().message =
      fmt::format("no component can be made of `{}`: {}", plan.sources.front().string(), error.message());
  if (!plan.is_core_module) return fail(std::move(error));
  return fail(
      std::move(error).with_hint("build the module with bindings of a Torvyn world; for one that only lacks the type: "
                                 "torvyn build MODULE --world WORLD"));
}

Result<std::string> read_core_module(const Plan& plan) {
  const fs::path& path = plan.sources.front();
  TORVYN_LET(std::string module, read_file(path));
  const WasmKind kind = classify_wasm({reinterpret_cast<const std::uint8_t*>(module.data()), module.size()});
  if (kind == WasmKind::core_module) return module;
  if (kind == WasmKind::component) {
    return fail(ErrorCode::usage, fmt::format("`{}` is a component already", path.string()), "it can be run as it is");
  }
  return fail(not_a_component(path.string(), kind));
}

}  // namespace

Result<BuildOutput> build_component(const BuildRequest& request) {
  TORVYN_LET(const Plan plan, plan_build(request));
  TORVYN_LET(const WorldCatalog catalog, WorldCatalog::load(request.wit_dir));
  TORVYN_TRY(make_folder(plan.work_dir));
  TORVYN_LET(const FolderLock lock, FolderLock::take(plan.work_dir));

  // What was built stays usable where no compiler is installed.
  const Result<Toolchain> toolchain =
      plan.is_core_module ? Result<Toolchain>(std::unexpect, ErrorCode::tool_missing, "") : Toolchain::find();
  const fs::path stamp_path = plan.work_dir / "stamp";
  const std::uint64_t key = key_of(request, plan, catalog);
  const std::uint64_t compiler_identity = toolchain ? identity_of(*toolchain) : 0;
  if (const auto last = BuildStamp::read(stamp_path)) {
    const bool same_compiler = !toolchain || last->compiler == compiler_identity;
    if (last->key == key && same_compiler && last->files_unchanged()) {
      return BuildOutput{plan.output, last->world, static_cast<std::uint64_t>(last->output.size_bytes), true};
    }
  }

  BuildStamp stamp{key, compiler_identity, {}, {}, {}};
  std::string module;
  if (plan.is_core_module) {
    stamp.inputs = {FileState::of(fs::absolute(plan.sources.front()))};
    TORVYN_LET(module, read_core_module(plan));
    if (!request.world.empty()) {
      TORVYN_LET(const auto* const world, choose_world(request, plan, catalog, {}));
      TORVYN_LET(module, embed_world(module, plan, catalog, *world));
      stamp.world = world->full_name;
    }
  } else {
    if (!toolchain) return fail(toolchain.error());
    const Compiler compiler(*toolchain, request, plan);
    TORVYN_LET(Sources sources, scan_sources(request, plan, catalog, compiler));
    stamp.inputs = std::move(sources.inputs);
    stamp.world = sources.world->full_name;
    TORVYN_LET(module, compile_sources(plan, catalog, *sources.world, compiler));
  }

  TORVYN_LET(const std::string component, componentize(module, plan));
  if (plan.output.has_parent_path()) TORVYN_TRY(make_folder(plan.output.parent_path()));
  TORVYN_TRY(replace_file(plan.output, component));
  stamp.output = FileState::of(fs::absolute(plan.output));
  TORVYN_TRY(stamp.write(stamp_path));
  return BuildOutput{plan.output, stamp.world, component.size(), false};
}

}  // namespace torvyn::contracts
