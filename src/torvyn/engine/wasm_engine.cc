#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "torvyn_bridge_values.h"

#include "torvyn/config/nearest.h"
#include "torvyn/config/references.h"
#include "torvyn/contracts/wasm_file.h"
#include "torvyn/engine/compile_cache.h"
#include "torvyn/engine/engine.h"
#include "torvyn/engine/wasm_instance.h"
#include "torvyn/types/file.h"

namespace torvyn::engine {
namespace {

using bridge::take;
using bridge::take_message;
using bridge::view_of;
using contracts::WasmKind;

// The bridge's engine and the thread that keeps its time. Shared by components and instances: freed with the last of them.
struct EngineCore {
  explicit EngineCore(tvb_engine* raw) : engine(raw), ticker([raw] { tvb_engine_tick(raw); }) {}
  ~EngineCore() = default;
  EngineCore(const EngineCore&) = delete;
  EngineCore& operator=(const EngineCore&) = delete;

  struct Free {
    void operator()(tvb_engine* raw) const noexcept { tvb_engine_free(raw); }
  };
  std::unique_ptr<tvb_engine, Free> engine;
  Ticker ticker;  // after `engine`: it ends first
};

// What a component was compiled to. Whoever loads the same bytes shares it: ten thousand flows of one component hold its code once.
struct ComponentCore {
  std::shared_ptr<EngineCore> engine;
  tvb_component* component = nullptr;
  ComponentInfo info;
  ComponentCore(std::shared_ptr<EngineCore> core, tvb_component* raw) : engine(std::move(core)), component(raw) {}
  ~ComponentCore() { tvb_component_free(component); }
  ComponentCore(const ComponentCore&) = delete;
  ComponentCore& operator=(const ComponentCore&) = delete;
};

class WasmComponent final : public Component {
 public:
  WasmComponent(std::shared_ptr<ComponentCore> core, std::string name, std::string digest, bool from_cache)
      : core_(std::move(core)), name_(std::move(name)), digest_(std::move(digest)), from_cache_(from_cache) {}

  const ComponentInfo& info() const noexcept override { return core_->info; }
  const std::string& name() const noexcept override { return name_; }
  bool from_cache() const noexcept override { return from_cache_; }
  const std::string& digest() const noexcept override { return digest_; }
  std::string_view path() const noexcept override { return info().typed_because.empty() ? "direct" : "typed"; }

  Status check_imports() const override {
    tvb_failure failure{};
    if (tvb_component_check_imports(core_->component, &failure) == TVB_OK) return {};
    const std::string message = take_message(failure);
    // The engine names the import it stumbled over between backticks.
    const std::size_t start = message.find('`');
    const std::string import =
        start == std::string::npos ? "" : message.substr(start + 1, message.find('`', start + 1) - start - 1);
    const std::string_view capability = capability_of_import(import);
    std::string hint = "build the component without it; what a component may import is in docs/components.md";
    if (!capability.empty())
      hint = fmt::format(
          "it belongs to the capability `{}`; this Torvyn provides WASI 0.2 without that interface or version",
          capability);
    return fail(ErrorCode::import_not_provided, fmt::format("`{}` cannot be linked: {}", name_, message),
                std::move(hint));
  }

  Result<std::unique_ptr<Instance>> instantiate(const InstanceOptions& options) override {
    return WasmInstance::create(core_->component, core_, core_->engine->ticker, options, name_);
  }

 private:
  std::shared_ptr<ComponentCore> core_;
  std::string name_;
  std::string digest_;
  bool from_cache_;
};

class EngineOverBridge final : public Engine {
 public:
  EngineOverBridge(std::shared_ptr<EngineCore> core, const EngineOptions& options)
      : core_(std::move(core)),
        events_(options.events),
        fingerprint_(take(tvb_engine_fingerprint(core_->engine.get()))) {
    if (options.cache_directory.empty()) return;
    Result<CompileCache> cache = CompileCache::open(options.cache_directory);
    if (cache) {
      cache_.emplace(*std::move(cache));
    } else {
      warn(cache.error());
    }
  }

  Result<std::shared_ptr<Component>> load(const std::filesystem::path& path) override {
    return stage_only(load_any(path));
  }

  Result<std::shared_ptr<Component>> compile(std::span<const std::uint8_t> wasm, std::string name) override {
    return stage_only(compile_any(wasm, std::move(name)));
  }

  Result<std::shared_ptr<Component>> load_any(const std::filesystem::path& path) override {
    Result<std::vector<std::uint8_t>> bytes = read_file(path);
    if (!bytes) {
      std::error_code error;
      if (!std::filesystem::exists(path, error) && !error)
        return fail(ErrorCode::component_not_found,
                    "there is no component `" + path.string() + "`" + config::did_you_mean_file(path),
                    "look at the spelling and at the folder it is taken from");
      return fail(std::move(bytes).error());
    }
    return compile_any(*bytes, path.string());
  }

  std::uint64_t guest_memory_bytes() const noexcept override { return tvb_engine_memory(core_->engine.get()); }

 private:
  static Result<std::shared_ptr<Component>> stage_only(Result<std::shared_ptr<Component>> component) {
    if (!component) return component;
    Status is_stage = check_stage((*component)->info());
    if (is_stage) return component;
    Error error = std::move(is_stage).error();
    error.detail().component = (*component)->name();
    return fail(std::move(error));
  }

