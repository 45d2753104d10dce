// What stands below the options in --help, and in the manual page.
#pragma once

namespace torvyn::cli {

inline constexpr const char* examples = R"(
Examples:
  torvyn init shout --language python && cd shout && torvyn build && torvyn run
  torvyn run 'file access.log ! ./upper.wasm ! stdout'
  torvyn run 'stdin ! ./grep.wasm pattern=ERROR @on_error=skip ! file errors.log' < app.log
  torvyn run --limit 1000 --format json
  torvyn build upper.c -o upper.wasm
  torvyn inspect upper.wasm
  torvyn serve
  torvyn doctor
  torvyn explain E0203

torvyn COMMAND --help shows the options of a command.)";

inline constexpr const char* run_examples = R"(
A pipeline is one argument, its stages separated by ` ! `: a source, what works on its elements, a sink.
Built in are generate, file, stdin, stdout and null. Without a pipeline, a flow of Torvyn.toml is run.

Examples:
  torvyn run 'file access.log ! ./upper.wasm ! stdout'
  torvyn run 'generate count=1000 ! ./upper.wasm ! null'
  torvyn run --flow main --input today.log --output -
  torvyn run --flow orders --flow returns
  torvyn run 'stdin ! ./shout.py ! stdout'
  torvyn run --watch
  torvyn run main --timeout 30s --max-errors 100 --summary report.txt)";

inline constexpr const char* init_examples = R"(
Templates are transform (the default), filter, router, aggregator, source, sink, full-pipeline and empty;
languages c, cpp, rust, go, python and javascript.

Examples:
  torvyn init shout --language rust
  torvyn init pages --language python --template full-pipeline
  torvyn init --interactive)";

inline constexpr const char* build_examples = R"(
Without SOURCE, the components of Torvyn.toml are built into target/. A source is of C, C++, Rust, Go, Python or JavaScript.

Examples:
  torvyn build upper.c -o upper.wasm
  torvyn build shout.py
  torvyn build src/ --world content-filter
  torvyn build module.wasm --world transform -o component.wasm
  torvyn build --component upper --release)";

inline constexpr const char* check_examples = R"(
Nothing is run and nothing is built: components are looked at as they were built last. With --verbose, every setting is shown with where it
comes from.

Examples:
  torvyn check
  torvyn check --strict
  torvyn check --verbose --set runtime.max_batch=1
  torvyn check --schema > torvyn.schema.json)";

inline constexpr const char* inspect_examples = R"(
The parts for --show are exports, imports, sizes, modules, memory, producers and grants. What is shown for grants is a piece of
Torvyn.toml; JSON always holds all parts.

Examples:
  torvyn inspect upper.wasm
  torvyn inspect upper.wasm --show sizes
  torvyn inspect fetch.wasm --show grants >> Torvyn.toml
  torvyn inspect upper.wasm --format json)";

inline constexpr const char* doctor_examples = R"(
Looks for what builds components, language by language, and at what running them needs. Without LANGUAGE, all languages are looked at, and
those of the project in this folder have to be there. The exit code is 0 where they are, 2 where something is missing, and 1 where --fix
failed.

Examples:
  torvyn doctor
  torvyn doctor rust
  torvyn doctor rust --fix
  torvyn doctor --format json)";

inline constexpr const char* stages_examples = R"(
Examples:
  torvyn stages
  torvyn stages file
  torvyn stages --format json)";

inline constexpr const char* completions_examples = R"(
Examples:
  source <(torvyn completions bash)
  torvyn completions bash > ~/.local/share/bash-completion/completions/torvyn
  torvyn completions zsh > ~/.zfunc/_torvyn
  torvyn completions fish > ~/.config/fish/completions/torvyn.fish)";

inline constexpr const char* version_examples = R"(
Examples:
  torvyn version
  torvyn version --format json)";
inline constexpr const char* link_examples = R"(
Examples:
  torvyn link
  torvyn link --flow main --detail
  torvyn link --components build/components --format json)";

inline constexpr const char* explain_examples = R"(
Examples:
  torvyn explain E0203
  torvyn explain W0300)";

inline constexpr const char* serve_examples = R"(
Runs the flows of Torvyn.toml that have not `autostart = false`, and stays until SIGINT or SIGTERM: flows then finish what is in flight. SIGHUP
or `torvyn reload` applies a changed manifest. The other commands find the host by its project's name.

Examples:
  torvyn serve
  torvyn serve --set observability.listen=127.0.0.1:9464
  torvyn serve --no-build --log-level warn)";

inline constexpr const char* ps_examples = R"(
Examples:
  torvyn ps
  torvyn ps main
  torvyn ps --all --format json
  torvyn ps --host orders)";

inline constexpr const char* top_examples = R"(
Examples:
  torvyn top
  torvyn top --interval 250ms
  torvyn top --once)";

inline constexpr const char* start_examples = R"(
Without PIPELINE, FLOW is one of the host's manifest. With one, it is the name that the new flow gets.

Examples:
  torvyn start nightly
  torvyn start nightly --limit 1000
  torvyn start probe 'file /var/log/syslog ! /srv/grep.wasm pattern=error ! null')";

inline constexpr const char* cancel_examples = R"(
The flow ends at once; with --drain its sources stop, and what is in flight is finished.

Examples:
  torvyn cancel main
  torvyn cancel main --drain
  torvyn cancel main --no-wait)";

inline constexpr const char* swap_examples = R"(
The flow runs on: nothing is lost, repeated or put in another order.

Examples:
  torvyn swap main shout ./shout-2.wasm
  torvyn swap main total ./total-2.wasm --flush)";

inline constexpr const char* reload_examples = R"(
Flows that are the same go on untouched, changed components are swapped, and what cannot be is started anew. Where something is wrong with
the manifest, nothing is changed.

Examples:
  torvyn reload --dry-run
  torvyn reload)";

inline constexpr const char* level_examples = R"(
Examples:
  torvyn level
  torvyn level diagnostic)";

}  // namespace torvyn::cli
