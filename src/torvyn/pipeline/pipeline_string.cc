#include "torvyn/pipeline/pipeline_string.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/config/json_text.h"
#include "torvyn/config/names.h"
#include "torvyn/config/nearest.h"
#include "torvyn/config/place.h"
#include "torvyn/config/units.h"

namespace torvyn::pipeline {
namespace {

using config::ErrorAction;
using config::FlowConfig;
using config::NodeConfig;
using config::SourceLocation;

constexpr std::array<std::string_view, 4> host_keys = {"on_error", "timeout", "max_memory", "name"};

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
    if (std::ranges::find(host_keys, key) == host_keys.end()) {
      const std::string_view near = config::nearest(key, host_keys);
      const std::string question = near.empty() ? "" : fmt::format(", did you mean `@{}`?", near);
      return fail(source_.error(
          fmt::format("unknown key `@{}`{}", key, question),
          "the host knows @on_error, @timeout, @max_memory and @name; a setting of the component has no @", word.offset,
          has_value ? word.value_offset - 1 - word.offset : word.length));
    }
    if (!has_value) {
      return fail(source_.error(fmt::format("`@{}` has no value", key), fmt::format("write @{}=…", key), word));
    }
    if (!seen.insert(key).second)
      return fail(source_.error(fmt::format("`@{}` is set twice", key), "leave one of the two", word));
    const std::string value = word.text.substr(word.equals + 1);
    const auto refuse = [&](std::string message, std::string hint) {
      return fail(source_.error(std::move(message), std::move(hint), word.value_offset,
                                word.offset + word.length - word.value_offset));
    };
    if (key == "on_error") {
      if (value != "skip" && value != "fail")
        return refuse(fmt::format("`@on_error` cannot be `{}`", value), "it is `fail` or `skip`");
      const ErrorAction action = value == "skip" ? ErrorAction::skip : ErrorAction::fail;
      node.on_error = {action, action, action, action};
      return {};
    }
    if (key == "name") {
      if (!config::is_name(value)) {
        return refuse(fmt::format("`{}` is not a name", value),
                      "letters, digits, hyphens and underscores, 64 at most, no hyphen first");
      }
      if (!names_.insert(value).second) return refuse(fmt::format("two stages are called `{}`", value), "rename one");
      node.name = value;
      return {};
    }
    const Result<std::uint64_t> quantity = key == "timeout" ? config::parse_duration(value) : config::parse_size(value);
    if (!quantity) return refuse(quantity.error().message(), quantity.error().hint());
    if (*quantity == 0)
      return refuse(fmt::format("`@{}` is zero, which no component can live with", key),
                    "leave it out for the default");
    (key == "timeout" ? node.timeout_ns : node.max_memory_bytes) = *quantity;
    return {};
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
