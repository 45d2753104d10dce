#include "torvyn/cli/man_page.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "torvyn/cli/commands.h"
#include "torvyn/cli/text.h"

namespace torvyn::cli {
namespace {

// Text of a line: a backslash and a hyphen mean something to roff, and so does a dot or an apostrophe that begins a line.
std::string roff(std::string_view text) {
  std::string escaped;
  for (const char byte : text) {
    if (byte == '\\') {
      escaped += "\\e";
    } else if (byte == '-') {
      escaped += "\\-";
    } else {
      escaped += byte;
    }
  }
  if (escaped.starts_with('.') || escaped.starts_with('\'')) escaped.insert(0, "\\&");
  return escaped;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

// Lines as they stand, indented.
std::string literal(const std::vector<std::string_view>& lines) {
  std::string text = ".PP\n.nf\n.RS\n";
  for (const std::string_view line : lines) text += roff(line) + "\n";
  return text + ".RE\n.fi\n";
}

// A footer: prose, then "Examples:" with its lines, then perhaps prose again.
std::string explained(std::string_view footer) {
  std::string text;
  std::vector<std::string_view> examples;
  bool new_paragraph = true;
  for (const std::string_view line : lines_of(footer)) {
    if (line == "Examples:") continue;
    if (line.starts_with("  ")) {
      examples.push_back(line.substr(2));
      continue;
    }
    if (line.empty()) {
      new_paragraph = true;
      continue;
    }
    if (new_paragraph) text += ".PP\n";
    new_paragraph = false;
    text += roff(line) + "\n";
  }
  if (!examples.empty()) text += literal(examples);
  return text;
}

std::string entry(std::string_view head, std::string_view help) { return fmt::format(".TP\n{}\n{}\n", head, help); }

std::string option_entry(const OptionInfo& option) {
  std::string head;
  for (const std::string& name : option.names) head += (head.empty() ? "" : ", ") + bold(name);
  if (!option.placeholder.empty()) head += " " + italic(option.placeholder);
  std::string help = roff(option.help) + ".";
  return entry(head, help);
}

std::string command_section(const CommandInfo& command) {
  std::string usage = bold("torvyn " + command.name);
  if (!command.options.empty()) usage += " [" + italic("OPTIONS") + "]";
  for (const ArgumentInfo& argument : command.arguments)
    usage += fmt::format(" [{}]{}", italic(argument.name), argument.repeats ? "..." : "");
  std::string text = fmt::format(".SS torvyn {}\n{}\n.PP\n{}.\n", roff(command.name), usage, roff(command.summary));
  for (const ArgumentInfo& argument : command.arguments)
    text += entry(italic(argument.name), roff(argument.help) + ".");
  for (const OptionInfo& option : command.options) text += option_entry(option);
  return text + explained(command.footer);
}

struct Entry {
  std::string_view head;
  std::string_view help;
};

constexpr std::array exit_codes = std::to_array<Entry>({
    {"0", "Success; also where --limit or --timeout was reached, or the reader of a pipe closed it."},
    {"1", "The work failed: a build, a check, a run."},
    {"2", "Wrong usage, or something needed is missing: a file, a tool, a component."},
    {"130, 143", "Interrupted by SIGINT or SIGTERM, after an orderly end. A second signal ends at once."},
});

constexpr std::array environment = std::to_array<Entry>({
    {"TORVYN_HOME",
     "The folder of the user's configuration and caches. Without it, caches are below XDG_CACHE_HOME or ~/.cache."},
    {"TORVYN_LOG",
     "The least severity of guests' lines to show: trace, debug, info, warn or error. --log-level is stronger."},
    {"TORVYN_CLANG", "The clang that compiles C and C++ components."},
    {"TORVYN_ENGINE_PATH", "typed: no component is called directly, so that the two ways of calling can be compared."},
    {"TORVYN_GO", "The go that compiles Go components."},
    {"WASI_SDK_PATH", "A WASI SDK, whose clang is taken where TORVYN_CLANG is not set."},
    {"NO_COLOR", "Where it is set, nothing is coloured unless --color asks for it."},
});

constexpr std::array files = std::to_array<Entry>({
    {"Torvyn.toml", "The manifest of a project: its components, flows and settings."},
    {"target/", "What torvyn build makes of a project's components."},
    {"$TORVYN_HOME/cache/compiled/, ~/.cache/torvyn/compiled/",
     "Compiled code of components that were run before. It may be deleted at any time."},
});

template <std::size_t Size>
std::string section(std::string_view title, const std::array<Entry, Size>& entries) {
  std::string text = fmt::format(".SH {}\n", title);
  for (const Entry& each : entries) text += entry(bold(each.head), roff(each.help));
  return text;
}

}  // namespace

std::string man_page(const CommandLineInfo& info, std::string_view version) {
  std::string text = fmt::format(".TH TORVYN 1 \"\" \"torvyn {}\" \"User Commands\"\n", roff(version));
  text += ".SH NAME\ntorvyn \\- run streaming pipelines of sandboxed WebAssembly components\n";
  text += fmt::format(".SH SYNOPSIS\n{} [{}] {} [{}]\n", bold("torvyn"), italic("GLOBAL OPTIONS"), italic("COMMAND"),
                      italic("ARGUMENTS"));
  text += fmt::format(".SH DESCRIPTION\n{}\n", roff(info.summary));
  text +=
      ".PP\nData goes to standard output; progress, summaries and the lines that components write go to standard "
      "error.\n";
  text += ".SH GLOBAL OPTIONS\nThese may stand before or after the command.\n";
  for (const OptionInfo& option : info.options) text += option_entry(option);
  text += ".SH COMMANDS\n";
  for (const CommandInfo& command : info.commands) text += command_section(command);
  text += section("EXIT STATUS", exit_codes) + section("ENVIRONMENT", environment) + section("FILES", files);
  text += ".SH EXAMPLES\n" + explained(info.footer);
  return text;
}

int print_man_page(const ManOptions&, const Session& session) {
  return print_result(session, man_page(describe_command_line(), TORVYN_VERSION));
}

}  // namespace torvyn::cli
