// The command line described as data: what help says, for completions and the manual page.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace torvyn::cli {

// What may stand where a value is asked for.
enum class ValueKind : std::uint8_t {
  nothing,  // of a flag
  free,     // a number, a time, a text
  choice,   // one of `choices`
  file,
  folder,
  flow,       // of the manifest in the current folder
  component,  // likewise
  pipeline,   // its first stage (a file, or one of `choices`), or a flow
};

struct ValueInfo {
  ValueKind kind = ValueKind::nothing;
  std::vector<std::string> choices;
};

struct OptionInfo {
  std::vector<std::string> names;  // "-o", "--output": the short ones first
  std::string placeholder;         // "FILE"; empty for a flag
  std::string help;
  ValueInfo value;
  bool repeats = false;
};

struct ArgumentInfo {
  std::string name;  // "PIPELINE"
  std::string help;
  ValueInfo value;
  bool repeats = false;
};

struct CommandInfo {
  std::string name;
  std::string summary;
  std::string footer;  // explanations, then "Examples:" and lines indented by two
  std::vector<OptionInfo> options;
  std::vector<ArgumentInfo> arguments;
};

struct CommandLineInfo {
  std::string summary;
  std::string footer;
  std::vector<OptionInfo> options;    // that every command takes
  std::vector<CommandInfo> commands;  // those that help lists
};

// The whole of it, as `parse_command_line` reads it.
CommandLineInfo describe_command_line();

// What a placeholder ("FILE", "LEVEL") or an argument's name ("CODE") stands for. Placeholders are the one place where that is said; a test
// holds that all of them are known.
ValueInfo value_of(std::string_view placeholder);

}  // namespace torvyn::cli
