#include "torvyn/host/plugin.h"

#include <cstring>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include "torvyn/config/references.h"
#include "torvyn/engine/engine.h"
#include "torvyn/resources/buffer_pool.h"
#include "torvyn/resources/content_types.h"
#include "torvyn/security/sandbox.h"
#include "torvyn/types/clock.h"

namespace torvyn::host {
namespace {

using engine::CallOutcome;
using engine::CallStatus;
using resources::AllocateStatus;
using resources::BufferAction;
using resources::BufferRef;
using resources::Element;
using resources::Run;

// One call's inputs and outputs: a plugin has no queue, and so no use for the pools of a host.
constexpr resources::PoolOptions few_buffers{.kept = {64, 16, 4, 2}};

class PluginOnInstance final : public Plugin {
 public:
  explicit PluginOnInstance(const PluginLimits& limits) : limits_(limits) {
    if (limits_.events == nullptr) limits_.events = &silence_;
  }
  ~PluginOnInstance() override {
    resources::clear_run(in_);
    resources::clear_run(out_);
    if (instance_ != nullptr) std::ignore = instance_->teardown();
  }

  Status open(const std::filesystem::path& component) {
    resources::PoolOptions pools = few_buffers;
    pools.max_buffer_bytes = limits_.max_buffer_bytes;
    TORVYN_LET(pool_, resources::BufferPool::create(pools));
    engine::EngineOptions options;
    options.max_instances = 1;
    options.cache_directory = limits_.cache_directory;
    options.events = limits_.events;
    TORVYN_LET(engine_, engine::WasmEngine::create(options));
    TORVYN_LET(component_, engine_->load(component));
    TORVYN_TRY(component_->check_imports());
    for (const contracts::Role role : {contracts::Role::processor, contracts::Role::filter})
      if (const engine::StageInfo* const stage = component_->info().find_stage(role)) {
        options_.role = stage->role;
        options_.contract = stage->contract;
        return start();
      }
    return fail(ErrorCode::graph_invalid, "`" + component.string() + "` is no processor and no filter",
                "a plugin has an input and outputs; sources, sinks and aggregators need a flow");
  }

  PluginAnswer process(std::span<const std::byte> input, std::string_view content_type) override {
    return process_run({&input, 1}, content_type);
  }

  PluginAnswer process_run(std::span<const std::span<const std::byte>> inputs, std::string_view content_type) override {
    resources::clear_run(out_);
    resources::clear_run(in_);
    outputs_.clear();
    if (ended_) return {.status = PluginStatus::ended};
    const ContentTypeId type = content_types_.intern(content_type);
    if (type == resources::content_type_rejected)
      return refused(0, "the content type is too long or not UTF-8, or one too many");
    for (const std::span<const std::byte> input : inputs)
      if (!enter(input, type))
        return refused(0, "an input is larger than `max_buffer_bytes`, or there is no memory for it");
    const CallOutcome outcome = instance_->process(in_, out_);
    for (const Element& element : out_)
      outputs_.push_back({.bytes = element.payload.bytes(),
                          .content_type = content_types_.text(element.meta.content_type),
                          .input = element.lineage});
    PluginAnswer answer{.outputs = outputs_, .done = outcome.done};
    if (outcome.status == CallStatus::element_error) {
      answer.status = PluginStatus::refused;
      answer.kind = instance_->error_kind();
      answer.text = instance_->error_text();
    } else if (outcome.status == CallStatus::ended) {
      answer.status = PluginStatus::ended;
      ended_ = true;
    }
    return answer;
  }

  Error failure() const override { return instance_->failure(); }

  Status restart() override {
    resources::clear_run(in_);
    resources::clear_run(out_);
    outputs_.clear();
    return start();
  }

  void stop() noexcept override {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    if (instance_ != nullptr) instance_->stop();
  }

  std::uint64_t memory_bytes() const noexcept override { return instance_ == nullptr ? 0 : instance_->memory_bytes(); }

 private:
  Status start() {
    const bool has_settings = !limits_.settings.empty();
    if (has_settings && !component_->info().has_lifecycle)
      return fail(ErrorCode::settings_without_lifecycle, "`" + component_->name() + "` takes no settings, and got some",
                  "leave `settings` out, or build the component against a world with `lifecycle`");
    options_.flow = "plugin";
    options_.node = component_->name();
    options_.pool = pool_.get();
    options_.content_types = &content_types_;
    options_.events = limits_.events;
    options_.clock = &SystemClock::instance();
    options_.max_memory_bytes = limits_.max_memory_bytes;
    options_.max_log_bytes_per_s = limits_.max_log_bytes_per_s;
    options_.call_timeout_ns = limits_.call_timeout_ns;
    TORVYN_LET(options_.sandbox, security::make_sandbox(limits_.grants, {}, config::process_variable));
    {
      const std::scoped_lock lock(mutex_);
      instance_.reset();  // first: there is room for one
    }
    TORVYN_LET(std::unique_ptr<engine::Instance> instance, component_->instantiate(options_));
    {
      const std::scoped_lock lock(mutex_);
      instance_ = std::move(instance);
      if (stopped_) instance_->stop();
    }
    ended_ = true;  // until `init` has gone well
    TORVYN_TRY(instance_->init(limits_.settings));
    ended_ = false;
    return {};
  }

  bool enter(std::span<const std::byte> input, ContentTypeId type) {
    BufferRef buffer;
    if (pool_->allocate(input.size(), buffer) != AllocateStatus::ok) return false;
    if (!input.empty()) std::memcpy(buffer.writable().data(), input.data(), input.size());
    buffer.set_size(static_cast<std::uint32_t>(input.size()));
    buffer.set_content_type(type);
    const bool published = buffer.apply(BufferAction::publish);
    TORVYN_ASSERT(published, "a buffer just allocated can be published");
    const auto index = static_cast<std::uint32_t>(in_.size());
    in_.push_back(
        {.meta = {.sequence = next_sequence_++, .content_type = type}, .payload = std::move(buffer), .lineage = index});
    return true;
  }

  PluginAnswer refused(std::uint32_t done, std::string_view text) {
    resources::clear_run(in_);
    return {.status = PluginStatus::refused, .done = done, .kind = ProcessErrorKind::invalid_input, .text = text};
  }

  PluginLimits limits_;
  NullEventSink silence_;
  // In the order in which they need each other.
  std::unique_ptr<resources::BufferPool> pool_;
  resources::ContentTypes content_types_;
  std::unique_ptr<engine::Engine> engine_;
  std::shared_ptr<engine::Component> component_;
  engine::InstanceOptions options_;
  std::mutex mutex_;  // of `instance_`, for `stop`
  std::unique_ptr<engine::Instance> instance_;
  bool stopped_ = false;
  bool ended_ = false;
  Run in_;
  Run out_;
  std::vector<PluginOutput> outputs_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace

Result<std::unique_ptr<Plugin>> Plugin::load(const std::filesystem::path& component, const PluginLimits& limits) {
  auto plugin = std::make_unique<PluginOnInstance>(limits);
  TORVYN_TRY(plugin->open(component));
  return plugin;
}

}  // namespace torvyn::host
