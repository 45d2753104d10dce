"""What a component may do is what was granted; what it tries beyond that is refused, told, and recorded."""

import hashlib
import http.server
import json
import resource
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import BINARY, STUCK_S, component, default_signals, misbehaving
from flows import HEAD, toml

REACH = misbehaving("reach")
DIALS = misbehaving("dials")
FETCHES = misbehaving("fetches")


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


class Replies(http.server.BaseHTTPRequestHandler):
    """/hello, /elsewhere (a redirect), /slow (nothing comes), /torn (less than was announced); what is posted comes back."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/slow":
            self.server.asked.set()
            self.server.released.wait(STUCK_S)
            return
        found = {"/hello": (200, b"hello"), "/elsewhere": (302, b"there"), "/torn": (200, b"to")}.get(self.path, (404, b"not here"))
        self.reply(*found, announced=9 if self.path == "/torn" else None)

    def do_POST(self):
        chunked = self.headers.get("Transfer-Encoding") == "chunked"
        self.reply(200, b"".join(self.chunks()) if chunked else self.rfile.read(int(self.headers["Content-Length"])))

    def chunks(self):
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()

    def reply(self, status: int, body: bytes, announced: int | None = None):
        self.send_response(status)
        self.send_header("Content-Length", str(announced or len(body)))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def web(torvyn):
    """A server on the loopback, and its TLS twin: `at` and `tls_at` are where."""
    key, certificate, authority = (torvyn.cwd / name for name in ("key.pem", "certificate.pem", "authority.pem"))
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj"]
    for arguments in (["/CN=authority", "-keyout", f"{authority}.key", "-out", authority],
                      ["/CN=localhost", "-keyout", key, "-out", certificate, "-CA", authority, "-CAkey", f"{authority}.key",
                       "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]):
        subprocess.run([*make, *arguments], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    plain = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Replies)
    secure = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Replies)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    asked, released = threading.Event(), threading.Event()
    for server in (plain, secure):
        server.asked, server.released = asked, released
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(at=f"127.0.0.1:{plain.server_port}", tls_at=f"127.0.0.1:{secure.server_port}", port=plain.server_port, asked=asked,
                          tls_port=secure.server_port, authority=authority)
    released.set()
    for server in (plain, secure):
        server.shutdown()
        server.server_close()


class TestRequestsOverHttp:
    def test_are_refused_without_a_grant(self, ask, answers, audit, web):
        outcome = ask(FETCHES, [f"get http://{web.at}/hello", "get https://example.org/", f"post http://{web.at}/ hello"])
        assert outcome.code == 0, outcome.err
        assert answers() == ["HTTP-request-denied"] * 3
        assert [(line["capability"], line["function"], line["target"]) for line in audit("denied")] == \
            [("http-client", "outgoing-handler.handle", target) for target in (web.at, "example.org:443", web.at)]
        assert f'capabilities = ["http-client:{web.at}"] in [security.grants."fetches.wasm"]' in outcome.err

    def test_reach_whom_they_were_granted(self, ask, answers, audit, web):
        requests = [f"get http://{web.at}/hello", f"get http://{web.at}/missing", f"post http://{web.at}/ some words", f"get http://{web.at}/elsewhere",
                    f"get http://{web.at}", f"get http://{web.tls_at}/hello"]
        outcome = ask(FETCHES, requests, "--set", "observability.level=diagnostic", keys=f'grants = ["http-client:{web.at}"]')
        assert outcome.code == 0, outcome.err
        assert answers() == ["200 hello", "404 not here", "200 some words", "302 there", "404 not here", "HTTP-request-denied"]
        assert [line["target"] for line in audit("used")] == [web.at] * 5
        assert [line["target"] for line in audit("denied")] == [web.tls_at]

    def test_a_name_that_points_inward_opens_nothing(self, ask, answers, audit, web):
        requests = [f"get http://localhost:{web.port}/hello"]
        outcome = ask(FETCHES, requests, keys=f'grants = ["http-client:localhost:{web.port}"]')
        assert outcome.code == 0, outcome.err
        assert answers() == ["destination-IP-prohibited"]
        assert f"localhost at 127.0.0.1:{web.port}" in [line["target"] for line in audit("denied")]
        ask(FETCHES, [f"get http://localhost@{web.at}/hello", f"get http://localhost:{web.port}@{web.at}/hello"], keys='grants = ["http-client:localhost"]')
        assert answers() == ["HTTP-request-denied"] * 2
        outcome = ask(FETCHES, requests, keys=f'grants = ["http-client:localhost:{web.port},127.0.0.0/8"]')
        assert (outcome.code, answers()) == (0, ["200 hello"]), outcome.err

    def test_use_the_certificates_of_the_machine(self, ask, answers, web, torvyn):
        requests = [f"get https://localhost:{web.tls_port}/hello", f"get https://{web.tls_at}/hello", f"get https://{web.at}/hello"]
        keys = 'grants = ["http-client:localhost,127.0.0.1"]'
        assert ask(FETCHES, requests, keys=keys).code == 0
        assert answers() == ["TLS-certificate-error"] * 2 + ["TLS-protocol-error"]
        torvyn.environment["SSL_CERT_FILE"] = str(web.authority)
        assert ask(FETCHES, requests, keys=keys).code == 0
        assert answers() == ["200 hello"] * 2 + ["TLS-protocol-error"]

    def test_fail_with_the_interfaces_own_errors(self, ask, answers, web):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        requests = [f"hurry http://{web.at}/slow", f"get http://{web.at}/torn", f"get http://127.0.0.1:{port}/", "get http://nowhere.invalid/", f"get ftp://{web.at}/",
                    f"get http://{web.at}/hello"]
        outcome = ask(FETCHES, requests, keys='grants = ["http-client"]')
        assert outcome.code == 0, outcome.err
        assert answers() == ["connection-read-timeout", "the body ended too early", "connection-refused", "DNS-error", "HTTP-protocol-error", "200 hello"]

    def test_end_with_their_flow(self, torvyn, web):
        (torvyn.cwd / "requests").write_text(f"get http://{web.at}/slow\n")
        process = subprocess.Popen([BINARY, "run", f"file requests ! {FETCHES} @grant=http-client ! null"], cwd=torvyn.cwd, env=torvyn.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=default_signals)
        assert web.asked.wait(STUCK_S)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None, "the first signal lets the element in flight finish"
        process.send_signal(signal.SIGINT)
        assert process.wait(STUCK_S) == 130

    def test_need_their_capability_where_imports_are_strict(self, ask, answers, web):
        strict = "[security]\nstrict_imports = true\n"
        requests = [f"get http://{web.at}/hello"]
        ask(FETCHES, requests, security=strict).fails(1, "E0202", "wasi:http/", "http-client")
        assert ask(FETCHES, requests, security=strict, keys=f'grants = ["http-client:{web.at}"]').code == 0
        assert answers() == ["200 hello"]

    def test_a_pipeline_grants_them(self, torvyn, web):
        (torvyn.cwd / "requests").write_text(f"get http://{web.at}/hello\n")
        outcome = torvyn("run", f"file requests ! {FETCHES} @grant=http-client:{web.at} ! stdout")
        assert (outcome.code, outcome.out) == (0, b"200 hello\n"), outcome.err
