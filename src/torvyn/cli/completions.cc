#include "torvyn/cli/completions.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "torvyn/cli/commands.h"
#include "torvyn/cli/text.h"

namespace torvyn::cli {
namespace {

// Names that stand in a manifest, read by the shells themselves: starting torvyn for every press of a key would be felt.
constexpr std::string_view list_flows =
    R"(sed -n 's/^ *\[flow\.\([A-Za-z0-9_-]*\).*/\1/p' Torvyn.toml 2>/dev/null | sort -u)";
constexpr std::string_view list_components =
    R"(awk -F'"' '/^ *\[/ { here = /\[\[component\]\]/ } here && /^ *name *=/ { print $2 }' Torvyn.toml 2>/dev/null)";

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (;;) {
    const std::size_t at = text.find(from);
    result.append(text.substr(0, at));
    if (at == std::string_view::npos) return result;
    result.append(to);
    text.remove_prefix(at + from.size());
  }
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

std::string function_name(std::string_view command) { return replaced(command, "-", "_"); }

// ---- bash ----

// Fills COMPREPLY with what a value may be.
std::string bash_action(const ValueInfo& value) {
  switch (value.kind) {
    case ValueKind::nothing:
      return "return 1";
    case ValueKind::free:
      return ":";
    case ValueKind::choice:
      return fmt::format("_torvyn_words {}", shell_quoted(joined(value.choices)));
    case ValueKind::file:
      return "_torvyn_paths -f";
    case ValueKind::folder:
      return "_torvyn_paths -d";
    case ValueKind::flow:
      return "_torvyn_words \"$(_torvyn_flows)\"";
    case ValueKind::component:
      return "_torvyn_words \"$(_torvyn_components)\"";
    case ValueKind::pipeline:
      return fmt::format("_torvyn_words {}\" $(_torvyn_flows)\" && _torvyn_paths -f",
                         shell_quoted(joined(value.choices)));
  }
  return ":";
}

std::string option_names(const std::vector<OptionInfo>& options) {
  std::vector<std::string> names;
  for (const OptionInfo& option : options) names.insert(names.end(), option.names.begin(), option.names.end());
  return joined(names);
}

// Lines of a `case "$command $option" in`.
std::string bash_option_cases(std::string_view command, const std::vector<OptionInfo>& options) {
  std::string text;
  for (const OptionInfo& option : options) {
    if (option.value.kind == ValueKind::nothing) continue;
    std::vector<std::string> patterns;
    for (const std::string& name : option.names)
      patterns.push_back(fmt::format("{}\" {}\"", command.empty() ? "*" : command, name));
    text += fmt::format("    {}) {} ;;\n", fmt::join(patterns, "|"), bash_action(option.value));
  }
  return text;
}

constexpr std::string_view bash_head =
    R"sh(# Completes torvyn's command lines in bash: source <(torvyn completions bash)

_torvyn_flows() { @flows@; }
_torvyn_components() { @components@; }

# Those of the words in $1 that begin with what was typed.
_torvyn_words() {
  local IFS=$' \t\n'
  COMPREPLY+=($(compgen -W "$1" -- "$cur"))
}

# Files (-f) or folders (-d), which may hold blanks.
_torvyn_paths() {
  local IFS=$'\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY+=($(compgen "$1" -- "$cur"))
}

)sh";

constexpr std::string_view bash_tail = R"sh(
_torvyn() {
  local cur="${COMP_WORDS[COMP_CWORD]}" option="${COMP_WORDS[COMP_CWORD-1]}" command="" index word
  COMPREPLY=()
  # --format=json comes as three words.
  if [[ $cur == "=" ]]; then
    cur=""
  elif [[ $option == "=" && $COMP_CWORD -gt 2 ]]; then
    option="${COMP_WORDS[COMP_CWORD-2]}"
  fi

  # The command is the first word that neither is an option nor belongs to one.
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="${COMP_WORDS[index]}"
    if [[ $word == "=" ]]; then
      ((index++))
    elif [[ $word == -* ]]; then
      [[ ${COMP_WORDS[index+1]} == "=" ]] || ! _torvyn_takes_value "$word" || ((index++))
    else
      command="$word"
      break
    fi
  done

  if [[ $option == -* ]] && _torvyn_option "$command" "$option"; then
    return
  elif [[ $cur == -* ]]; then
    _torvyn_words "$(_torvyn_option_names "$command")"
  else
    _torvyn_argument "$command"
  fi
}

complete -F _torvyn torvyn
)sh";

// ---- zsh ----

// For `_arguments`: what brackets and colons mean there is taken from them.
std::string zsh_text(std::string_view text) {
  std::string escaped = replaced(text, "\\", "\\\\");
  for (const std::string_view special : {"[", "]", ":"})
    escaped = replaced(escaped, special, "\\" + std::string(special));
  return escaped;
}

std::string zsh_action(const ValueInfo& value) {
  switch (value.kind) {
    case ValueKind::nothing:
    case ValueKind::free:
      return " ";
    case ValueKind::choice:
      return "(" + joined(value.choices) + ")";
    case ValueKind::file:
      return "_files";
    case ValueKind::folder:
      return "_files -/";
    case ValueKind::flow:
      return "_torvyn_flows";
    case ValueKind::component:
      return "_torvyn_components";
    case ValueKind::pipeline:
      return "_torvyn_pipeline";
  }
  return " ";
}

std::string zsh_option(const OptionInfo& option) {
  std::string value;
  if (option.value.kind != ValueKind::nothing)
    value = fmt::format(":{}:{}", zsh_text(option.placeholder), zsh_action(option.value));
  const std::string help = fmt::format("[{}]", zsh_text(option.help));
  std::string text;
  for (const std::string& name : option.names) {
    const std::string others = option.repeats ? "*" : option.names.size() > 1 ? "(" + joined(option.names) + ")" : "";
    const std::string equals = !value.empty() && name.starts_with("--") ? "=" : "";
    text += fmt::format("    {} \\\n", shell_quoted(fmt::format("{}{}{}{}{}", others, name, equals, help, value)));
  }
  return text;
}

// The calls of `_arguments` for one command.
std::string zsh_command(const CommandInfo& command) {
  std::string text = fmt::format("_torvyn_command_{}() {{\n  _arguments -s \\\n", function_name(command.name));
  for (const OptionInfo& option : command.options) text += zsh_option(option);
  for (const ArgumentInfo& argument : command.arguments)
    text += fmt::format("    {} \\\n", shell_quoted(fmt::format("{}:{}:{}", argument.repeats ? "*" : "",
                                                                zsh_text(argument.name), zsh_action(argument.value))));
  return text + "    $torvyn_options\n}\n\n";
}

// ---- fish ----

std::string fish_quoted(std::string_view text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

// What follows `complete -c torvyn`, for a value.
std::string fish_action(const ValueInfo& value) {
  switch (value.kind) {
    case ValueKind::nothing:
      return "";
    case ValueKind::free:
      return " -x";
    case ValueKind::choice:
      return " -x -a " + fish_quoted(joined(value.choices));
    case ValueKind::file:
      return " -r -F";
    case ValueKind::folder:
      return " -x -a '(__fish_complete_directories)'";
    case ValueKind::flow:
      return " -x -a '(__torvyn_flows)'";
    case ValueKind::component:
      return " -x -a '(__torvyn_components)'";
    case ValueKind::pipeline:
      return fmt::format(" -F -a '{} (__torvyn_flows)'", joined(value.choices));
  }
  return "";
}

std::string fish_option(const OptionInfo& option, std::string_view condition) {
  std::string names;
  for (const std::string& name : option.names)
    names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  return fmt::format("complete -c torvyn{}{}{} -d {}\n", condition, names, fish_action(option.value),
                     fish_quoted(option.help));
}

// An argument takes files where nothing is said: -F adds them, and choices replace them.
std::string fish_argument(const ArgumentInfo& argument, std::string_view condition) {
  std::string action = fish_action(argument.value);
  if (action.starts_with(" -x")) action.replace(0, 3, " -f");
  if (action.starts_with(" -r")) action.erase(0, 3);
  return fmt::format("complete -c torvyn{}{}\n", condition, action);
}

}  // namespace

std::string bash_completion(const CommandLineInfo& info) {
  std::string text = replaced(replaced(bash_head, "@flows@", list_flows), "@components@", list_components);

  std::vector<std::string> with_value;
  for (const OptionInfo& option : info.options)
    if (option.value.kind != ValueKind::nothing)
      with_value.insert(with_value.end(), option.names.begin(), option.names.end());
  text += fmt::format(
      "# Of the options that may stand before a command.\n_torvyn_takes_value() {{\n  case \"$1\" in\n    {}) ;;\n",
      fmt::join(with_value, "|"));
  text += "    *) return 1 ;;\n  esac\n}\n\n";

  text += "# What option $2 of command $1 takes. Fails where it takes nothing.\n";
  text += "_torvyn_option() {\n  case \"$1 $2\" in\n";
  for (const CommandInfo& command : info.commands) text += bash_option_cases(command.name, command.options);
  text += bash_option_cases("", info.options) + "    *) return 1 ;;\n  esac\n}\n\n";

  text += "_torvyn_option_names() {\n  case \"$1\" in\n";
  for (const CommandInfo& command : info.commands)
    if (!command.options.empty())
      text += fmt::format("    {}) echo {} ;;\n", command.name, option_names(command.options));
  text += fmt::format("  esac\n  echo {}\n}}\n\n", option_names(info.options));

  std::vector<std::string> names;
  text += "_torvyn_argument() {\n  case \"$1\" in\n";
  for (const CommandInfo& command : info.commands) {
    names.push_back(command.name);
    if (!command.arguments.empty())
      text += fmt::format("    {}) {} ;;\n", command.name, bash_action(command.arguments.front().value));
  }
  text += fmt::format("    \"\") _torvyn_words {} ;;\n  esac\n}}\n", shell_quoted(joined(names)));
  return text.append(bash_tail);
}

std::string zsh_completion(const CommandLineInfo& info) {
  std::string text = "#compdef torvyn\n# Completes torvyn's command lines in zsh: source <(torvyn completions zsh)\n\n";
  text +=
      fmt::format("_torvyn_flows() {{\n  local -a names=(${{(f)\"$({})\"}})\n  compadd -a names\n}}\n\n", list_flows);
  text += fmt::format("_torvyn_components() {{\n  local -a names=(${{(f)\"$({})\"}})\n  compadd -a names\n}}\n\n",
                      list_components);
  text += fmt::format("_torvyn_pipeline() {{\n  _torvyn_flows\n  compadd {}\n  _files\n}}\n\n",
                      joined(value_of("PIPELINE").choices));
  for (const CommandInfo& command : info.commands) text += zsh_command(command);

  text += "_torvyn() {\n  local curcontext=\"$curcontext\" state line\n  local -a torvyn_options=(\n";
  for (const OptionInfo& option : info.options) text += replaced(zsh_option(option), " \\\n", "\n");
  text += "  )\n  _arguments -C -s $torvyn_options '1:command:->command' '*::argument:->argument'\n  case $state in\n";
  text += "    command)\n      local -a commands=(\n";
  for (const CommandInfo& command : info.commands)
    text += fmt::format("        {}\n", shell_quoted(fmt::format("{}:{}", command.name, command.summary)));
  text += "      )\n      _describe command commands ;;\n";
  text +=
      "    argument)\n      (( $+functions[_torvyn_command_${line[1]//-/_}] )) && _torvyn_command_${line[1]//-/_} ;;\n";
  text += "  esac\n}\n\n";
  return text + "if [[ ${funcstack[1]} == _torvyn ]]; then\n  _torvyn \"$@\"\nelse\n  compdef _torvyn torvyn\nfi\n";
}

std::string fish_completion(const CommandLineInfo& info) {
  std::string text = "# Completes torvyn's command lines in fish: torvyn completions fish | source\n\n";
  text += fmt::format("function __torvyn_flows\n  {}\nend\n\nfunction __torvyn_components\n  {}\nend\n\n", list_flows,
                      list_components);
  std::vector<std::string> names;
  for (const CommandInfo& command : info.commands) names.push_back(command.name);
  text += fmt::format("set -l commands {}\n\ncomplete -c torvyn -f\n", joined(names));
  for (const OptionInfo& option : info.options) text += fish_option(option, "");
  for (const CommandInfo& command : info.commands) {
    text += fmt::format("\ncomplete -c torvyn -n \"not __fish_seen_subcommand_from $commands\" -a {} -d {}\n",
                        command.name, fish_quoted(command.summary));
    const std::string here = fmt::format(" -n '__fish_seen_subcommand_from {}'", command.name);
    for (const OptionInfo& option : command.options) text += fish_option(option, here);
    for (const ArgumentInfo& argument : command.arguments) text += fish_argument(argument, here);
  }
  return text;
}

int print_completions(const CompletionsOptions& options, const Session& session) {
  const CommandLineInfo info = describe_command_line();
  if (options.shell == "bash") return print_result(session, bash_completion(info));
  if (options.shell == "zsh") return print_result(session, zsh_completion(info));
  return print_result(session, fish_completion(info));
}

}  // namespace torvyn::cli