  Result<std::shared_ptr<Component>> compile_any(std::span<const std::uint8_t> wasm, std::string name) {
    const WasmKind kind = contracts::classify_wasm(wasm);
    if (kind != WasmKind::component) return fail(contracts::not_a_component(name, kind));
    std::string digest = component_digest(wasm);
    if (std::shared_ptr<ComponentCore> shared = shared_core(digest))
      return std::make_shared<WasmComponent>(std::move(shared), std::move(name), std::move(digest), true);
    const std::string key = cache_ ? CompileCache::key(wasm, fingerprint_) : std::string();
    if (cache_) {
      if (const auto code = cache_->load(key)) {
        tvb_component* raw = nullptr;
        tvb_failure failure{};
        if (tvb_component_load(core_->engine.get(), view_of(*code), &raw, &failure) == TVB_OK)
          return describe(raw, std::move(digest), std::move(name), true);
        tvb_failure_free(&failure);
      }
    }
    tvb_component* raw = nullptr;
    tvb_failure failure{};
    if (tvb_component_compile(core_->engine.get(), view_of(wasm), &raw, &failure) != TVB_OK) {
      if (failure.kind == TVB_FAILURE_PANIC)
        return fail(ErrorCode::internal_error, "the engine bridge panicked: " + take_message(failure),
                    "please report this, with the component");
      return fail(contracts::not_a_component(name, kind, take_message(failure)));
    }
    Result<std::shared_ptr<Component>> component = describe(raw, std::move(digest), std::move(name), false);
    if (component && cache_) keep(raw, key);
    return component;
  }

  Result<std::shared_ptr<Component>> describe(tvb_component* raw, std::string digest, std::string name,
                                              bool from_cache) {
    auto core = std::make_shared<ComponentCore>(core_, raw);
    tvb_string json{};
    tvb_failure failure{};
    if (tvb_component_describe(raw, &json, &failure) != TVB_OK)
      return fail(ErrorCode::internal_error, take_message(failure));
    TORVYN_LET(core->info, read_component_info(take(json)));
    share(digest, core);
    return std::make_shared<WasmComponent>(std::move(core), std::move(name), std::move(digest), from_cache);
  }

  // What is loaded already from bytes of this digest, or null.
  std::shared_ptr<ComponentCore> shared_core(const std::string& digest) {
    const std::scoped_lock lock(loaded_mutex_);
    const auto found = loaded_.find(digest);
    return found == loaded_.end() ? nullptr : found->second.lock();
  }

  void share(const std::string& digest, const std::shared_ptr<ComponentCore>& core) {
    const std::scoped_lock lock(loaded_mutex_);
    std::erase_if(loaded_, [](const auto& entry) { return entry.second.expired(); });
    loaded_.insert_or_assign(digest, core);
  }

  // A cache that can't be written costs time, not correctness: said once, not failed.
  void keep(tvb_component* raw, const std::string& key) {
    tvb_string code{};
    tvb_failure failure{};
    if (tvb_component_serialize(raw, &code, &failure) != TVB_OK) {
      tvb_failure_free(&failure);
      return;
    }
    const Status stored = cache_->store(key, {code.data, static_cast<std::size_t>(code.size)});
    tvb_string_free(&code);
    if (!stored && !warned_.exchange(true)) warn(stored.error());
  }

  void warn(const Error& error) {
    if (events_ != nullptr)
      events_->event(Severity::warn, "W0004", {}, error.message() + "; compiling without a cache");
  }

  std::shared_ptr<EngineCore> core_;
  EventSink* events_;
  std::string fingerprint_;
  std::optional<CompileCache> cache_;
  std::atomic<bool> warned_{false};
  std::mutex loaded_mutex_;
  std::map<std::string, std::weak_ptr<ComponentCore>> loaded_;  // by digest; guarded by `loaded_mutex_`
};

// For whoever wants to compare the paths, or to rule one out.
bool asks_for_typed_calls() {
  const std::optional<std::string> path = config::process_variable("TORVYN_ENGINE_PATH");
  return path && *path == "typed";
}

}  // namespace

Result<std::unique_ptr<Engine>> WasmEngine::create(const EngineOptions& options) {
  if (tvb_abi_version() != TVB_ABI_VERSION)
    return fail(ErrorCode::internal_error, "the bridge and its header differ in version");
  const tvb_engine_options raw{.max_instances = options.max_instances,
                               .max_stack_bytes = 0,
                               .tick_ms = tick_ns / 1'000'000,
                               .max_memory_bytes = options.max_memory_bytes,
                               .typed_only = options.typed_only || asks_for_typed_calls()};
  tvb_engine* engine = nullptr;
  tvb_failure failure{};
  if (tvb_engine_new(&raw, &instance_callbacks(), &engine, &failure) != TVB_OK)
    return fail(ErrorCode::internal_error, "the engine cannot be set up: " + take_message(failure),
                "if address space is limited here (ulimit -v), lower [runtime] max_instances");
  return std::make_unique<EngineOverBridge>(std::make_shared<EngineCore>(engine), options);
}

std::string_view engine_version() noexcept { return bridge::text_of(tvb_engine_version()); }

std::uint64_t engine_allocations() noexcept { return tvb_allocations(); }

}  // namespace torvyn::engine
