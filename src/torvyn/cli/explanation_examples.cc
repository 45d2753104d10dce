#include "torvyn/cli/explanation_examples.h"

#include <algorithm>
#include <array>

namespace torvyn::cli {
namespace {

struct Example {
  std::string_view code;
  std::string_view text;
};

// In the order of the codes.
constexpr std::array examples = std::to_array<Example>({
    {"E0001", R"($ torvyn run
error[E0001]: there is no Torvyn.toml in this folder
  fix    name a project's folder with -C DIR or its manifest with --manifest PATH)"},
    {"E0002", R"(error[E0002]: this is not TOML: a quote is left open
  --> Torvyn.toml:11:24
   |
11 | component = "upper.wasm
   |                        ^
  fix    close the quote on its line)"},
    {"E0003", R"($ torvyn init demo
error[E0003]: `demo` is not empty
  fix    choose another name, or --force)"},
    {"E0004", R"(error[E0004]: cannot read `inn.log`: No such file or directory, did you mean `in.log`?
  where  flow main › node file)"},
    {"E0005", R"(error[E0005]: there is no stage between this `!` and the one before
  --> <pipeline>:1:15
  |
1 | file in.log ! ! stdout
  |               ^)"},
    {"E0006", R"($ torvyn run --limt 5
error[E0006]: unknown option `--limt`, did you mean `--limit`?)"},
    {"E0007", R"(error[E0007]: the bridge and its header differ in version)"},
    {"E0010", R"(error[E0010]: no clang was found, which compiles C and C++ to WebAssembly
  fix    apt-get install clang-19 lld-19 wasi-libc …)"},
    {"E0011", R"(shout.c:24:14: error: expected ';' after return statement
error[E0011]: `shout.c` does not compile: expected ';' after return statement
  --> shout.c:24:14)"},
    {"E0100", R"(error[E0100]: expected an identifier or string, found eof
  --> wit/shout.wit:7:1)"},
    {"E0101", R"(error[E0101]: interface or world `streming` not found
  --> wit/shout.wit:4:10)"},
    {"E0102", R"(error[E0102]: the component exports no Torvyn interface: it exports `acme:tools/greeting@1.0.0`
  fix    a stage exports one of torvyn:streaming/{source,processor,sink}, …)"},
    {"E0103", R"(error[E0103]: `fetch` imports wasi:http/outgoing-handler, and its project doesn't ask for `http-client`
  fix    requires = ["http-client"])"},
    {"E0104", R"(error[E0104]: `upper.wasm` is a WebAssembly core module, not a component
  fix    torvyn build upper.wasm)"},
    {"E0110", R"(error[E0110]: `upper.wasm` was built for torvyn:streaming@0.1.0, which is deprecated)"},
    {"E0200", R"(error[E0200]: `upper.wasm` exports torvyn:streaming/processor@0.1.0 with another type of `process`)"},
    {"E0201", R"(error[E0201]: contract version 0.2.0 is not 0.1.x, which is what this version runs
  --> Torvyn.toml:4:20
  fix    write contract_version = "0.1.0")"},
    {"E0202",
     R"(error[E0202]: `fetch.wasm` cannot do without the capability `tcp-connect:api.example.org:443`, and was not granted it
  where  flow main › node fetch
  fix    grant it: capabilities = ["tcp-connect:api.example.org:443"] in [security.grants."fetch.wasm"], or `grants` of the node)"},
    {"E0203", R"(error[E0203]: the edges make a cycle: upper → again → upper
  --> Torvyn.toml:27:1
  fix    remove the edge that leads back)"},
    {"E0204", R"(error[E0204]: `upper` is a processor and has no port `errors` to send from
  --> Torvyn.toml:21:8
  fix    its port is `output`: from = "upper")"},
    {"E0205", R"(error[E0205]: `oracle.wasm` cannot be linked: `acme:tools/oracle@1.0.0` is not provided
  fix    build the component without it)"},
    {"E0206", R"(error[E0206]: `upper.wasm` takes no settings: it has no `lifecycle`, so nobody would hand them to it
  where  flow main › node upper)"},
    {"E0207", R"(error[E0207]: flow `main` has no node `uper`, did you mean `upper`?
  --> Torvyn.toml:18:6)"},
    {"E0210", R"(error[E0210]: there is no component `./uper.wasm`, did you mean `upper.wasm`?
  --> <pipeline>:1:15)"},
    {"E0300", R"(error[E0300]: the machine has no memory for a buffer of 1 MiB
  fix    free some memory, or lower max-buffer-size and the pools' sizes)"},
    {"E0301", R"(error[E0301]: the buffer pool is used up (exhaustion_policy = "error")
  where  flow main › node parse › element 81 (60,112 bytes))"},
    {"E0302", R"(error[E0302]: the buffer is not in a state that allows this
  where  flow main › node parse › element 3 (12 bytes))"},
    {"E0303", R"(error[E0303]: the buffer was used after `freeze`
  where  flow main › node parse › element 6 (8 bytes))"},
    {"E0304", R"(error[E0304]: borrow handles still remain at the end of the call
  where  flow main › node parse › element 0 (8 bytes)
  fix    drop payload and context before returning)"},
    {"E0305", R"(error[E0305]: the stream to `slow` is full
  where  flow main › node lines › element 64 (80 bytes)
  fix    raise its queue_depth or queue_bytes, or choose another backpressure_policy)"},
    {"E0310", R"(error[E0310]: the component's memory is at its limit of 64 MiB
  where  flow main › node parse › element 912 (40,960 bytes)
  fix    raise max_memory of the node)"},
    {"E0311",
     R"(error[E0311]: there is no memory left for another component: all of them together reached their limit
  where  flow main › node parse
  fix    raise max_memory in [runtime], run fewer flows beside each other, or give the components less (max_memory))"},
    {"E0312", R"(error[E0312]: the engine has no room for another instance of `parse`
  fix    raise max_instances in [runtime])"},
    {"E0400", R"(error[E0400]: deadline-exceeded: 3.2 ms after its deadline
  where  flow main › node upper › element 17 (80 bytes)
  fix    raise the flow's `deadline`, or let late elements go: on_error = { deadline-exceeded = "skip" })"},
    {"E0401", R"(error[E0401]: the call used more than its 1000 ms of time
  where  flow main › node parse › element 6 (8 bytes)
  guest  parse at parse.c:14
  then   flow failed; 6 delivered, 1 failed
  fix    if the work takes that long, raise the node's `timeout`; else look for an endless loop)"},
    {"E0402", R"(error[E0402]: the flow was cancelled)"},
    {"E0403", R"(error[E0403]: invalid-input: not UTF-8 at byte 14
  where  flow main › node parse › element 3,120 (80 bytes; line 3121 of in.log)
  then   flow failed; 3,120 delivered, 1 failed
  fix    on_error = "skip" for this node counts such elements and goes on)"},
    {"E0410", R"(error[E0410]: fatal: the model's file is damaged
  where  flow main › node score › element 0 (80 bytes)
  then   flow failed; 0 delivered, 1 failed)"},
    {"E0411", R"(error[E0411]: `init` returned invalid-input: no pattern: give pattern=TEXT
  where  flow main › node grep)"},
    {"E0412", R"(error[E0412]: `complete` returned unavailable: the table is locked
  where  flow main › node store)"},
    {"E0420", R"(error[E0420]: shout panicked: I cannot shout this: "hello 2"
  where  flow main › node shout › element 2 (7 bytes; line 3 of in.txt)
  guest  shout at src/lib.rs:8
  then   flow failed; 2 delivered, 1 failed)"},
    {"E0421", R"(error[E0421]: the component gave up: it ran into an `unreachable` instruction
  where  flow main › node parse › element 80 (12 bytes)
  fix    it was restarted 3 times in 60 s, as often as it may (`restarts`, `restart_window`))"},
    {"E0500",
     R"(error[E0500]: the component called `wall-clock.now`, which needs the capability `clocks`, and was not granted it
  where  flow main › node stamp › element 0 (12 bytes)
  fix    grant it: capabilities = ["clocks"] in [security.grants."stamp.wasm"])"},
    {"E0501", R"(error[E0501]: forward: `indices` falls or leaves the run at 3
  where  flow main › node pick › element 0 (12 bytes))"},
    {"E0502", R"(error[E0502]: `max_memory_per_component` is 1GiB, and this machine allows 256MiB at most
  --> Torvyn.toml:9:28
  |
9 | max_memory_per_component = "1GiB"
  |                            ^^^^^^)"},
    {"E0510",
     R"(error[E0510]: the audit log cannot be written: write to `/var/log/torvyn/audit.jsonl`: No space left on device
  fix    make room or give the rights, name another file with `audit_path` in [security], or say there `audit_on_failure = "continue"`)"},
    {"E0520", R"(error[E0520]: no host runs here: there is no socket in `/run/user/1000/torvyn`
  fix    start one with torvyn serve, or name one with --host)"},
    {"E0700", R"(error[E0700]: `retries` wants a whole number, not text
  --> Torvyn.toml:12:11
   |
12 | retries = "three"
   |           ^^^^^^^
  fix    write retries = 3)"},
    {"E0701", R"(error[E0701]: unknown key `componnet`, did you mean `component`?
  --> Torvyn.toml:11:1
   |
11 | componnet = "upper.wasm"
   | ^^^^^^^^^)"},
    {"E0702", R"(error[E0702]: `queue_depth` is 0; it must be 1 to 1048576
  --> Torvyn.toml:19:15
   |
19 | queue_depth = 0
   |               ^)"},
    {"E0703", R"(error[E0703]: `${env:TOKEN}` cannot be filled in: the variable is not set
  --> Torvyn.toml:12:20)"},
    {"W0004",
     R"(warning[W0004]: the compile cache `/home/ada/.cache/torvyn/compiled` is not a folder that only you can use: code in it will be run; compiling without a cache)"},
    {"W0300", R"(warning[W0300]: the component ended with 100 buffer handles it had not dropped
  where  node parse)"},
    {"W0420", R"(warning[W0420]: teardown: the component trapped
  where  node parse)"},
    {"W0500",
     R"(warning[W0500]: the component was denied `tcp-connect` (tcp-socket.start-connect 10.0.0.7:80); to grant it: capabilities = ["tcp-connect:10.0.0.7:80"] in [security.grants."fetch.wasm"]
  where  node fetch)"},
    {"W0510",
     R"(warning[W0510]: the audit log cannot be written: open `/var/log/torvyn/audit.jsonl`: Permission denied
  where  node fetch)"},
    {"W0700", R"(warning[W0700]: `observability.sample_rate` has no effect: this version reads it and does not act on it
  --> Torvyn.toml:9:1)"},
    {"W0701",
     R"(warning[W0701]: the variable `TORVYN_RUNTIME_MAX_BACH` sets nothing that torvyn knows, did you mean `TORVYN_RUNTIME_MAX_BATCH`?
  fix    --set takes every key by its path: --set runtime.max_batch=32)"},
});

}  // namespace

std::string_view example_of(std::string_view code) noexcept {
  const auto* const found = std::ranges::find(examples, code, &Example::code);
  return found == examples.end() ? std::string_view() : found->text;
}

}  // namespace torvyn::cli
