"""Drives the built binary as a person would: arguments in, exit code, stdout and stderr out.

    TORVYN_BIN              the binary (build/torvyn)
    TORVYN_COMPONENTS_DIR   the built components (components/ beside the binary); those of tests are in ../tests/components
    TORVYN_EXTRA_LOGS       a folder of *.log files that the comparisons with coreutils run on too
"""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from logs import LOGS

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TORVYN_BIN", ROOT / "build" / "torvyn")).resolve()
COMPONENTS = Path(os.environ.get("TORVYN_COMPONENTS_DIR", BINARY.parent / "components")).resolve()
TEST_COMPONENTS = COMPONENTS.parent / "tests" / "components"

# Far above what any test needs on a slow, busy machine: reached means stuck.
STUCK_S = 120


def default_signals() -> None:
    """What a shell in the background or a CI job may have set to be ignored would stay ignored in torvyn too."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


@dataclass
class Outcome:
    code: int
    out: bytes
    err: str

    def json(self, stream: str = "out") -> dict:
        """The report: the whole of stdout, or the last line of stderr where guests' lines may stand before it."""
        return json.loads(self.out if stream == "out" else self.err.splitlines()[-1])

    def fails(self, exit_code: int, *words: str) -> None:
        """It ended with this exit code, and stderr holds all of these."""
        assert self.code == exit_code, self.err
        for word in words:
            assert word in self.err, f"{word!r} is missing in:\n{self.err}"


@dataclass
class Torvyn:
    cwd: Path
    environment: dict
    processes: list[subprocess.Popen] = field(default_factory=list)
    stuck_s: int = STUCK_S

    def start(self, *arguments, **options) -> subprocess.Popen:
        # Unbuffered: what a test has not read yet is still there for `finish`.
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "bufsize": 0, **options}
        environment = {**self.environment, **options.pop("env", {})}
        self.processes.append(subprocess.Popen([str(BINARY), *map(str, arguments)], cwd=self.cwd, env=environment,
                                               preexec_fn=default_signals, **options))
        return self.processes[-1]

    def __call__(self, *arguments, stdin: bytes = b"", **options) -> Outcome:
        process = self.start(*arguments, **options)
        return self.finish(process, stdin)

    def finish(self, process: subprocess.Popen, stdin: bytes | None = None) -> Outcome:
        try:
            out, err = process.communicate(stdin, timeout=self.stuck_s)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            pytest.fail(f"torvyn was stuck; it had said:\n{(err or b'').decode(errors='replace')}")
        return Outcome(process.returncode, out or b"", (err or b"").decode(errors="replace"))

    def report(self, pipeline: str, *arguments, **options) -> dict:
        """The JSON report of a pipeline that writes nothing to stdout and ends with 0."""
        outcome = self("run", pipeline, "--format", "json", *arguments, **options)
        assert outcome.code == 0, outcome.out
        return outcome.json()


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    """User configuration and caches, shared by all tests: each component is compiled once."""
    return tmp_path_factory.mktemp("home")


def default_environment(home: Path) -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS") if key in os.environ}
    return {**kept, "HOME": str(home), "TORVYN_HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "xterm"}


@pytest.fixture
def torvyn(tmp_path, home):
    assert BINARY.exists(), f"{BINARY} is not there: build it first, or name it in TORVYN_BIN"
    runs = Torvyn(tmp_path, default_environment(home))
    yield runs
    for process in runs.processes:
        if process.poll() is None:  # its test has failed half-way
            process.kill()
            process.wait()


@pytest.fixture
def maker(torvyn):
    """One that builds. What the tools of a language fetch and build once is kept in the user's caches, from one run of the tests to the next."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    tools = ("CARGO", "RUSTUP", "GO", "PIP_", "npm_config_", "NODE_", "SSL_", "https_proxy", "HTTPS_PROXY")
    torvyn.environment |= {key: value for key, value in os.environ.items() if key.startswith(tools)}
    torvyn.environment |= {"HOME": str(Path.home()), "TORVYN_HOME": str(caches / "torvyn" / "tests"),
                           # The host's own tests of a project call the torvyn that is tested.
                           "PATH": f"{BINARY.parent}:{os.environ['PATH']}"}
    torvyn.stuck_s = 1800  # Rust's standard library for WebAssembly is built the first time
    return torvyn


@pytest.fixture(params=LOGS, ids=[log.name for log in LOGS])
def log(request, tmp_path) -> Path:
    """An input file, one test for each."""
    path = tmp_path / "in.log"
    path.write_bytes(request.param.content())
    return path


@pytest.fixture(params=[log for log in LOGS if log.is_lines], ids=[log.name for log in LOGS if log.is_lines])
def lines_log(request, tmp_path) -> Path:
    """The same, of lines that end in a line feed, as grep and sort want them."""
    path = tmp_path / "in.log"
    path.write_bytes(request.param.content())
    return path


def component(name: str) -> Path:
    """A component that the project ships: "upper", "rust/upper"."""
    return COMPONENTS / f"{name}.wasm"


def misbehaving(name: str) -> Path:
    return TEST_COMPONENTS / f"{name}.wasm"


def coreutils(script: str, path: Path) -> bytes:
    """What a shell script makes of a file, byte for byte."""
    with path.open("rb") as file:
        done = subprocess.run(["bash", "-c", f"set -o pipefail; {script}"], stdin=file, stdout=subprocess.PIPE, check=False,
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, timeout=STUCK_S)
    assert done.returncode in (0, 1), script  # grep's 1: nothing found
    return done.stdout


def wait_for(condition) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen within a minute")
