#include "torvyn/connectors/connectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "torvyn/config/nearest.h"
#include "torvyn/config/place.h"
#include "torvyn/config/units.h"
#include "torvyn/connectors/generate_source.h"
#include "torvyn/connectors/null_sink.h"
#include "torvyn/connectors/read_source.h"
#include "torvyn/connectors/settings.h"
#include "torvyn/connectors/write_sink.h"

namespace torvyn::connectors {
namespace {

using StagePointer = std::unique_ptr<reactor::Stage>;

constexpr std::string_view builtin_prefix = "builtin:";
constexpr std::string_view default_text = "hello {n}\n";
constexpr double rate_per_s_max = 1e9;  // the clock counts nanoseconds

constexpr Positions as_source{.source = true};
constexpr Positions as_sink{.sink = true};
constexpr Positions as_both{.source = true, .sink = true};

constexpr SettingInfo long_lines_setting{.key = "long_lines",
                                         .type = "fail or split",
                                         .default_value = "fail",
                                         .help = "what to do about a line longer than max-buffer-size",
                                         .positions = as_source};
constexpr SettingInfo chunk_setting{.key = "chunk",
                                    .type = "size",
                                    .help = "elements of so many bytes, the last may be shorter; without it, lines",
                                    .positions = as_source};

constexpr std::array generate_settings{
    SettingInfo{.key = "count",
                .type = "number",
                .help = "how many elements; without it, no end",
                .positions = as_source,
                .main = true},
    SettingInfo{.key = "text",
                .type = "text",
                .default_value = R"("hello {n}\n")",
                .help = "the payload; {n} becomes the element's number, from 0",
                .positions = as_source},
    SettingInfo{.key = "size",
                .type = "size",
                .help = "makes every payload this long: cuts the text, or fills it up with dots before its line feed",
                .positions = as_source},
    SettingInfo{.key = "rate",
                .type = "number",
                .help = "elements a second; without it, as fast as they are taken",
                .positions = as_source},
};

constexpr std::array file_settings{
    SettingInfo{.key = "path",
                .type = "path",
                .help = "the file; as a sink NAME.partial is written, and renamed to NAME when complete",
                .positions = as_both,
                .main = true},
    long_lines_setting,
    chunk_setting,
    SettingInfo{.key = "append",
                .type = "true or false",
                .default_value = "false",
                .help = "adds to the file itself, without NAME.partial",
                .positions = as_sink},
    SettingInfo{.key = "sync",
                .type = "true or false",
                .default_value = "false",
                .help = "waits at the end until the disk has it all",
                .positions = as_sink},
};

constexpr std::array stdin_settings{long_lines_setting, chunk_setting};

constexpr std::array<BuiltinInfo, 5> all_builtins{{
    {"generate", as_source, "makes numbered payloads, as many and as fast as asked for", generate_settings},
    {"file", as_both, "reads a file by lines or chunks; writes one", file_settings},
    {"stdin", as_source, "reads standard input by lines or chunks, each as soon as it is there", stdin_settings},
    {"stdout", as_sink, "writes payloads to standard output as they are", {}},
    {"null", as_sink, "drops everything", {}},
}};

std::uint64_t element_bytes_max(const ConnectorContext& context) noexcept {
  const std::uint64_t pool_max = std::min(context.pool->max_buffer_bytes(), resources::buffer_bytes_max);
  return context.max_buffer_bytes == 0 ? pool_max : std::min(context.max_buffer_bytes, pool_max);
}

ContentTypeId text_type(const ConnectorContext& context) { return context.content_types->intern("text/plain"); }
ContentTypeId bytes_type(const ConnectorContext& context) {
  return context.content_types->intern("application/octet-stream");
}

Result<StagePointer> make_generate(const Settings& settings, const ConnectorContext& context) {
  GenerateOptions options;
  TORVYN_LET(options.count, settings.whole_number("count"));
  TORVYN_LET(options.rate_per_s, settings.positive_number("rate", rate_per_s_max));
  TORVYN_LET(const auto size, settings.size_bytes("size", 0, element_bytes_max(context)));
  if (size) options.size_bytes = static_cast<std::uint32_t>(*size);
  const std::string* const text = settings.find("text");
  options.text = text != nullptr ? *text : default_text;
  if (generated_bytes_max(options) > element_bytes_max(context))
    return fail(settings.bad_value(
        "text", fmt::format("at most {} long (max-buffer-size)", config::format_size(element_bytes_max(context)))));
  return std::make_unique<GenerateSource>(options, context, text_type(context));
}

// What `file` and `stdin` as sources have in common.
Result<StagePointer> make_reader(ReadOptions options, const Settings& settings, const ConnectorContext& context) {
  options.element_bytes_max = static_cast<std::uint32_t>(element_bytes_max(context));
  TORVYN_LET(const auto chunk_bytes, settings.size_bytes("chunk", 1, options.element_bytes_max));
  if (chunk_bytes) options.chunk_bytes = static_cast<std::uint32_t>(*chunk_bytes);
  if (const std::string* long_lines = settings.find("long_lines"); long_lines != nullptr) {
    if (*long_lines != "fail" && *long_lines != "split") return fail(settings.bad_value("long_lines", "fail or split"));
    if (chunk_bytes)
      return fail(settings.at("long_lines", Error(ErrorCode::usage, "`long_lines` has no meaning beside `chunk`",
                                                  "with `chunk` there are no lines: leave one of them out")));
    options.split_long_lines = *long_lines == "split";
  }
  const ContentTypeId type = options.chunk_bytes == 0 ? text_type(context) : bytes_type(context);
  return std::make_unique<ReadSource>(std::move(options), context, type);
}

Result<StagePointer> make_file(const config::NodeConfig& node, const Settings& settings, Position position,
                               const ConnectorContext& context) {
  const std::string* const written = settings.find("path");
  if (written == nullptr || written->empty())
    return fail(
        config::placed(Error(ErrorCode::usage, "`file` needs a path",
                             "`file access.log` in a pipeline, config = { path = \"access.log\" } in a manifest"),
                       node.where));
  // A zero byte would end the name where the kernel reads it, and another file would be opened.
  if (written->find('\0') != std::string::npos) return fail(settings.bad_value("path", "a path, without a zero byte"));
  std::filesystem::path path = context.base_directory / *written;
  if (position == Position::source) return make_reader({.path = std::move(path), .name = *written}, settings, context);
  FileSinkOptions options{.path = std::move(path), .name = *written};
  TORVYN_LET(options.append, settings.flag("append", false));
  TORVYN_LET(options.sync, settings.flag("sync", false));
  return std::make_unique<FileSink>(std::move(options), context);
}

Error no_such_builtin(const config::NodeConfig& node) {
  std::vector<std::string_view> names;
  for (const BuiltinInfo& info : all_builtins) names.push_back(info.name);
  std::string_view name = node.component;
  if (name.starts_with(builtin_prefix)) name.remove_prefix(builtin_prefix.size());
  std::string message = fmt::format("there is no built-in stage `{}`", name);
  if (const auto near = config::nearest(name, names); !near.empty())
    message += fmt::format(", did you mean `{}`?", near);
  return Error(ErrorCode::component_not_found, std::move(message),
               fmt::format("built in are {}", fmt::join(names, ", ")));
}

Error wrong_position(const BuiltinInfo& info, Position position) {
  return position == Position::source
             ? Error(ErrorCode::graph_invalid,
                     fmt::format("`{}` is a sink and can't be where a source belongs", info.name),
                     "a sink comes last; a flow begins with a source, such as `file access.log` or `stdin`")
             : Error(ErrorCode::graph_invalid,
                     fmt::format("`{}` is a source and can't be where a sink belongs", info.name),
                     "a source comes first; a flow ends with a sink, such as `file out.log` or `stdout`");
}

}  // namespace

std::span<const BuiltinInfo> builtins() noexcept { return all_builtins; }

const BuiltinInfo* find_builtin(std::string_view name) noexcept {
  if (name.starts_with(builtin_prefix)) name.remove_prefix(builtin_prefix.size());
  const auto* const found = std::find_if(all_builtins.begin(), all_builtins.end(),
                                         [&](const BuiltinInfo& info) { return info.name == name; });
  return found == all_builtins.end() ? nullptr : found;
}

Result<StagePointer> make_builtin(const config::NodeConfig& node, Position position, const ConnectorContext& context) {
  const auto& named = node.component_where.line != 0 ? node.component_where : node.where;
  const BuiltinInfo* const info = find_builtin(node.component);
  if (info == nullptr) return fail(config::placed(no_such_builtin(node), named));
  if (!info->positions.contains(position)) return fail(config::placed(wrong_position(*info, position), named));
  TORVYN_LET(const auto settings, Settings::read(node, *info, position));

  if (info->name == "generate") return make_generate(settings, context);
  if (info->name == "file") return make_file(node, settings, position, context);
  if (info->name == "stdin") return make_reader({.fd = context.stdin_fd, .name = "standard input"}, settings, context);
  if (info->name == "stdout") return std::make_unique<StdoutSink>(context);
  return std::make_unique<NullSink>();
}

}  // namespace torvyn::connectors
