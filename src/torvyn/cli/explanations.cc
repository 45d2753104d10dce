#include "torvyn/cli/explanations.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>

#include "torvyn/cli/explanation_examples.h"
#include "torvyn/types/error_codes.h"

namespace torvyn::cli {
namespace {

struct Page {
  ErrorCode code;
  std::string_view text;
};

// In the order of the codes.
constexpr std::array pages = {
    Page{
        ErrorCode::manifest_not_found,
        R"(The command works on a project, and there is no Torvyn.toml in the current folder or where --manifest points.

Run it in the project's folder, name the folder with -C DIR or the file with --manifest PATH. A pipeline on the command line needs no manifest: torvyn run 'file access.log ! ./upper.wasm ! stdout'.)"},
    Page{
        ErrorCode::manifest_not_toml,
        R"(The manifest breaks a rule of TOML, so nothing in it was read. Line and column show where reading stopped; the mistake may be a little before, for instance a quote or a bracket that was never closed.

Strings stand in quotes, tables in [brackets], lists of tables in [[double brackets]].)"},
    Page{
        ErrorCode::directory_not_empty,
        R"(A new project would have been written into a folder that holds files already, and some of them might have been overwritten.

Choose another name, empty the folder, or say that you mean it with --force.)"},
    Page{ErrorCode::io_failed,
         R"(The operating system refused to open, read or write a file or folder; the message ends with its reason.

A path on the command line is taken from the current folder, a path in a manifest from the manifest's folder. If the disk is full, what a flow has written so far is kept as NAME.partial.)"},
    Page{ErrorCode::pipeline_syntax,
         R"(The pipeline on the command line cannot be read; the caret shows where.

Stages are separated by a `!` that stands alone between blanks. A stage is a component or the name of a built-in stage, followed by settings: key=value for the stage, @key=value for the host. A value with blanks stands in quotes: grep pattern="not found". In a shell, put the whole pipeline in single quotes, so that the shell touches neither the `!` nor the inner quotes.

The host's keys are those of a node in a manifest: @on_error (fail, skip or retry), @retries, @retry_backoff, @on_trap, @restarts, @restart_window, @instances, @placement, @timeout, @max_memory; those of the stream into a stage: @queue_depth, @queue_bytes, @backpressure_policy, @low_watermark_ratio; and @name. Branches and dead-letter nodes need a manifest.)"},
    Page{ErrorCode::usage,
         R"(The command line asks for something that torvyn doesn't know or that doesn't fit together.

torvyn --help lists the commands, torvyn COMMAND --help the options of one of them, with examples.)"},
    Page{
        ErrorCode::internal_error,
        R"(Something happened that should be impossible. This is a mistake in torvyn or in its engine, not in your components or your data.

Please report it with the message, the output of torvyn version, and what you ran.)"},
    Page{ErrorCode::tool_missing,
         R"(Building needs a tool that is not on this machine; the message names it and the command that installs it.

Components in C and C++ are built with clang 16 or later, wasm-ld and wasi-libc. On Debian 12: apt-get install clang-19 lld-19 wasi-libc libc++-19-dev-wasm32 libclang-rt-19-dev-wasm32. TORVYN_CLANG names another clang. Running pipelines needs none of these.)"},
    Page{
        ErrorCode::build_failed,
        R"(The compiler or the linker refused the source. Its own messages stand above the error, unchanged; the first of them is usually the one to mend.

An undefined function whose name begins with exports_ is one that the component's world asks for and the source doesn't define.)"},
    Page{ErrorCode::wit_syntax,
         R"(A WIT file breaks a rule of the language; line and column show where reading stopped.

Names in WIT are written in kebab-case, statements in interfaces end with a semicolon, and every file of a folder belongs to one package.)"},
    Page{ErrorCode::wit_unresolved,
         R"(A WIT file uses a package, an interface or a type that is nowhere to be found.

The contract packages (torvyn:streaming and its extensions) are always there. Other packages lie in deps/ below the WIT folder, and a `use` of them names their version.)"},
    Page{
        ErrorCode::no_torvyn_interface,
        R"(The file is a component, but none of its exports makes it a stage of a flow; the message lists what it does export.

A stage exports source, processor or sink of torvyn:streaming, filter or router of torvyn:filtering, aggregator of torvyn:aggregation, or their batch forms in torvyn:batching. Build the component for one of the contract's worlds: torvyn build --world managed-transform.)"},
    Page{ErrorCode::undeclared_capability,
         R"(The component imports something of WASI that its project doesn't say it needs.

Name the capability in the component's `requires`, so that whoever runs it knows what it asks for, or build the component without that import.)"},
    Page{
        ErrorCode::not_a_component,
        R"(The file that was given as a component is something else, or only a part of one; the message says what it looks like.

A core module, which is what compilers for WebAssembly produce by themselves, becomes a component by torvyn build MODULE.wasm --world WORLD. A file that was cut off has to be built or copied again.)"},
    Page{
        ErrorCode::deprecated_contract,
        R"(WIT or a component uses something of a package that is marked with @deprecated, so that it will not be there for much longer.

Use what the documentation beside the mark names instead, and build again.)"},
    Page{
        ErrorCode::interfaces_incompatible,
        R"(Two sides that should fit don't. A component was built against packages that carry the contract's names, and in which a function or a type is another one; the message shows both sides' definitions. Or a copy of the contract in a project's wit/ was changed. Or a stage accepts none of the content types that come to it.

Build the component again against the packages that come with torvyn, and put a changed copy back as it was. torvyn link shows the same for every component of a flow, without running it.)"},
    Page{
        ErrorCode::version_incompatible,
        R"(Component or manifest and this torvyn speak different versions of the contract. Below 1.0 a new minor version may change anything, so 0.1 and 0.2 don't fit together, while 0.1.0 and 0.1.3 do.

Build the component again, or use a torvyn that speaks its version. torvyn version prints the version spoken here, torvyn inspect FILE the component's.)"},
    Page{
        ErrorCode::capability_not_granted,
        R"(The component asks for a capability that it was not given. Without a grant a component has clocks and random numbers, and nothing else of the machine: no files, no network, no environment.

Grant what it needs if you trust it with that, or use the component without the part that asks for it.

torvyn inspect FILE prints the lines to add; in a pipeline it is @grant=NAME:SCOPE.)"},
    Page{
        ErrorCode::graph_invalid,
        R"(The stages don't make a flow. A flow begins with sources and ends with sinks; what stands between has an input and an output, every node is reached from a source, and no way leads back. Several edges may leave a node, and each gets every element; several may lead to one.

The message names the node and says where it belongs; a cycle is shown whole. Nodes without edges form one chain in the order of the file, dead-letter nodes left out. As soon as one edge is written, all of them have to be:

[[flow.main.edges]]
from = "lines"
to = "upper"

[[flow.main.edges]]
from = "lines"
to = "archive"

[[flow.main.edges]]
from = "upper"
to = "out"

A node whose on_error says "dead-letter" names the node that gets these elements; that way is no edge, and doesn't make up for one:

[flow.main.nodes.upper]
component = "upper"
on_error = "dead-letter"
dead_letter = "rejected"

on_trap, restarts, restart_window and instances are for components, and more than one of `instances` only for processors, filters and routers; a source has no placement = "parallel". torvyn inspect FILE prints the role of a component.)"},
    Page{ErrorCode::unknown_port,
         R"(An edge or a router names an output port that its node doesn't have.

Routers name their ports themselves, while they run; an edge may leave a router by any name, and a router that names a port by which no edge leaves breaks off with this error. Several edges may leave by one port.

[[flow.main.edges]]
from = "route.errors"
to = "alarm"

[[flow.main.edges]]
from = "route.rest"
to = { node = "archive", port = "input" }

Every other node has one output port, `output`, and every node one input port, `input`; both may be left out.)"},
    Page{
        ErrorCode::import_not_provided,
        R"(The component imports something that nothing here provides, so it cannot be linked. The message names the import and, where it is part of WASI, the capability it belongs to.

Provided are the torvyn packages and WASI 0.2, most of it closed until it is granted. Build the component without the import, or against a version that is provided. torvyn inspect FILE lists all imports.)"},
    Page{
        ErrorCode::settings_without_lifecycle,
        R"(The flow gives settings to a component that has no way to receive them: it doesn't export torvyn:streaming/lifecycle, whose `init` takes them.

Remove the settings, or build the component for a world with a lifecycle, for instance managed-transform instead of transform.)"},
    Page{ErrorCode::unknown_flow_or_node,
         R"(A flow or a node was named that the manifest doesn't have, or a choice between several flows was left open.

Flows are the sections [flow.NAME] and nodes the sections [flow.NAME.nodes.NODE]. torvyn run --flow NAME chooses a flow; without it, the only one or the one called main is run.)"},
    Page{ErrorCode::component_not_found,
         R"(There is no file at the path that a stage names, and no built-in stage of that name.

Paths in a pipeline are taken from the current folder, paths in a manifest from the manifest's folder. A component of the project has to be built first: torvyn build.)"},
    Page{ErrorCode::allocation_failed,
         R"(The machine refused memory or address space for buffers or for the engine.

If a limit is set here (ulimit -v, a container's memory), raise it, or make the pools smaller in [runtime.pools] and lower max_instances in [runtime].)"},
    Page{ErrorCode::pool_exhausted,
         R"(All buffers of the size that was asked for are in use, and exhaustion_policy = "error" forbids making more.

Make the tier larger in [runtime.pools], allow extra buffers with exhaustion_policy = "fallback-alloc", or find the stage that holds on to buffers: a warning W0300 names it.)"},
    Page{ErrorCode::not_the_owner,
         R"(A component used a buffer that it doesn't own: one that it gave away, or one that another component holds.

A payload that was returned in an output belongs to the host from then on. This is a mistake in the component.)"},
    Page{
        ErrorCode::stale_handle,
        R"(A component used a handle that is not valid any more, or never was: a buffer it had dropped, returned twice, or frozen.

After freeze, the mutable handle may only be dropped. A buffer may be returned once; to pass the same bytes on twice, let the host copy them with clone-into-mutable. This is a mistake in the component; its instance was ended and everything it held was taken back.)"},
    Page{
        ErrorCode::borrows_outstanding,
        R"(A component returned from a call without dropping the handles that it was lent for it, the payload and the context of an element.

In C, both have to be dropped before the function returns, on every path; the generated bindings have a function for each, which ends in _drop_borrow. Other languages do it by themselves.)"},
    Page{ErrorCode::capacity_exceeded,
         R"(Something is larger, or there is more of it, than there is room for; the message says what.

A buffer: its capacity is fixed when it is allocated, and no buffer is larger than max-buffer-size (16 MiB unless set otherwise). A component should ask for the size it needs. For input with longer lines, raise max-buffer-size in [capabilities.torvyn], or let the source split them: long_lines=split.

A stream: its receiver is slower than what feeds it, and backpressure_policy = "error" says that this is a failure. Give it more room, or let the producer wait ("block", the default) or elements go ("drop-oldest", "drop-newest"; the summary counts them):

[[flow.main.edges]]
from = "lines"
to = "slow"
queue_depth = 1024
queue_bytes = "64MiB"
backpressure_policy = "drop-oldest"

A thread: the system gave no more of them for another flow or for `instances`. Raise its limit (ulimit -u, a container's pids), or run fewer at once.)"},
    Page{
        ErrorCode::memory_budget,
        R"(A component needs more memory than it may have: max_memory_per_component in [runtime], 64 MiB unless set otherwise, or @max_memory at its node.

If the component is meant to use that much, raise the limit. If its use grows with every element, it leaks.)"},
    Page{ErrorCode::host_memory_limit,
         R"(All flows together reached the limit that was set for this host, max_memory in [runtime].

Raise it, or run fewer flows.)"},
    Page{
        ErrorCode::instance_limit,
        R"(The engine has no room for another instance of a component: max_instances in [runtime], or the address space of this process.

Raise the limit or run fewer flows at once.)"},
    Page{
        ErrorCode::deadline_exceeded,
        R"(An element was not finished within the time that its flow allows each of them, counted from its source on. A late element is not handed to the next stage; that stage's on_error says what becomes of it, in its case deadline-exceeded, and the flow fails where it says nothing.

[flow.main]
deadline = "500ms"

[flow.main.nodes.upper]
component = "upper"
on_error = { deadline-exceeded = "skip" }

Find the slow stage in the table at the end of a run (p99), and with --verbose the stream where elements waited. A deep queue in front of a slow stage makes elements late: a smaller queue_depth keeps what is in flight young. A retry is not tried after the deadline.)"},
    Page{
        ErrorCode::call_timed_out,
        R"(A component was still computing when its time for one call was over, and was stopped. Time spent waiting inside a WASI call doesn't count.

It may loop for ever, or need longer for this element than for others: the error names the element. The limit is invocation_timeout in [runtime], 1 s unless set otherwise, or `timeout` at the node (@timeout in a pipeline); init and teardown have limits of their own.

The instance has ended, as by a trap. Where the flow should go on without such an element:

[flow.main.nodes.parse]
component = "parse"
timeout = "5s"
on_trap = "restart"
on_error = { internal = "skip" }

The element is offered once more to a fresh instance, and if that doesn't come to an end either, `internal` says what becomes of it.)"},
    Page{
        ErrorCode::flow_cancelled,
        R"(The flow was ended at once, from outside: a call that was under way was stopped, what was in flight is counted as cancelled, and nothing was made final, so output files stay as NAME.partial. The code also stands where a flow that was asked to stop could not finish, because whoever reads its output takes nothing.

Ctrl-C once, SIGTERM, --limit and --timeout end a flow in good order instead: sources stop, what is in flight is finished, and outputs are made final. A flow that was cancelled is not restarted, whatever `restart` says.)"},
    Page{
        ErrorCode::element_failed,
        R"(A component reported an error for one element, and its node's on_error says that the flow ends then. The message holds the kind of error and the component's own words.

With on_error = "skip" in the node's section, or @on_error=skip in a pipeline, such elements are counted and left out, and the flow goes on. "retry" offers them again, `retries` times with a growing wait; "dead-letter" sends them to another node. Each kind may have its own action:

[flow.main.nodes.parse]
component = "parse"
on_error = { unavailable = "retry", invalid-input = "dead-letter" }
dead_letter = "rejected"

Where nothing is said, `unavailable` is retried and the others fail. --max-errors N sets how many elements may be skipped or sent away.)"},
    Page{
        ErrorCode::component_fatal,
        R"(A component reported `fatal`: by its own judgement it cannot go on. The flow ends whatever on_error and on_trap say. The message holds the component's own words.

If what it needs may come back, the whole flow can begin anew, with fresh instances and after a growing wait:

[flow.main]
restart = "on-failure"
restart_backoff = "1s"
restart_max = 10

Sources begin anew too: a file is read from its beginning.)"},
    Page{ErrorCode::init_failed,
         R"(A component refused to start. Most often its settings are missing or wrong: the message holds its own words.

Settings are key=value behind the component in a pipeline, and `config` in a node's section.)"},
    Page{
        ErrorCode::complete_failed,
        R"(All elements had passed, and then a component reported an error while it finished: an aggregator that gave out what it held, or a sink that made its work final.

What was written may be incomplete. The message holds the component's own words.)"},
    Page{
        ErrorCode::component_trapped,
        R"(A component broke off in the middle of a call: a panic, a failed assertion, an access outside its memory, a division by zero. Nothing outside the component was touched. Its instance was ended, the buffers it held went back to the pool, and the flow failed.

The report names the element, the functions it was in (innermost first), and the last lines it wrote. Function names are there unless the component was stripped; file and line are there unless it was built with --release.

A flow can go on with a fresh instance, three times a minute unless `restarts` and `restart_window` say otherwise:

[flow.main.nodes.parse]
component = "parse"
on_trap = "restart"
on_error = { internal = "dead-letter" }
dead_letter = "rejected"

The element is offered once more, and one that two instances died of is dealt with by on_error, as `internal`. What a sink or an aggregator had in hand is not offered again, since nobody knows how far it came: it counts as failed.)"},
    Page{
        ErrorCode::restart_limit,
        R"(A component trapped, or was stopped, once more than its node allows: `restarts` times within `restart_window`, 3 in 60 s unless set otherwise. The message, the backtrace and the last lines are those of the last time.

An element that one instance after the other dies of uses up the restarts: say what is to become of it, and it is offered twice and no more. Where traps are rare but many elements pass, allow more of them:

[flow.main.nodes.parse]
component = "parse"
on_trap = "restart"
restarts = 20
restart_window = "10m"
on_error = { internal = "skip" }

In a pipeline: @on_trap=restart @restarts=20 @restart_window=10m @on_error=skip. Every restart of an aggregator loses what it had taken in; the summary counts it.)"},
    Page{ErrorCode::capability_denied,
         R"(A component tried to use something that it was not granted.

Grant it if you trust the component with that.)"},
    Page{ErrorCode::sandbox_violation,
         R"(A component tried to reach beyond what it was granted, for instance a file outside of its folder.

Either the grant is too narrow for what the component is meant to do, or the component is not to be trusted.)"},
    Page{ErrorCode::beyond_ceiling,
         R"(A setting asks for more than this machine's own configuration allows.

Ask for less, or have whoever runs the machine raise its ceiling.)"},
    Page{
        ErrorCode::audit_failed,
        R"(A decision about a capability could not be written to the audit log, and the configuration says that nothing may happen unrecorded.

Make room or fix the permissions of the log's folder.

If work matters more than its record, say audit_on_failure = "continue" in [security].)"},
    Page{
        ErrorCode::address_in_use,
        R"(An address or socket to listen on is taken, or the system refused it; or no host answers at the address that was to be called.

To listen: stop the other program, choose another address, or look at the permissions. To call a host: torvyn serve starts one, and --host NAME, SOCKET or URL says which one is meant; hosts of other users are not seen.)"},
    Page{ErrorCode::artifact_invalid,
         R"(A packed component or project is damaged or incomplete: a digest doesn't match, or a part is missing.

Pull or pack it again.)"},
    Page{ErrorCode::registry_credentials,
         R"(The registry didn't accept the credentials, or there are none for it.

Log in to the registry again, and check that the account may do what was asked.)"},
    Page{ErrorCode::push_failed, R"(The registry didn't take the artifact; the message holds its answer.)"},
    Page{ErrorCode::signing_failed,
         R"(The artifact could not be signed; the message says what is wrong with the key.)"},
    Page{
        ErrorCode::signature_invalid,
        R"(An artifact has no signature where one is required, or one that doesn't match its contents or isn't by a key that is trusted here.

Don't run it unless you know why.)"},
    Page{
        ErrorCode::wrong_type,
        R"(A value has another type than its key wants, for instance a number where a string in quotes belongs, or a required key is missing.

Sizes and durations are strings with units: "64MiB", "250ms".)"},
    Page{
        ErrorCode::unknown_key,
        R"(There is no such key or setting here. A misspelt key would otherwise be ignored in silence, so it is an error; the nearest valid name is in the message.)"},
    Page{
        ErrorCode::out_of_range,
        R"(A value is of the right type, but too small, too large or not one of those allowed; the message says which are.)"},
    Page{ErrorCode::reference_unfilled,
         R"(The settings of a node refer to something outside the manifest, with ${env:NAME} or ${file:PATH}, and it is not there: the variable is not set, or the file cannot be read or is no text.

References are filled in when the flow starts. A relative path is taken from the manifest's folder; a line end at the end of the file is left out. What is filled in is shown nowhere. Where a setting has to hold the characters themselves, write $${env:NAME}.)"},
};

struct WarningPage {
  std::uint16_t number;
  std::string_view title;
  std::string_view text;
};

constexpr std::array warning_pages = {
    WarningPage{
        4, "no compile cache",
        R"(Compiled components could not be kept on disk, so they are compiled again at every start. Everything else works as usual.

The cache is in compiled/ below the cache folder: TORVYN_HOME/cache, XDG_CACHE_HOME/torvyn or ~/.cache/torvyn. Code in it is run, so the folder has to belong to you and nobody else may write to it. Delete it, and it is made anew.)"},
    WarningPage{
        102, "a world exports no Torvyn interface",
        R"(A world in the project's wit/ makes no stage, while another one does. A world that is only there to be included exports nothing; this one exports something that no flow would call.)"},
    WarningPage{
        103, "import needs an undeclared capability",
        R"(A component that lists what it needs in `requires` imports something of WASI that belongs to none of it. It is linked, and refused when it is used.

Add the capability to `requires`, or build the component without that import: torvyn link --detail shows which imports belong to which capability.)"},
    WarningPage{
        110, "something deprecated is used",
        R"(WIT or a component of the project uses an interface, function or type that its package marks with @deprecated. It works as before; a later version may be without it.

The documentation beside the mark says what to use instead. torvyn check --strict takes this for an error.)"},
    WarningPage{
        200, "a content type that is not accepted",
        R"(A stage says that it produces several content types, and the one behind it accepts only some of them. Elements of the others arrive all the same: nothing looks at content types while a flow runs.

Put a filter or a converter between them, or mend `accepts` and `produces`.)"},
    WarningPage{
        202, "a declared capability is not granted",
        R"(A component says in `requires` that it needs a capability, and nothing grants it: what it does with it will be refused.)"},
    WarningPage{
        300, "a component keeps handles",
        R"(Between two calls a component holds more and more handles: buffers that it neither dropped nor returned. It works until it reaches max_handles, and then it fails.

The usual reason: freeze is a method, so the mutable handle is still there afterwards and has to be dropped.)"},
    WarningPage{
        420, "teardown failed",
        R"(A component trapped or ran out of time in `teardown`, after all of its elements were done. The result of the flow stands.)"},
    WarningPage{
        500, "a component was denied something",
        R"(A component asked for something that it was not granted, and was given the error that WASI has for that. It may live with it: language runtimes ask for more than they need. The first time of each capability is told; all are counted in the report, and recorded in the audit log.

Grant it if you trust the component with that: the message has the lines to add. docs/security.md tells what each capability opens.)"},
    WarningPage{
        510, "the audit log cannot be written",
        R"(A line of the audit log could not be written, and is lost. The flow goes on: audit_on_failure is "continue". It is told once, until a line could be written again.

Make room or fix the permissions of the log's folder, or name another file: audit_path in [security]. Without it, the log is audit.jsonl in STATE_DIRECTORY, TORVYN_STATE_DIR, XDG_STATE_HOME/torvyn or ~/.local/state/torvyn.)"},
    WarningPage{
        700, "a setting without effect",
        R"(The manifest, or another configuration, sets a key that this version of torvyn reads and checks, but does not act on yet. Don't rely on it: a limit set so is not enforced, a grant set so is not given.

docs/configuration.md marks these keys. torvyn check --verbose shows every setting with its origin.)"},
    WarningPage{
        701, "an unknown variable",
        R"(The environment holds a variable that begins with TORVYN_ and sets nothing. Container platforms set some of their own accord, for a service called torvyn; those do no harm. If you meant a setting, look at its spelling: it is TORVYN_, the section, _ and the key, in upper case, as in TORVYN_RUNTIME_MAX_BATCH.

Grants are never taken from the environment: who can set a variable could give rights. Flows, nodes and the project are not set by variables either; --set does that.)"},
};

std::string code_text(char letter, unsigned number) {
  std::array<char, 8> text{};
  const int length = std::snprintf(text.data(), text.size(), "%c%04u", letter, number);
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace

std::vector<std::string> explained_codes() {
  std::vector<std::string> codes;
  for (const Page& page : pages) codes.push_back(code_string(page.code));
  for (const WarningPage& page : warning_pages) codes.push_back(code_text('W', page.number));
  return codes;
}

std::optional<Explanation> explain(std::string_view code) {
  char letter = 'E';
  if (!code.empty() && (code.front() == 'W' || code.front() == 'w')) letter = 'W';
  if (!code.empty() && std::string_view("EeWw").contains(code.front())) code.remove_prefix(1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), number);
  if (error != std::errc() || end != code.data() + code.size() || code.size() > 4) return std::nullopt;

  if (letter == 'W') {
    const auto* const found = std::ranges::find(warning_pages, number, &WarningPage::number);
    if (found == warning_pages.end()) return std::nullopt;
    const std::string name = code_text('W', number);
    return Explanation{name, found->title, found->text, example_of(name)};
  }
  const auto* const found = std::ranges::find(pages, ErrorCode{number}, &Page::code);
  if (found == pages.end()) return std::nullopt;
  const std::string name = code_text('E', number);
  return Explanation{name, code_title(found->code), found->text, example_of(name)};
}

}  // namespace torvyn::cli
