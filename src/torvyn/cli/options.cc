#include "torvyn/cli/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "torvyn/cli/command_line_info.h"
#include "torvyn/cli/help_examples.h"
#include "torvyn/config/nearest.h"
#include "torvyn/config/units.h"

namespace torvyn::cli {
namespace {

// What was typed, before anybody asked whether it makes sense.
struct Typed {
  std::string format, color, directory, manifest;
  bool quiet = false, verbose = false, version = false;
  std::vector<std::string> assignments;

  std::vector<std::string> flows;
  std::string pipeline, input, output, limit, timeout, max_errors, log_level, summary;
  bool no_build = false, watch = false;

  bool schema = false;

  std::string target, section;

  std::vector<std::string> sources, flags;
  std::string build_output, work_dir, world, wit, component;
  bool release = false, all = false;

  std::string directory_made, template_name, language, contract_version;
  bool interactive = false, force = false, no_git = false, no_example = false;

  std::string code, stage, shell;

  std::vector<std::string> languages;
  bool fix = false, yes = false;
  bool strict = false;

  std::string link_flow, components;
  bool detail = false;

  std::string host, flow, node, level, interval;
  bool every = false, once = false, drain = false, no_wait = false, flush = false, dry_run = false;
};

// The commands and options, each with where its value goes.
class Grammar {
 public:
  explicit Grammar(Typed& typed)
      : app_("Runs streaming pipelines whose stages are sandboxed WebAssembly components.", "torvyn") {
    app_.get_formatter()->column_width(32);
    app_.option_defaults()->take_last();
    app_.fallthrough()->allow_extras()->require_subcommand(0, 1);
    app_.set_help_flag("-h,--help", "Show this and end");
    add_global_options(typed);
    add_init(typed);
    add_run(typed);
    add_check(typed);
    add_inspect(typed);
    add_build(typed);
    add_doctor(typed);
    add_link(typed);
    add_explain(typed);
    add_stages(typed);
    add_serve(typed);
    add_ps(typed);
    add_orders(typed);
    add_completions(typed);
    app_.add_subcommand("version", "Show the versions of torvyn, contract, engine and bridge")
        ->footer(version_examples);
    app_.add_subcommand("man", "Print the manual page")->group("");  // for who packages torvyn; help doesn't list it
    app_.footer(examples);
  }

  CLI::App& app() noexcept { return app_; }
  const CLI::App& app() const noexcept { return app_; }

  // The command that was named; null if none.
  CLI::App* command() const {
    const auto named = app_.get_subcommands();
    return named.empty() ? nullptr : named.front();
  }

