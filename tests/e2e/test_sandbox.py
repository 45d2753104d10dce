"""What a component may do is what was granted; what it tries beyond that is refused, told, and recorded."""

import hashlib
import json
import resource
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from conftest import BINARY, STUCK_S, component, misbehaving
from flows import HEAD, toml

REACH = misbehaving("reach")
DIALS = misbehaving("dials")


@pytest.fixture
def audit(torvyn, tmp_path):
    """The lines of the audit log, which is the test's own."""
    state = tmp_path / "state"
    torvyn.environment["XDG_STATE_HOME"] = str(state)
    path = state / "torvyn" / "audit.jsonl"

    def lines(event: str | None = None) -> list[dict]:
        if not path.exists():
            return []
        every = [json.loads(line) for line in path.read_text().splitlines()]
        return [line for line in every if event in (None, line["event"])]
    lines.path = path
    return lines


@pytest.fixture
def ask(torvyn):
    """What a component answers to requests, one a line."""
    def call(node: Path, requests: list[str], *arguments, keys: str = "", security: str = "", **options):
        (torvyn.cwd / "requests").write_text("".join(f"{line}\n" for line in requests))
        (torvyn.cwd / "Torvyn.toml").write_text(
            f'{HEAD}{security}\n[flow.main.nodes.in]\ncomponent = "builtin:file"\nconfig = {{ path = "requests" }}\n'
            f"[flow.main.nodes.node]\ncomponent = {toml(node)}\n{keys}\n"
            f'[flow.main.nodes.out]\ncomponent = "builtin:file"\nconfig = {{ path = "answers" }}\n')
        return torvyn("run", *arguments, **options)
    return call


@pytest.fixture
def answers(torvyn):
    return lambda: (torvyn.cwd / "answers").read_text().splitlines()


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_nothing_is_open_and_each_attempt_is_recorded_and_told_once(ask, answers, audit, listener):
    outcome = ask(DIALS, [f"connect 127.0.0.1:{listener}"] * 3 + ["lookup localhost", "udp 127.0.0.1:9"])
    assert outcome.code == 0, outcome.err
    assert answers() == ["access-denied"] * 5
    granted, = audit("granted")
    assert granted["capabilities"] == ["clocks", "random"]
    assert (granted["flow"], granted["node"]) == ("main", "node")
    assert granted["component"].endswith("dials.wasm")
    assert [(line["capability"], line["target"]) for line in audit("denied")] == \
        [("tcp-connect", "ipv4")] * 3 + [("name-lookup", "localhost"), ("udp", "ipv4")]
    assert outcome.err.count("W0500") == 3
    assert 'capabilities = ["tcp-connect:HOST:PORT"] in [security.grants."dials.wasm"]' in outcome.err
    assert audit.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("where", ["file name", "digest", "node"])
def test_a_grant_opens_its_scope_and_no_further(ask, answers, audit, listener, where):
    grant = f'["tcp-connect:127.0.0.1:{listener}"]'
    name = {"file name": "dials.wasm", "digest": digest_of(DIALS)}.get(where)
    security = f'[security.grants."{name}"]\ncapabilities = {grant}\n' if name else ""
    other = socket.create_server(("127.0.0.1", 0))
    with other:
        outcome = ask(DIALS, [f"connect 127.0.0.1:{listener}", f"connect 127.0.0.1:{other.getsockname()[1]}"],
                      security=security, keys="" if name else f"grants = {grant}")
    assert outcome.code == 0, outcome.err
    assert answers() == ["connected", "access-denied"]
    assert audit("granted")[0]["capabilities"] == ["clocks", "random", f"tcp-connect:127.0.0.1:{listener}"]
    assert len(audit("denied")) == 1


def digest_of(path: Path) -> str:
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_grant_on_the_command_line(torvyn, audit, listener):
    (torvyn.cwd / "requests").write_text(f"connect 127.0.0.1:{listener}\nhas environment:HOME\n")
    outcome = torvyn("run", f"file requests ! {DIALS} @grant=tcp-connect:127.0.0.1 @grant=environment:HOME ! stdout")
    assert (outcome.code, outcome.out) == (0, b"connected\nyes\n"), outcome.err
    outcome = torvyn("run", f"file requests ! {DIALS} @grant=tcp-conect ! stdout")
    outcome.fails(2, "E0005", "tcp-connect", "^^^")
    outcome = torvyn("run", f"file requests ! {DIALS} @grant=tcp-connect:[::1 ! stdout")
    outcome.fails(1, "E0702", "no address")


