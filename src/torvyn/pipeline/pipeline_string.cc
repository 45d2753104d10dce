#include "torvyn/pipeline/pipeline_string.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "torvyn/config/json_text.h"
#include "torvyn/config/manifest.h"
#include "torvyn/config/names.h"
#include "torvyn/config/nearest.h"
#include "torvyn/config/place.h"
#include "torvyn/config/schema.h"
#include "torvyn/config/units.h"

namespace torvyn::pipeline {
namespace {

using config::EdgeConfig;
using config::FlowConfig;
using config::KeySchema;
using config::NodeConfig;
using config::SourceLocation;
using config::StreamConfig;
using config::ValueType;

// What the text behind a key of the host comes to.
struct HostValue {
  std::string_view text;
  std::uint64_t quantity = 0;  // of a count, size or duration, in 1s, bytes or ns
  double ratio = 0;
};

// A key of the host: the manifest's key of that name, with its type and range.
template <class Target>
struct HostKey {
  std::string_view name;
  void (*set)(Target& target, const HostValue& value);
};

// Into any integer that holds the schema's range.
template <auto Member, class Target>
void set_quantity(Target& target, const HostValue& value) {
  using Field = std::remove_reference_t<decltype(target.*Member)>;
  if constexpr (requires { typename Field::value_type; }) {
    target.*Member = static_cast<typename Field::value_type>(value.quantity);
  } else {
    target.*Member = static_cast<Field>(value.quantity);
  }
}

constexpr HostKey<NodeConfig> node_keys[] = {
    {"on_error",
     [](NodeConfig& node, const HostValue& value) {
       node.on_error = config::error_policy({.others = config::error_action(value.text)}, false);
     }},
    {"retries", set_quantity<&NodeConfig::retries>},
    {"retry_backoff", set_quantity<&NodeConfig::retry_backoff_ns>},
    {"on_trap", [](NodeConfig& node, const HostValue& value) { node.on_trap = config::trap_action(value.text); }},
    {"restarts", set_quantity<&NodeConfig::restarts>},
    {"restart_window", set_quantity<&NodeConfig::restart_window_ns>},
    {"instances", set_quantity<&NodeConfig::instances>},
    {"placement", [](NodeConfig& node, const HostValue& value) { node.placement = config::placement(value.text); }},
    {"timeout", set_quantity<&NodeConfig::timeout_ns>},
    {"max_memory", set_quantity<&NodeConfig::max_memory_bytes>},
};

// Of the stream that leads to the stage.
constexpr HostKey<StreamConfig> stream_keys[] = {
    {"queue_depth", set_quantity<&StreamConfig::queue_depth>},
    {"queue_bytes", set_quantity<&StreamConfig::queue_bytes>},
    {"backpressure_policy",
     [](StreamConfig& stream, const HostValue& value) { stream.full_policy = config::full_policy(value.text); }},
    {"low_watermark_ratio",
     [](StreamConfig& stream, const HostValue& value) { stream.low_watermark_ratio = value.ratio; }},
};

std::vector<std::string_view> host_key_names() {
  std::vector<std::string_view> names = {"name", "grant"};
  for (const auto& key : node_keys) names.push_back(key.name);
  for (const auto& key : stream_keys) names.push_back(key.name);
  return names;
}

template <class Target, std::size_t Count>
const HostKey<Target>* find_key(const HostKey<Target> (&keys)[Count], std::string_view name) {
  const auto* const found = std::ranges::find(keys, name, &HostKey<Target>::name);
  return found == std::end(keys) ? nullptr : found;
}

// What [flow.NAME.nodes.NODE] or [[flow.NAME.edges]] says of a key.
const KeySchema& schema_of(std::string_view table, std::string_view key) {
  return *config::manifest_schema().find("flow")->table->find(table)->table->find(key);
}

// `retry_backoff = "10ms"` as it is written here: `@retry_backoff=10ms`.
std::string example_of(const KeySchema& schema) {
  std::string example = "@";
  std::ranges::copy_if(schema.example, std::back_inserter(example), [](char c) { return c != ' ' && c != '"'; });
  return example;
}

std::string shown(ValueType type, std::uint64_t quantity) {
  if (type == ValueType::size) return config::format_size(quantity);
  return type == ValueType::duration ? config::format_duration(quantity) : std::to_string(quantity);
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

Result<std::uint64_t> read_quantity(const KeySchema& schema, std::string_view text) {
  const auto refuse = [&](std::string message) {
    return fail(ErrorCode::pipeline_syntax, std::move(message), fmt::format("for instance {}", example_of(schema)));
  };
  std::uint64_t quantity = 0;
  if (schema.type != ValueType::count) {
    TORVYN_LET(quantity, schema.type == ValueType::size ? config::parse_size(text) : config::parse_duration(text));
  } else if (!read_number(text, quantity)) {
    return refuse(fmt::format("`@{}` wants a whole number, and `{}` is none", schema.name, text));
  }
  if (quantity >= schema.minimum && quantity <= schema.maximum) return quantity;
  return refuse(fmt::format("`@{}` is {}; it must be {} to {}", schema.name, shown(schema.type, quantity),
                            shown(schema.type, schema.minimum), shown(schema.type, schema.maximum)));
}

Result<double> read_ratio(const KeySchema& schema, std::string_view text) {
  double ratio = 0;
  if (read_number(text, ratio) && ratio >= 0 && ratio < 1) return ratio;
  return fail(ErrorCode::pipeline_syntax,
              fmt::format("`@{}` is `{}`; it must be a number from 0.0 to below 1.0", schema.name, text),
              fmt::format("for instance {}", example_of(schema)));
}

Status check_choice(const KeySchema& schema, std::string_view text) {
  if (schema.name == "on_error" && text == "dead-letter") {
    return fail(ErrorCode::pipeline_syntax,
                "`@on_error` cannot be `dead-letter`: a pipeline in one line has no node for dead letters",
                "write the flow in a Torvyn.toml, with on_error = \"dead-letter\" and dead_letter = \"NODE\"");
  }
  std::vector<std::string_view> choices(schema.choices.begin(), schema.choices.end());
  if (std::ranges::find(choices, text) != choices.end()) return {};
  if (schema.name == "on_error") std::erase(choices, "dead-letter");
  const std::string_view near = config::nearest(text, choices);
  const std::string question = near.empty() ? "" : fmt::format(", did you mean `{}`?", near);
  return fail(ErrorCode::pipeline_syntax, fmt::format("`@{}` cannot be `{}`{}", schema.name, text, question),
              fmt::format("it is one of {}", fmt::join(choices, ", ")));
}

// Errors: message and hint; the caller makes them an E0005 with its place.
Result<HostValue> read_value(const KeySchema& schema, std::string_view text) {
  HostValue value{.text = text};
  if (schema.type == ValueType::choice) {
    TORVYN_TRY(check_choice(schema, text));
  } else if (schema.type == ValueType::ratio) {
    TORVYN_LET(value.ratio, read_ratio(schema, text));
  } else {
    TORVYN_LET(value.quantity, read_quantity(schema, text));
  }
  return value;
}

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// A word with its quotes taken off. Offsets count bytes of the pipeline string.
struct Word {
  std::string text;
  std::size_t offset = 0;
  std::size_t length = 0;                  // as written, quotes included
  std::size_t equals = std::string::npos;  // in `text`: the first `=` that is neither quoted nor kept
  std::size_t value_offset = 0;            // of what follows it
  bool is_host_key = false;                // begins with a bare `@`
  bool is_separator = false;               // is a bare `!`
};

// The string being read, and places in it.
class Source {
 public:
  explicit Source(std::string_view text) : text_(std::make_shared<const std::string>(text)) {}

  std::string_view text() const { return *text_; }

  SourceLocation at(std::size_t offset, std::size_t length) {
    // Asked for in order of offset, but for a few errors: the walk goes on from the last answer.
    if (offset < seen_) {
      seen_ = 0;
      line_ = 1;
      line_start_ = 0;
    }
    for (; seen_ < offset; ++seen_) {
      if ((*text_)[seen_] != '\n') continue;
      ++line_;
      line_start_ = seen_ + 1;
    }
    return {std::string(pipeline_file), line_, static_cast<std::uint32_t>(offset - line_start_ + 1),
            static_cast<std::uint32_t>(length), text_};
  }

  Error error(std::string message, std::string hint, std::size_t offset, std::size_t length) {
    return config::placed(Error(ErrorCode::pipeline_syntax, std::move(message), std::move(hint)), at(offset, length));
  }

  Error error(std::string message, std::string hint, const Word& word) {
    return error(std::move(message), std::move(hint), word.offset, word.length);
  }

 private:
  std::shared_ptr<const std::string> text_;
  std::size_t seen_ = 0;
  std::uint32_t line_ = 1;
  std::size_t line_start_ = 0;
};

// Cuts a pipeline string into words.
class Lexer {
 public:
  explicit Lexer(Source& source) : source_(source), text_(source.text()) {}

  Result<std::vector<Word>> words() {
    std::vector<Word> words;
    if (const std::size_t nul = text_.find('\0'); nul != std::string_view::npos) {
      return fail(source_.error("a NUL byte in the pipeline", {}, nul, 1));
    }
    while (true) {
      while (offset_ < text_.size() && is_blank(text_[offset_])) ++offset_;
      if (offset_ == text_.size()) return words;
      TORVYN_LET(Word word, next_word());
      words.push_back(std::move(word));
    }
  }

 private:
  Result<Word> next_word() {
    Word word;
    word.offset = offset_;
    word.is_host_key = text_[offset_] == '@';
    while (offset_ < text_.size() && !is_blank(text_[offset_])) {
      const char c = text_[offset_];
      if (c == '\'' || c == '"') {
        TORVYN_TRY(quoted(word, c));
      } else if (c == '\\') {
        if (offset_ + 1 == text_.size()) {
          return fail(
              source_.error("the backslash at the end keeps nothing", R"(write \\ for a backslash)", offset_, 1));
        }
        word.text += text_[offset_ + 1];
        offset_ += 2;
      } else {
        if (c == '=' && word.equals == std::string::npos) {
          word.equals = word.text.size();
          word.value_offset = offset_ + 1;
        }
        word.text += c;
        ++offset_;
      }
    }
    word.length = offset_ - word.offset;
    word.is_separator = text_.substr(word.offset, word.length) == "!";
    return word;
  }

  Status quoted(Word& word, char quote) {
    const std::size_t opening = offset_++;
    while (offset_ < text_.size()) {
      const char c = text_[offset_++];
      if (c == quote) return {};
      if (c != '\\' || quote == '\'') {
        word.text += c;
        continue;
      }
      if (offset_ == text_.size()) break;
      const char kept = text_[offset_++];
      switch (kept) {
        case '"':
        case '\\':
          word.text += kept;
          break;
        case 'n':
          word.text += '\n';
          break;
        case 't':
          word.text += '\t';
          break;
        default:
          return fail(source_.error("this backslash means nothing between double quotes",
                                    R"(\" \\ \n and \t are known; '…' keeps everything as it stands)", offset_ - 2, 2));
      }
    }
    return fail(source_.error("a quote is left open",
                              fmt::format("close it with {0}, or write \\{0} for the character", quote), opening, 1));
  }

  Source& source_;
  std::string_view text_;
  std::size_t offset_ = 0;
};

// `text` with a hyphen for every character that neither a name may hold nor `kept` has, and none in front.
std::string name_of(std::string_view text, std::string_view kept) {
  constexpr std::size_t bytes_max = 48;  // leaves room for a number
  std::string name(text.substr(0, bytes_max));
  for (char& c : name) {
    if (!config::is_name({&c, 1}) && !kept.contains(c)) c = '-';
  }
  name.erase(0, std::min(name.find_first_not_of('-'), name.size()));
  return name;
}

std::string_view last_part(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // 0 where there is no slash
}

// "registry.example/team/upper:1.0" → "upper", "./my.filter.wasm" → "my-filter", "builtin:file" → "file".
std::string base_name(std::string_view component) {
  constexpr std::string_view builtin = "builtin:";
  if (component.starts_with(builtin)) component.remove_prefix(builtin.size());
  component = last_part(component);
  component = component.substr(0, component.find_first_of(":@"));
  if (const std::size_t dot = component.rfind('.'); dot != std::string_view::npos && dot > 0)
    component = component.substr(0, dot);
  std::string name = name_of(component, "-");
  return name.empty() ? "stage" : name;
}

// The file that a `file` stage is about: "out.log". Empty for other stages, and where that names nothing.
std::string file_name(const NodeConfig& node) {
  if (node.component != "file" && node.component != "builtin:file") return {};
  const auto path = std::ranges::find_if(
      node.settings, [](const auto& setting) { return setting.first.empty() || setting.first == "path"; });
  if (path == node.settings.end()) return {};
  std::string name = name_of(last_part(path->second), "-.");
  return name.find_first_not_of('.') == std::string::npos ? std::string() : name;
}

// Turns words into stages.
class Reader {
 public:
  explicit Reader(Source& source) : source_(source) {}

  Result<FlowConfig> read(std::span<const Word> words) {
    if (words.empty()) {
      return fail(source_.error("the pipeline is empty",
                                "write stages with ` ! ` between: generate ! ./upper.wasm ! stdout", 0, 0));
    }
    flow_.where = source_.at(words.front().offset, words.back().offset + words.back().length - words.front().offset);
    const Word* separator = nullptr;  // the one before the stage at hand
    while (true) {
      const auto end = std::ranges::find_if(words, &Word::is_separator);
      const auto stage = words.first(static_cast<std::size_t>(end - words.begin()));
      if (stage.empty()) {
        constexpr std::string_view hint = "write a stage there, or remove the `!`";
        if (separator == nullptr)
          return fail(source_.error("there is no stage before this `!`", std::string(hint), *end));
        if (end == words.end())
          return fail(source_.error("there is no stage after this `!`", std::string(hint), *separator));
        return fail(source_.error("there is no stage between this `!` and the one before", std::string(hint), *end));
      }
      TORVYN_TRY(read_stage(stage));
      if (end == words.end()) break;
      separator = &*end;
      words = words.subspan(stage.size() + 1);
    }
    name_nodes();
    write_edges();
    return std::move(flow_);
  }

 private:
  Status read_stage(std::span<const Word> words) {
    const Word& first = words.front();
    if (first.is_host_key) {
      return fail(source_.error(fmt::format("a stage begins with its component, not with `{}`", first.text),
                                "write it behind the component", first));
    }
    if (first.text.empty()) return fail(source_.error("the component's name is empty", {}, first));
    NodeConfig node;
    node.component = first.text;
    node.where = source_.at(first.offset, first.length);
    node.component_where = node.where;
    std::set<std::string, std::less<>> host_keys_set;
    for (const Word& word : words.subspan(1)) {
      if (word.is_host_key) {
        TORVYN_TRY(read_host_key(word, node, host_keys_set));
      } else {
        TORVYN_TRY(read_setting(word, node));
      }
    }
    if (!node.settings.empty()) node.config = config::json_object(node.settings);
    flow_.nodes.push_back(std::move(node));
    return {};
  }

  Status read_setting(const Word& word, NodeConfig& node) {
    const bool has_key = word.equals != std::string::npos;
    std::string key = has_key ? word.text.substr(0, word.equals) : std::string();
    std::string value = has_key ? word.text.substr(word.equals + 1) : word.text;
    if (has_key && key.empty()) {
      return fail(source_.error(fmt::format("`{}` has no key before its `=`", word.text),
                                fmt::format("write key{0}, or '{0}' for a value that begins so", word.text), word));
    }
    if (!node.settings_where.emplace(key, source_.at(word.offset, word.length)).second) {
      if (has_key) return fail(source_.error(fmt::format("`{}` is set twice", key), "leave one of the two", word));
      const auto other = std::ranges::find(node.settings, "", &std::pair<std::string, std::string>::first);
      return fail(source_.error(
          fmt::format("`{}` has two main settings, `{}` and `{}`", node.component, other->second, value),
          "quote a value with blanks in it, write other settings as key=value, and separate stages by ` ! `", word));
    }
    node.settings.emplace_back(std::move(key), std::move(value));
    return {};
  }

  Status read_host_key(const Word& word, NodeConfig& node, std::set<std::string, std::less<>>& seen) {
    const bool has_value = word.equals != std::string::npos;
    const std::string key = word.text.substr(1, has_value ? word.equals - 1 : std::string::npos);
    const HostKey<NodeConfig>* const node_key = find_key(node_keys, key);
    const HostKey<StreamConfig>* const stream_key = find_key(stream_keys, key);
    if (node_key == nullptr && stream_key == nullptr && key != "name" && key != "grant") {
      const std::vector<std::string_view> known = host_key_names();
      const std::string_view near = config::nearest(key, known);
      const std::string question = near.empty() ? "" : fmt::format(", did you mean `@{}`?", near);
      constexpr std::string_view no_at = "a setting of the component has no @";
      return fail(source_.error(
          fmt::format("unknown key `@{}`{}", key, question),
          near.empty() ? fmt::format("the host knows @{}; {}", fmt::join(known, ", @"), no_at) : std::string(no_at),
          word.offset, has_value ? word.value_offset - 1 - word.offset : word.length));
    }
    if (!has_value) {
      return fail(source_.error(fmt::format("`@{}` has no value", key), fmt::format("write @{}=…", key), word));
    }
    if (!seen.insert(key).second && key != "grant")
      return fail(source_.error(fmt::format("`@{}` is set twice", key), "leave one of the two", word));
    if (stream_key != nullptr && flow_.nodes.empty()) {
      return fail(source_.error(
          fmt::format("`@{}` is about the stream into a stage, and into the first one nothing flows", key),
          "set it at the stage that receives", word));
    }
    const std::string value = word.text.substr(word.equals + 1);
    const Status set = key == "name"         ? set_name(value, node)
                       : key == "grant"      ? add_grant(value, node)
                       : node_key != nullptr ? set_key(*node_key, "nodes", value, node)
                                             : set_key(*stream_key, "edges", value, streams_[flow_.nodes.size()]);
    if (set) return {};
    return fail(source_.error(set.error().message(), set.error().hint(), word.value_offset,
                              word.offset + word.length - word.value_offset));
  }

  Status set_name(const std::string& value, NodeConfig& node) {
    if (!config::is_name(value)) {
      return fail(ErrorCode::pipeline_syntax, fmt::format("`{}` is not a name", value),
                  "letters, digits, hyphens and underscores, 64 at most, no hyphen first");
    }
    if (!names_.insert(value).second)
      return fail(ErrorCode::pipeline_syntax, fmt::format("two stages are called `{}`", value), "rename one");
    node.name = value;
    return {};
  }

  // As often as there is something to grant.
  static Status add_grant(const std::string& value, NodeConfig& node) {
    TORVYN_LET(config::Capability grant, config::parse_capability(value));
    node.grants.push_back(std::move(grant));
    return {};
  }

  template <class Target>
  static Status set_key(const HostKey<Target>& key, std::string_view table, std::string_view text, Target& target) {
    TORVYN_LET(const HostValue value, read_value(schema_of(table, key.name), text));
    key.set(target, value);
    return {};
  }

  // A chain needs no edges unless something is said of its streams.
  void write_edges() {
    if (streams_.empty()) return;
    for (std::size_t i = 1; i < flow_.nodes.size(); ++i) {
      const NodeConfig& from = flow_.nodes[i - 1];
      const NodeConfig& to = flow_.nodes[i];
      EdgeConfig edge;
      edge.from_node = from.name;
      edge.to_node = to.name;
      if (const auto stream = streams_.find(i); stream != streams_.end()) edge.stream = stream->second;
      edge.where = to.where;
      edge.from_where = from.where;
      edge.to_where = to.where;
      flow_.edges.push_back(std::move(edge));
    }
  }

  // Runs when all names given by `@name` are known.
  void name_nodes() {
    std::map<std::string, std::size_t, std::less<>> used;  // how often a base name was asked for
    for (NodeConfig& node : flow_.nodes) {
      if (!node.name.empty()) continue;
      std::string base = base_name(node.component);
      if (names_.contains(base)) {
        if (std::string file = file_name(node); !file.empty()) base = std::move(file);
      }
      std::size_t& number = used[base];
      do {
        ++number;
        node.name = number == 1 ? base : fmt::format("{}-{}", base, number);
      } while (!names_.insert(node.name).second);
    }
  }

  Source& source_;
  FlowConfig flow_;
  std::set<std::string, std::less<>> names_;
  std::map<std::size_t, StreamConfig> streams_;  // of the stages that say something about theirs, by index
};

}  // namespace

Result<FlowConfig> parse_pipeline(std::string_view text) {
  Source source(text);
  TORVYN_LET(const std::vector<Word> words, Lexer(source).words());
  return Reader(source).read(words);
}

bool looks_like_pipeline(std::string_view text) noexcept {
  return text.ends_with(".wasm") || std::ranges::any_of(text, [](char c) { return is_blank(c) || c == '!'; });
}

}  // namespace torvyn::pipeline