  std::vector<std::string> command_names() const {
    std::vector<std::string> names;
    for (const CLI::App* command : app_.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(command->get_name());
    return names;
  }

  // "--limit", …: those that may stand where `command` was named.
  std::vector<std::string> option_names() const {
    std::vector<std::string> names;
    for (const CLI::App* app : {static_cast<const CLI::App*>(&app_), static_cast<const CLI::App*>(command())}) {
      if (app == nullptr) continue;
      for (const CLI::Option* option : app->get_options())
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
  }

 private:
  using App = CLI::App;

  void add_global_options(Typed& typed) {
    app_.add_option("--format", typed.format, "How to report: human (the default) or json")->type_name("FORMAT");
    app_.add_option("--color", typed.color, "When to use colours: auto (the default), always or never")
        ->type_name("WHEN");
    app_.add_flag("--quiet", typed.quiet, "Show errors and warnings alone");
    app_.add_flag("--verbose", typed.verbose, "Show more of everything");
    app_.add_option("-C", typed.directory, "Work in this folder")->type_name("DIR");
    app_.add_option("--manifest", typed.manifest, "The manifest, instead of Torvyn.toml")->type_name("PATH");
    app_.add_option("--set", typed.assignments, "Set a key of the configuration; may be repeated")
        ->type_name("PATH=VALUE")
        ->allow_extra_args(false)
        ->take_all();
    app_.add_flag("--version", typed.version, "Show the version and end");
  }

  void add_run(Typed& typed) {
    App* run = app_.add_subcommand("run", "Run a pipeline, or a flow of the manifest");
    run->add_option("PIPELINE", typed.pipeline, "A pipeline in quotes, or the name of a flow")->type_name("");
    run->add_option("--flow", typed.flows, "The flow of the manifest to run; repeated, flows side by side")
        ->type_name("FLOW")
        ->allow_extra_args(false)
        ->take_all();
    run->add_option("--input", typed.input, "Read from here instead: a file, -, or 'generate …'")->type_name("X");
    run->add_option("--output", typed.output, "Write to here instead: a file, or -")->type_name("X");
    run->add_option("--limit", typed.limit, "Stop after so many elements were pulled")->type_name("N");
    run->add_option("--timeout", typed.timeout, "Stop after this time, such as 30s")->type_name("TIME");
    run->add_option("--max-errors", typed.max_errors, "Fail when more elements than this were skipped")->type_name("N");
    run->add_flag("--no-build", typed.no_build, "Use components as they were built before");
    run->add_flag("--watch", typed.watch, "Build components again when their sources change, and swap them in");
    run->add_option("--log-level", typed.log_level, "Show lines of guests from: trace, debug, info, warn or error")
        ->type_name("LEVEL");
    run->add_option("--summary", typed.summary, "Write the report to a file")->type_name("PATH");
    run->footer(run_examples);
  }

  void add_init(Typed& typed) {
    App* init = app_.add_subcommand("init", "Make a new project that builds and runs at once");
    init->add_option("NAME", typed.directory_made, "The project's folder; its last part is its name")->type_name("");
    init->add_option("--template", typed.template_name, "What kind of project it is: transform, source, …")
        ->type_name("TEMPLATE");
    init->add_option("--language", typed.language, "What it is written in: c, cpp, rust, go, python or javascript")
        ->type_name("LANGUAGE");
    init->add_flag("--interactive", typed.interactive, "Ask for what was not said");
    init->add_flag("--force", typed.force, "Write into a folder that is not empty");
    init->add_flag("--no-git", typed.no_git, "Make no git repository");
    init->add_flag("--no-example", typed.no_example, "Leave out the flow and data that show it at work");
    init->add_option("--contract-version", typed.contract_version, "The version of the Torvyn contract")
        ->type_name("V");
    init->footer(init_examples);
  }

  void add_check(Typed& typed) {
    App* check = app_.add_subcommand("check", "Check manifest, WIT, components and flows, without running anything");
    check->add_flag("--strict", typed.strict, "Take warnings for errors");
    check->add_flag("--schema", typed.schema, "Show the JSON Schema of Torvyn.toml instead");
    check->footer(check_examples);
  }

  void add_inspect(Typed& typed) {
    App* inspect = app_.add_subcommand("inspect", "Show what a component holds and asks for");
    inspect->add_option("TARGET", typed.target, "A component (.wasm)")->type_name("");
    inspect->add_option("--show", typed.section, "Show one part alone")->type_name("SECTION");
    inspect->footer(inspect_examples);
  }

  void add_build(Typed& typed) {
    App* build = app_.add_subcommand("build", "Make a component of sources, or of a core module");
    build->add_option("SOURCE", typed.sources, "Files, one folder, or one core module (.wasm)")->type_name("");
    build->add_option("-o,--output", typed.build_output, "The component to write")->type_name("FILE");
    build->add_option("--work-dir", typed.work_dir, "The folder for bindings and objects")->type_name("DIR");
    build->add_option("--world", typed.world, "The world it is built for, such as managed-transform")
        ->type_name("WORLD");
    build->add_option("--wit", typed.wit, "A folder of WIT with worlds of your own")->type_name("DIR");
    build->add_flag("--release", typed.release, "Leave out the line tables for backtraces");
    build->add_option("--flag", typed.flags, "One more argument for compiler or linker; may be repeated")
        ->type_name("ARG")
        ->allow_extra_args(false)
        ->take_all();
    build->add_option("--component", typed.component, "Build this component of the manifest alone")
        ->type_name("COMPONENT");
    build->add_flag("--all", typed.all, "Build all components of the manifest (the default)");
    build->footer(build_examples);
  }

  void add_link(Typed& typed) {
    App* link = app_.add_subcommand("link", "Check whether the components of the flows fit together");
    link->add_option("--flow", typed.link_flow, "Check this flow alone")->type_name("FLOW");
    link->add_option("--components", typed.components, "Take built components from here, instead of target/")
        ->type_name("DIR");
    link->add_flag("--detail", typed.detail, "Show imports, capabilities and content types too");
    link->footer(link_examples);
  }

  void add_explain(Typed& typed) {
    App* explain = app_.add_subcommand("explain", "Show what an error code means and what to do");
    explain->add_option("CODE", typed.code, "A code, such as E0203")->type_name("");
    explain->footer(explain_examples);
  }

  void add_doctor(Typed& typed) {
    App* doctor = app_.add_subcommand("doctor", "Show what is missing on this machine, and install it");
    doctor->add_option("LANGUAGE", typed.languages, "Only what these languages need")->type_name("");
    doctor->add_flag("--fix", typed.fix, "Run the commands that install what is missing; asks before each");
    doctor->add_flag("--yes", typed.yes, "With --fix, run them without asking");
    doctor->footer(doctor_examples);
  }

  void add_stages(Typed& typed) {
    App* stages = app_.add_subcommand("stages", "Show the built-in stages and their settings");
    stages->add_option("STAGE", typed.stage, "The name of one; without it, all of them")->type_name("");
    stages->footer(stages_examples);
  }

  void add_serve(Typed& typed) {
    App* serve =
        app_.add_subcommand("serve", "Run a host as a service: the manifest's flows, until it is told to stop");
    serve->add_flag("--no-build", typed.no_build, "Use components as they were built before");
    serve->add_option("--log-level", typed.log_level, "Write lines from: trace, debug, info, warn or error")
        ->type_name("LEVEL");
    serve->footer(serve_examples);
  }

  // A command that talks to a running host.
  App* add_caller(Typed& typed, const char* name, const char* summary, const char* footer) {
    App* caller = app_.add_subcommand(name, summary);
    caller->add_option("--host", typed.host, "The host: its name, its socket or its URL")->type_name("HOST");
    caller->footer(footer);
    return caller;
  }

  void add_ps(Typed& typed) {
    App* ps = add_caller(typed, "ps", "Show the flows of a running host", ps_examples);
    ps->add_option("FLOW", typed.flow, "Show this one with its stages and streams")->type_name("");
    ps->add_flag("--all", typed.every, "Show earlier runs of flows too");
    App* top = add_caller(typed, "top", "Watch a running host", top_examples);
    top->add_option("--interval", typed.interval, "How often, such as 1s (the default)")->type_name("TIME");
    top->add_flag("--once", typed.once, "Show it once and end");
  }

  void add_orders(Typed& typed) {
    App* start = add_caller(typed, "start", "Start a flow in a running host", start_examples);
    start->add_option("FLOW", typed.flow, "The flow")->type_name("");
    start->add_option("PIPELINE", typed.pipeline, "A pipeline to run under that name")->type_name("");
    start->add_option("--limit", typed.limit, "Stop after so many elements were pulled")->type_name("N");
    start->add_option("--timeout", typed.timeout, "Stop after this time, such as 30s")->type_name("TIME");
    App* cancel = add_caller(typed, "cancel", "End a flow of a running host", cancel_examples);
    cancel->add_option("FLOW", typed.flow, "The flow, or the id of a run")->type_name("");
    cancel->add_flag("--drain", typed.drain, "Finish what is in flight");
    cancel->add_flag("--no-wait", typed.no_wait, "Don't wait until it has ended");
    App* swap = add_caller(typed, "swap", "Put another component in a node's place", swap_examples);
    swap->add_option("FLOW", typed.flow, "The flow")->type_name("");
    swap->add_option("NODE", typed.node, "The node")->type_name("");
    swap->add_option("TARGET", typed.target, "The component (.wasm)")->type_name("");
    swap->add_flag("--flush", typed.flush, "An aggregator gives out what it holds first");
    App* reload = add_caller(typed, "reload", "Apply a changed manifest", reload_examples);
    reload->add_flag("--dry-run", typed.dry_run, "Show what would be done");
    App* level = add_caller(typed, "level", "Show or set how much is observed", level_examples);
    level->add_option("OBSERVED", typed.level, "off, production or diagnostic")->type_name("");
  }

  void add_completions(Typed& typed) {
    App* completions = app_.add_subcommand("completions", "Print what lets a shell complete torvyn's command lines");
    completions->add_option("SHELL", typed.shell, "bash, zsh or fish")->type_name("");
    completions->footer(completions_examples);
  }

  App app_;
};

std::string question(std::string_view near) { return near.empty() ? "" : fmt::format(", did you mean `{}`?", near); }

std::string nearest_of(std::string_view text, const std::vector<std::string>& names) {
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  return std::string(config::nearest(text, candidates));
}

// About the first word that nothing was waiting for.
Error unexpected(const Grammar& grammar, const std::string& word) {
  const CLI::App* const command = grammar.command();
  const std::string help = fmt::format("torvyn {}--help", command == nullptr ? "" : command->get_name() + " ");
  if (word.size() > 1 && word.starts_with('-')) {
    const std::string name = word.substr(0, word.find('='));
    return {ErrorCode::usage,
            fmt::format("unknown option `{}`{}", name, question(nearest_of(name, grammar.option_names()))),
            help + " lists the options"};
  }
  if (command == nullptr)
    return {ErrorCode::usage,
            fmt::format("unknown command `{}`{}", word, question(nearest_of(word, grammar.command_names()))),
            help + " lists the commands"};
  if (command->get_name() == "run")
    return {ErrorCode::usage, fmt::format("`{}` is one word too many", word),
            "a pipeline is one argument: torvyn run 'file access.log ! ./upper.wasm ! stdout'"};
  return {ErrorCode::usage, fmt::format("`{}` is one word too many for `{}`", word, command->get_name()),
          help + " shows what it takes"};
}

// CLI11 says "--limit: 1 required TEXT missing".
Error refused(const CLI::ParseError& error) {
  const std::string text = error.what();
  if (error.get_name() == "ArgumentMismatch" && text.starts_with("-"))
    return {ErrorCode::usage, fmt::format("`{}` needs a value", text.substr(0, text.find(':')))};
  return {ErrorCode::usage, text, "torvyn --help"};
}

template <class T, std::size_t Size>
Result<T> one_of(std::string_view option, std::string_view value,
                 const std::array<std::pair<std::string_view, T>, Size>& allowed) {
  std::vector<std::string> names;
  for (const auto& [name, meaning] : allowed) {
    if (name == value) return meaning;
    names.emplace_back(name);
  }
  return fail(ErrorCode::usage, fmt::format("`{}` cannot be `{}`{}", option, value, question(nearest_of(value, names))),
              fmt::format("it is one of {}", fmt::join(names, ", ")));
}

// Whether `value` is one of the choices that `placeholder` stands for; an empty one was not given.
Status is_one_of(std::string_view option, const std::string& value, std::string_view placeholder) {
  const std::vector<std::string> names = value_of(placeholder).choices;
  if (value.empty() || std::ranges::find(names, value) != names.end()) return {};
  return fail(ErrorCode::usage, fmt::format("`{}` cannot be `{}`{}", option, value, question(nearest_of(value, names))),
              fmt::format("it is one of {}", fmt::join(names, ", ")));
}

Result<std::optional<std::uint64_t>> whole_number(std::string_view option, const std::string& value) {
  if (value.empty()) return std::nullopt;
  std::uint64_t number = 0;
  const char* const past = value.data() + value.size();
  const auto [end, error] = std::from_chars(value.data(), past, number);
  if (error != std::errc() || end != past)
    return fail(ErrorCode::usage, fmt::format("`{}` takes a whole number, and `{}` is none", option, value),
                fmt::format("for instance {} 1000", option));
  return number;
}

constexpr std::array<std::pair<std::string_view, Severity>, 5> severities = {{{"trace", Severity::trace},
                                                                              {"debug", Severity::debug},
                                                                              {"info", Severity::info},
                                                                              {"warn", Severity::warn},
                                                                              {"error", Severity::error}}};

Result<std::optional<Severity>> read_log_level(const std::string& typed) {
  if (!typed.empty()) return one_of("--log-level", typed, severities);
  if (const char* const set = std::getenv("TORVYN_LOG"); set != nullptr && *set != '\0')
    return one_of("TORVYN_LOG", set, severities);
  return std::nullopt;
}

std::optional<std::string> if_given(const CLI::App& command, const char* option, const std::string& value) {
  return command.count(option) == 0 ? std::nullopt : std::optional(value);
}

Status check_flows(const RunOptions& options) {
  for (auto flow = options.flows.begin(); flow != options.flows.end(); ++flow) {
    if (std::find(options.flows.begin(), flow, *flow) != flow)
      return fail(ErrorCode::usage, fmt::format("`--flow {}` was given twice", *flow), "leave one of the two");
  }
  if (options.flows.size() > 1 && (options.input || options.output))
    return fail(ErrorCode::usage, "`--input` and `--output` replace an end of one flow, and several were named",
                "name the stages in the manifest instead, or run the flows one by one");
  if (!options.pipeline.empty() && !options.flows.empty())
    return fail(ErrorCode::usage, "`--flow` names a flow of the manifest, and another was given beside it",
                "leave out one of the two; several flows run side by side with --flow A --flow B");
  return {};
}

Result<Command> read_run(const CLI::App& command, const Typed& typed) {
  RunOptions options;
  options.pipeline = typed.pipeline;
  options.flows = typed.flows;
  options.input = if_given(command, "--input", typed.input);
  options.output = if_given(command, "--output", typed.output);
  TORVYN_TRY(check_flows(options));
  TORVYN_LET(options.elements_max, whole_number("--limit", typed.limit));
  TORVYN_LET(options.errors_max, whole_number("--max-errors", typed.max_errors));
  if (!typed.timeout.empty()) {
    Result<std::uint64_t> timeout_ns = config::parse_duration(typed.timeout);
    if (!timeout_ns)
      return fail(ErrorCode::usage, "`--timeout`: " + timeout_ns.error().message(), "for instance --timeout 30s");
    options.timeout_ns = *timeout_ns;
  }
  options.no_build = typed.no_build;
  options.watch = typed.watch;
  if (options.watch && options.no_build)
    return fail(ErrorCode::usage, "`--watch` builds what changes, and `--no-build` forbids it",
                "leave out one of the two");
  TORVYN_LET(options.log_level, read_log_level(typed.log_level));
  options.summary = typed.summary;
  return options;
}

Result<Command> read_build(const Typed& typed) {
  BuildOptions options{.sources = {typed.sources.begin(), typed.sources.end()},
                       .output = typed.build_output,
                       .work_dir = typed.work_dir,
                       .world = typed.world,
                       .wit_dir = typed.wit,
                       .release = typed.release,
                       .flags = typed.flags,
                       .component = typed.component};
  const bool of_manifest = typed.all || !typed.component.empty();
  if (of_manifest && !options.sources.empty())
    return fail(ErrorCode::usage,
                "`--component` and `--all` are for the components of a manifest, and sources were named too",
                "leave out one of the two");
  if (typed.all && !typed.component.empty())
    return fail(ErrorCode::usage, "`--all` and `--component` contradict each other", "leave out one of the two");
  if (options.sources.empty() &&
      !(options.output.empty() && options.work_dir.empty() && options.world.empty() && options.wit_dir.empty()))
    return fail(ErrorCode::usage,
                "`--output`, `--work-dir`, `--world` and `--wit` are for sources named on the command line",
                "torvyn build upper.c -o upper.wasm");
  return options;
}

InitOptions read_init(const Typed& typed) {
  return {.directory = typed.directory_made,
          .template_name = typed.template_name,
          .language = typed.language,
          .contract_version = typed.contract_version,
          .interactive = typed.interactive,
          .force = typed.force,
          .no_git = typed.no_git,
          .no_example = typed.no_example};
}

Result<Command> read_doctor(const Typed& typed) {
  if (typed.yes && !typed.fix)
    return fail(ErrorCode::usage, "`--yes` answers what `--fix` asks, and there is no `--fix`",
                "torvyn doctor --fix --yes");
  for (const std::string& language : typed.languages) TORVYN_TRY(is_one_of("LANGUAGE", language, "LANGUAGE"));
  return DoctorOptions{.languages = typed.languages, .fix = typed.fix, .yes = typed.yes};
}

Result<std::optional<std::uint64_t>> read_duration(std::string_view option, const std::string& typed) {
  if (typed.empty()) return std::nullopt;
  Result<std::uint64_t> ns = config::parse_duration(typed);
  if (!ns)
    return fail(ErrorCode::usage, fmt::format("`{}`: {}", option, ns.error().message()),
                fmt::format("for instance {} 30s", option));
  return *ns;
}

// An argument that a command cannot do without.
Status needs(std::string_view command, std::string_view what, const std::string& typed, std::string_view example) {
  if (!typed.empty()) return {};
  return fail(ErrorCode::usage, fmt::format("`{}` needs {}", command, what),
              fmt::format("torvyn {} {}", command, example));
}

Result<Command> read_start(const Typed& typed) {
  TORVYN_TRY(needs("start", "the name of a flow", typed.flow, "main"));
  StartOptions options{
      .host = typed.host, .flow = typed.flow, .pipeline = typed.pipeline, .elements_max = {}, .timeout_ns = {}};
  TORVYN_LET(options.elements_max, whole_number("--limit", typed.limit));
  TORVYN_LET(options.timeout_ns, read_duration("--timeout", typed.timeout));
  return options;
}

// A command that talks to a running host.
Result<Command> read_caller(const std::string& command, const Typed& typed) {
  if (command == "ps") return PsOptions{.host = typed.host, .flow = typed.flow, .all = typed.every};
  if (command == "start") return read_start(typed);
  if (command == "reload") return ReloadOptions{.host = typed.host, .dry_run = typed.dry_run};
  if (command == "top") {
    TopOptions options{.host = typed.host, .once = typed.once};
    TORVYN_LET(const std::optional<std::uint64_t> interval_ns, read_duration("--interval", typed.interval));
    options.interval_ns = interval_ns.value_or(options.interval_ns);
    return options;
  }
  if (command == "cancel") {
    TORVYN_TRY(needs("cancel", "the name of a flow", typed.flow, "main"));
    return CancelOptions{.host = typed.host, .flow = typed.flow, .drain = typed.drain, .no_wait = typed.no_wait};
  }
  if (command == "swap") {
    TORVYN_TRY(needs("swap", "a flow, a node and a component", typed.target, "main shout ./shout.wasm"));
    return SwapOptions{
        .host = typed.host, .flow = typed.flow, .node = typed.node, .component = typed.target, .flush = typed.flush};
  }
  TORVYN_TRY(is_one_of("level", typed.level, "OBSERVED"));
  return LevelOptions{.host = typed.host, .level = typed.level};
}

Result<Command> read_command(Grammar& grammar, const Typed& typed) {
  if (typed.version) return TextOptions{"torvyn " TORVYN_VERSION "\n"};
  for (const std::string& word : grammar.app().remaining(true))
    if (word != "--") return fail(unexpected(grammar, word));
  const CLI::App* const command = grammar.command();
  if (command == nullptr) return TextOptions{grammar.app().help()};
  if (command->get_name() == "run") return read_run(*command, typed);
  if (command->get_name() == "check") return CheckOptions{.schema = typed.schema, .strict = typed.strict};
  if (command->get_name() == "inspect") {
    if (typed.target.empty()) return fail(ErrorCode::usage, "`inspect` needs a file", "torvyn inspect upper.wasm");
    TORVYN_TRY(is_one_of("--show", typed.section, "SECTION"));
    return InspectOptions{typed.target, typed.section};
  }
  if (command->get_name() == "build") return read_build(typed);
  if (command->get_name() == "init") return read_init(typed);
  if (command->get_name() == "link") return LinkOptions{typed.link_flow, typed.components, typed.detail};
  if (command->get_name() == "explain") {
    if (typed.code.empty()) return fail(ErrorCode::usage, "`explain` needs a code", "torvyn explain E0203");
    return ExplainOptions{typed.code};
  }
  if (command->get_name() == "doctor") return read_doctor(typed);
  if (command->get_name() == "stages") return StagesOptions{typed.stage};
  if (command->get_name() == "completions") {
    if (typed.shell.empty())
      return fail(ErrorCode::usage, "`completions` needs the name of a shell", "torvyn completions bash");
    TORVYN_TRY(is_one_of("SHELL", typed.shell, "SHELL"));
    return CompletionsOptions{typed.shell};
  }
  if (command->get_name() == "serve") {
    ServeOptions options{.no_build = typed.no_build, .log_level = {}};
    TORVYN_LET(options.log_level, read_log_level(typed.log_level));
    return options;
  }
  if (command->get_option_no_throw("--host") != nullptr) return read_caller(command->get_name(), typed);
  if (command->get_name() == "man") return ManOptions{};
  return VersionOptions{};
}

Status read_global(const Typed& typed, GlobalOptions& global) {
  global.quiet = typed.quiet;
  global.verbose = typed.verbose;
  global.directory = typed.directory;
  global.manifest = typed.manifest;
  global.assignments = typed.assignments;
  static constexpr std::array<std::pair<std::string_view, OutputFormat>, 2> formats = {
      {{"human", OutputFormat::human}, {"json", OutputFormat::json}}};
  static constexpr std::array<std::pair<std::string_view, ColorChoice>, 3> colors = {
      {{"auto", ColorChoice::automatic}, {"always", ColorChoice::always}, {"never", ColorChoice::never}}};
  if (!typed.color.empty()) {
    TORVYN_LET(global.color, one_of("--color", typed.color, colors));
  }
  if (!typed.format.empty()) {
    TORVYN_LET(global.format, one_of("--format", typed.format, formats));
  }
  return {};
}

// Where the line cannot be read, its error is still to be told in the way that was asked for.
OutputFormat guess_format(const std::vector<std::string>& arguments) {
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    const bool split = arguments[index] == "--format" && index + 1 < arguments.size() && arguments[index + 1] == "json";
    if (split || arguments[index] == "--format=json") return OutputFormat::json;
  }
  return OutputFormat::human;
}

ValueInfo value_of_option(const CLI::Option& option) {
  return option.get_items_expected_max() == 0 ? ValueInfo{} : value_of(option.get_type_name());
}

std::vector<OptionInfo> describe_options(const CLI::App& app) {
  std::vector<OptionInfo> options;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) continue;
    OptionInfo info{.names = {},
                    .placeholder = option->get_items_expected_max() == 0 ? std::string() : option->get_type_name(),
                    .help = option->get_description(),
                    .value = value_of_option(*option),
                    .repeats = option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll};
    for (const std::string& name : option->get_snames()) info.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) info.names.push_back("--" + name);
    options.push_back(std::move(info));
  }
  return options;
}