def test_uses_are_recorded_at_diagnostic(ask, answers, audit, torvyn):
    folder = torvyn.cwd / "open"
    folder.mkdir()
    (folder / "a.txt").write_text("in the open")
    keys = f'grants = ["filesystem-read:{folder}"]'
    ask(REACH, [f"read {folder}/a.txt"], keys=keys)
    assert audit("used") == []
    outcome = ask(REACH, [f"read {folder}/a.txt", f"write {folder}/a.txt"], "--set", "observability.level=diagnostic", keys=keys)
    assert outcome.code == 0, outcome.err
    assert answers()[0] == "in the open"
    assert ("filesystem-read", "a.txt") in {(line["capability"], line["target"]) for line in audit("used")}
    assert ("filesystem-write", "a.txt") in {(line["capability"], line["target"]) for line in audit("denied")}


def test_the_report_counts_uses_and_denials(ask, torvyn, audit, listener):
    outcome = ask(DIALS, [f"connect 127.0.0.1:{listener}", "udp 127.0.0.1:9"], "--format", "json",
                  keys=f'grants = ["tcp-connect:127.0.0.1:{listener}"]')
    stage_of = {stage["node"]: stage for stage in outcome.json()["stages"]}
    assert stage_of["node"]["capabilities"] == {"tcp-connect": {"exercises": 3, "denials": 0}, "udp": {"exercises": 0, "denials": 1}}


def test_a_flood_of_denials_is_kept_short_and_none_is_uncounted(ask, audit):
    outcome = ask(DIALS, ["udp 127.0.0.1:9"] * 5000)
    assert outcome.code == 0, outcome.err
    suppressed = sum(line["denials"] for line in audit("suppressed"))
    assert suppressed > 0
    assert len(audit("denied")) + suppressed == 5000


def test_the_log_is_rotated(ask, torvyn, audit):
    security = '[security]\naudit_size = "4KiB"\naudit_keep = 3\naudit_path = "log/audit.jsonl"\n'
    assert ask(DIALS, ["udp 127.0.0.1:9"] * 90, security=security).code == 0
    files = sorted((torvyn.cwd / "log").iterdir())
    assert [file.name for file in files] == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    for file in files:
        assert file.stat().st_size <= 4096
        assert all(json.loads(line) for line in file.read_text().splitlines())


def test_no_log_is_kept_where_none_is_wanted(ask, audit):
    assert ask(DIALS, ["udp 127.0.0.1:9"], security="[security]\naudit_enabled = false\n").code == 0
    assert not audit.path.exists()


class TestALogThatCannotBeWritten:
    def test_is_a_warning(self, ask, answers):
        outcome = ask(DIALS, ["udp 127.0.0.1:9"] * 3, security='[security]\naudit_path = "/dev/null/audit.jsonl"\n')
        assert outcome.code == 0
        assert answers() == ["access-denied"] * 3
        assert outcome.err.count("W0510") == 1

    def test_ends_it_where_that_is_asked_for(self, ask):
        security = '[security]\naudit_path = "/dev/null/audit.jsonl"\naudit_on_failure = "stop"\n'
        ask(DIALS, ["has clocks"], security=security).fails(1, "E0510", "/dev/null/audit.jsonl", "audit_on_failure")

    def test_holds_no_half_a_line_of_a_full_disk(self, ask, audit, torvyn):
        security = '[security]\naudit_on_failure = "stop"\n'
        ask(DIALS, ["has clocks"], security=security)
        size = audit.path.stat().st_size

        def full_after_half_a_line():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + size // 2, size + size // 2))
        # The compiled code is in its cache by now: the log is all that is written.
        (torvyn.cwd / "requests").write_text("has clocks\n")
        done = subprocess.run([BINARY, "run"], cwd=torvyn.cwd, env=torvyn.environment, capture_output=True, text=True,
                              timeout=STUCK_S, check=False, preexec_fn=full_after_half_a_line)
        assert done.returncode == 1
        assert "E0510" in done.stderr
        assert audit.path.stat().st_size == size
        assert len(audit()) == 1