CommandInfo describe_command(const CLI::App& app) {
  CommandInfo command{.name = app.get_name(),
                      .summary = app.get_description(),
                      .footer = app.get_footer(),
                      .options = describe_options(app),
                      .arguments = {}};
  // --help stands with every command, and is described once.
  std::erase_if(command.options, [](const OptionInfo& option) { return option.names.back() == "--help"; });
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    command.arguments.push_back({.name = option->get_name(),
                                 .help = option->get_description(),
                                 .value = value_of(option->get_name()),
                                 .repeats = option->get_items_expected_max() > 1});
  }
  return command;
}

}  // namespace

CommandLineInfo describe_command_line() {
  Typed typed;
  const Grammar grammar(typed);
  const CLI::App& app = grammar.app();
  CommandLineInfo info{
      .summary = app.get_description(), .footer = app.get_footer(), .options = describe_options(app), .commands = {}};
  for (const CLI::App* command : app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); }))
    info.commands.push_back(describe_command(*command));
  return info;
}

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  Typed typed;
  Grammar grammar(typed);
  GlobalOptions global;
  global.format = guess_format(arguments);
  const auto name = [&grammar] { return grammar.command() == nullptr ? std::string() : grammar.command()->get_name(); };
  try {
    grammar.app().parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return {global, name(), TextOptions{grammar.app().help()}};
  } catch (const CLI::ParseError& error) {
    return {global, name(), fail(refused(error))};
  }
  if (Status status = read_global(typed, global); !status) return {global, name(), fail(std::move(status).error())};
  return {global, name(), read_command(grammar, typed)};
}

}  // namespace torvyn::cli