class TestWhatACapabilityIsNeededFor:
    def test_strict_imports(self, ask, answers):
        strict = "[security]\nstrict_imports = true\n"
        ask(DIALS, ["has clocks"], security=strict).fails(1, "E0202", "wasi:sockets/", "strict_imports")
        every = 'grants = ["tcp-connect:127.0.0.1", "udp:127.0.0.1", "name-lookup:localhost"]'
        assert ask(DIALS, ["has clocks"], security=strict, keys=every).code == 0
        assert answers() == ["yes"]

    def test_clocks_trap_with_the_lines_to_add(self, ask):
        outcome = ask(REACH, ["time"], security="[security]\ndefault_grants = []\n")
        outcome.fails(1, "E0500", "wall-clock.now", 'capabilities = ["clocks"] in [security.grants."reach.wasm"]')


def test_standard_streams_are_the_processes_own_once_granted(torvyn):
    upper = misbehaving("wasi-upper")
    outcome = torvyn("run", f"generate count=1 ! {upper} ! null")
    assert outcome.out == b""
    assert "the first element has 8 bytes" in outcome.err  # in the log
    outcome = torvyn("run", f"generate count=1 ! {upper} @grant=stdio:stdout ! null")
    assert outcome.out == b"the first element has 8 bytes\n"


def test_memory_of_all_components_is_bounded(torvyn):
    outcome = torvyn("run", f"generate count=1 ! {REACH} @instances=8 ! null", "--set", "runtime.max_memory=1MiB")
    outcome.fails(1, "E0311", "max_memory")


class TestAttacks:
    def test_a_folder_that_becomes_a_link_between_two_looks_leads_nowhere(self, torvyn, audit):
        """While the component reads, what it reads by is now a folder with a file of its own, now a link to one outside."""
        opened, shut = torvyn.cwd / "open", torvyn.cwd / "shut"
        for folder, text in ((opened / "real", "in the open\n"), (shut, "behind the door\n")):
            folder.mkdir(parents=True)
            (folder / "a.txt").write_text(text)
        (opened / "way").symlink_to("real")
        (torvyn.cwd / "requests").write_text(f"read {opened}/way/a.txt\n" * 20000)
        process = torvyn.start("run", f"file requests ! {REACH} @grant=filesystem-read:{opened} ! file answers")
        ways = 0
        while process.poll() is None:
            new = opened / "new"
            new.symlink_to(["real", "../shut"][ways % 2])
            new.rename(opened / "way")
            ways += 1
        assert torvyn.finish(process).code == 0
        answers = set((torvyn.cwd / "answers").read_text().splitlines()) - {""}
        assert ways > 10
        assert "in the open" in answers
        assert not any("door" in answer for answer in answers)
        refused = [line for line in audit("denied") if line["target"] == "way/a.txt"]
        assert refused, answers

    def test_the_flow_beside_loses_nothing(self, torvyn, audit):
        """One flow tries every door there is, over and over; the other one goes on."""
        doors = ["connect 10.0.0.1:80", "listen 80", "udp 10.0.0.1:53", "lookup example.org", "call localhost 80"]
        (torvyn.cwd / "requests").write_text("".join(f"{door}\n" for door in doors * 400))
        (torvyn.cwd / "Torvyn.toml").write_text(
            f'{HEAD}\n[flow.bad.nodes.in]\ncomponent = "builtin:file"\nconfig = {{ path = "requests" }}\n'
            f"[flow.bad.nodes.node]\ncomponent = {toml(DIALS)}\n"
            f'[flow.bad.nodes.out]\ncomponent = "builtin:file"\nconfig = {{ path = "bad" }}\n'
            f'\n[flow.good.nodes.in]\ncomponent = "builtin:generate"\nconfig = {{ count = 20000 }}\n'
            f"[flow.good.nodes.node]\ncomponent = {toml(component('upper'))}\n"
            f'[flow.good.nodes.out]\ncomponent = "builtin:file"\nconfig = {{ path = "good" }}\n')
        outcome = torvyn("run", "--flow", "bad", "--flow", "good")
        assert outcome.code == 0, outcome.err
        assert (torvyn.cwd / "good").read_bytes() == b"".join(b"HELLO %d\n" % n for n in range(20000))
        assert set((torvyn.cwd / "bad").read_text().splitlines()) == {"access-denied"}
        denied = len(audit("denied")) + sum(line["denials"] for line in audit("suppressed"))
        assert denied == 400 * len(doors)
        assert {line["flow"] for line in audit("denied")} == {"bad"}
