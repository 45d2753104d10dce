"""A host as a service: its flows, its inspection API, its orders, its end."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import jsonschema
import pytest

from conftest import ROOT, STUCK_S, Torvyn, component, misbehaving
from test_schemas import check

MANIFEST = """\
[torvyn]
name = "orders"
version = "0.1.0"
contract_version = "0.1.0"

[flow.main.nodes.in]
component = "builtin:generate"

[flow.main.nodes.up]
component = "{up}"

[flow.main.nodes.out]
component = "builtin:null"

[flow.later]
autostart = false

[flow.later.nodes.in]
component = "builtin:generate"
config = {{ count = {count} }}

[flow.later.nodes.out]
component = "builtin:null"
"""

OPENAPI = json.loads((ROOT / "src/torvyn/host/openapi.json").read_text())


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path):
        super().__init__("localhost", timeout=STUCK_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Host:
    """A `torvyn serve` that runs, and what is said to it."""

    def __init__(self, torvyn: Torvyn, folder: Path, *arguments, **options):
        self.torvyn = torvyn
        self.state = folder / "state"
        self.socket = self.state / "orders.sock"
        torvyn.environment["TORVYN_STATE_DIR"] = str(self.state)
        self.log = folder / "log.jsonl"
        with self.log.open("wb") as log:
            self.process = torvyn.start("serve", *arguments, stderr=log, **options)
        self.wait_for(lambda: any("host orders runs" in line["text"] for line in self.lines()))

    def wait_for(self, condition):
        deadline = time.monotonic() + STUCK_S
        while not condition():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.01)

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.endswith("}")]

    def texts(self) -> list[str]:
        return [line["text"] for line in self.lines()]

    def call(self, method: str, path: str, body=None, status: int = 200):
        """The JSON answer, held to the description of the API."""
        connection = UnixConnection(self.socket)
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == status, text
        if path == "/metrics":
            return text
        result = json.loads(text)
        described = OPENAPI["paths"][self.described(path)][method.lower()]["responses"][str(status)]
        schema = described["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator({**schema, "components": OPENAPI["components"]}).validate(result)
        return result

    @staticmethod
    def described(path: str) -> str:
        parts = path.split("/")
        if path.startswith("/v1/flows/"):
            parts[3] = "{flow}"
        return "/".join(parts)

    def command(self, *arguments, code: int = 0):
        outcome = self.torvyn(*arguments, "--format", "json")
        report = outcome.json()
        check("operate", report)
        assert outcome.code == report["exit_code"] == code, report
        return report

    def end(self, number=signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(STUCK_S)


@pytest.fixture
def manifest(tmp_path) -> Path:
    path = tmp_path / "Torvyn.toml"
    path.write_text(MANIFEST.format(up=component("upper"), count=30))
    return path


@pytest.fixture
def host(torvyn, tmp_path, manifest) -> Host:
    return Host(torvyn, tmp_path)


def test_serves_until_it_is_told_to_stop(host):
    assert stat.S_IMODE(host.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(host.state.stat().st_mode) == 0o700
    flows = {flow["name"]: flow for flow in host.command("ps")["flows"]}
    assert flows["main"]["state"] == "running"
    assert flows["later"]["state"] == "unstarted"
    host.wait_for(lambda: host.command("ps", "main")["flow"]["delivered"] > 1000)
    assert host.end() == 143
    assert not host.socket.exists()
    assert host.texts()[-1] == "host stopped: 1 flow drained, 0 cancelled"
    summary = next(text for text in host.texts() if text.startswith("main interrupted"))
    assert "delivered" in summary and "cancelled" not in summary


def test_an_interrupt_ends_it_too(host):
    assert host.end(signal.SIGINT) == 130


def test_answers_as_described(host):
    assert host.call("GET", "/healthz")["healthy"]
    assert host.call("GET", "/readyz")["ready"]
    assert host.call("GET", "/openapi.json") == OPENAPI
    assert host.call("GET", "/v1/host")["name"] == "orders"
    started = host.call("POST", "/v1/flows", {"name": "later"}, 201)
    host.wait_for(lambda: host.call("GET", f"/v1/flows/{started['id']}")["flow"]["state"] == "completed")
    assert [flow["name"] for flow in host.call("GET", "/v1/flows")["flows"]] == ["main", "later"]
    assert host.call("GET", "/v1/flows/main")["stages"][1]["path"] in ("typed", "direct")
    uses = host.call("GET", "/v1/components")["components"]
    assert [use["nodes"][0]["node"] for use in uses] == ["up"]
    paths = {setting["path"]: setting["value"] for setting in host.call("GET", "/v1/config")["configuration"]}
    assert paths["flow.later.nodes.in.config.count"] if "flow.later.nodes.in.config.count" in paths else paths["torvyn.name"] == "orders"
    assert host.call("PUT", "/v1/level", {"level": "off"}) == host.call("GET", "/v1/level") == {"level": "off"}
    assert host.call("POST", "/v1/flows/main/swap", {"node": "up", "component": str(component("rust/upper"))})["pause_ns"] > 0
    host.call("POST", "/v1/flows", {"name": "main"}, 409)
    host.call("POST", "/v1/flows", {"name": "mian"}, 404)
    host.call("POST", "/v1/flows", {"name": 7}, 400)
    host.call("POST", "/v1/flows", {"name": "x", "pipeline": "generate ! ./no.wasm ! null"}, 422)
    host.call("POST", "/v1/flows/main/cancel", {"drain": True}, 202)
    assert 'torvyn_flow_elements_total{flow="later",outcome="delivered"} 30\n' in host.call("GET", "/metrics")
    host.end()


def test_orders_from_the_command_line(host, manifest):
    assert host.command("start", "later", "--limit", "7")["name"] == "later"
    host.wait_for(lambda: host.command("ps", "later")["flow"]["pulled"] == 7)
    host.command("start", "probe", f"generate ! {component('upper')} ! null")
    swapped = host.command("swap", "probe", "upper", str(component("rust/upper")))
    assert swapped["pause_ns"] > 0
    assert host.command("cancel", "probe")["id"] == host.command("ps", "probe")["id"]
    assert host.command("ps", "probe")["flow"]["state"] == "cancelled"
    assert host.command("level", "diagnostic")["level"] == host.command("level")["level"] == "diagnostic"
    assert host.command("top")["host"]["name"] == "orders"
    host.command("start", "main", code=2)
    host.command("ps", "mian", code=2)
    host.command("swap", "main", "up", "./no-such.wasm", code=2)
    host.end()


def test_what_a_person_reads(host, torvyn):
    assert torvyn("ps").out.decode().splitlines()[0].split() == ["flow", "id", "state", "pulled", "delivered", "errors", "time"]
    assert "in.output → up.input" in torvyn("ps", "main").out.decode()
    assert torvyn("start", "later").out.decode() == "flow later was started, with the id 2\n"
    assert torvyn("cancel", "main", "--drain").out.decode() == "flow main has ended\n"
    assert torvyn("ps", "main").out.decode().startswith("main · interrupted")
    assert "orders · running" in torvyn("top", "--once").out.decode()
    torvyn("cancel", "mian").fails(2, "error[E0207]", "did you mean `main`?")
    host.end()


@pytest.mark.parametrize("way", ["command", "signal"])
def test_reload_applies_what_has_changed(host, manifest, way):
    def reload():
        if way == "signal":
            host.process.send_signal(signal.SIGHUP)
        else:
            host.command("reload")

    before = host.command("ps", "main")["id"]
    manifest.write_text(MANIFEST.format(up=component("rust/upper"), count=31))
    dry = {flow["name"]: flow for flow in host.command("reload", "--dry-run")["flows"]}
    assert dry["main"]["change"] == "swapped" and dry["main"]["nodes"] == ["up"]
    assert dry["later"]["change"] == "redefined"
    reload()
    host.wait_for(lambda: host.command("ps", "main")["stages"][1]["component"] == str(component("rust/upper")))
    assert host.command("ps", "main")["id"] == before
    assert host.command("start", "later")
    host.wait_for(lambda: host.command("ps", "later")["flow"]["pulled"] == 31)

    # A manifest with a mistake changes nothing, and says where the mistake is.
    manifest.write_text(manifest.read_text().replace("builtin:null", "builtin:nul", 1))
    outcome = host.torvyn("reload")
    assert outcome.code != 0 and "builtin:nul" in outcome.err
    if way == "signal":
        reload()
        host.wait_for(lambda: any("nothing was changed" in text for text in host.texts()))
    assert host.command("ps", "main")["flow"]["state"] == "running"
    assert host.command("ps", "main")["id"] == before
    host.end()


def test_a_flow_that_fails_leaves_the_others_alone(torvyn, tmp_path):
    text = MANIFEST.format(up=component("upper"), count=30).replace("autostart = false", "autostart = true")
    text = text.replace('[flow.later.nodes.out]', f'[flow.later.nodes.bad]\ncomponent = "{misbehaving("trap")}"\nconfig = {{ at = "6" }}\n\n[flow.later.nodes.out]')
    (tmp_path / "Torvyn.toml").write_text(text)
    host = Host(torvyn, tmp_path)
    host.wait_for(lambda: any(line.get("code") == "E0420" for line in host.lines()))
    error = next(line for line in host.lines() if line.get("code") == "E0420")
    assert error["flow"] == "later" and error["node"] == "bad" and error["level"] == "error"
    host.wait_for(lambda: host.command("ps", "later")["flow"]["state"] == "failed")
    assert host.command("ps", "main")["flow"]["state"] == "running"
    assert host.call("GET", "/readyz", None, 503)["waiting_for"] == ["later"]
    assert host.end() == 143


def test_two_hosts_of_one_name_do_not_meet(host, torvyn, tmp_path):
    outcome = torvyn("serve")
    outcome.fails(1, "E0520")
    assert host.command("ps", "main")["flow"]["state"] == "running"
    host.end()


def test_a_dead_hosts_socket_is_no_obstacle(torvyn, tmp_path, manifest):
    first = Host(torvyn, tmp_path)
    first.process.kill()
    first.process.wait()
    assert first.socket.exists()
    torvyn("ps").fails(2, "E0520", "torvyn serve")
    second = Host(torvyn, tmp_path)
    assert second.command("ps", "main")["flow"]["state"] == "running"
    second.end()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_token_opens_the_door(torvyn, tmp_path, manifest):
    port = free_port()
    (tmp_path / "token").write_text("a long secret\n")
    manifest.write_text(manifest.read_text() + f'[api]\nlisten = "127.0.0.1:{port}"\ntoken_file = "token"\n')
    host = Host(torvyn, tmp_path)
    url = f"http://127.0.0.1:{port}"
    assert torvyn("ps", "--host", url).code == 0
    torvyn("ps", "--host", url, "--set", "api.token_file=", env={"PATH": os.environ["PATH"]}).fails(2, "E0520", "token")
    assert "a long secret" not in host.log.read_text()
    assert not any("a long secret" in json.dumps(setting) for setting in host.call("GET", "/v1/config")["configuration"])
    host.end()


def test_probes_are_for_everybody_and_nothing_else_is(torvyn, tmp_path, manifest):
    port = free_port()
    manifest.write_text(manifest.read_text() + f'[observability]\nlisten = "127.0.0.1:{port}"\n')
    host = Host(torvyn, tmp_path)

    def get(path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STUCK_S)
        connection.request("GET", path)
        return connection.getresponse().status

    assert [get(path) for path in ("/healthz", "/readyz", "/metrics", "/v1/flows", "/v1/config")] == [200, 200, 200, 404, 404]
    host.end()


def test_a_service_manager_is_told(torvyn, tmp_path, manifest):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(STUCK_S)
        host = Host(torvyn, tmp_path, env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "20000"})
        assert manager.recv(1000).startswith(b"READY=1\n")
        assert manager.recv(1000) == b"WATCHDOG=1"
        host.process.send_signal(signal.SIGHUP)
        while not (heard := manager.recv(1000)).startswith(b"RELOADING=1\nMONOTONIC_USEC="):
            assert heard == b"WATCHDOG=1"
        host.end()


def test_what_is_wrong_is_said_at_once(torvyn, tmp_path, manifest):
    good = manifest.read_text()
    torvyn.environment["TORVYN_STATE_DIR"] = str(tmp_path / "state")
    for change, code in [(("contract_version", "contrct_version"), "E0701"), ((str(component("upper")), "./no.wasm"), "E0210")]:
        manifest.write_text(good.replace(*change))
        outcome = torvyn("serve")
        assert outcome.code in (1, 2) and code in outcome.err, outcome.err
    manifest.write_text(good + '[api]\nlisten = "127.0.0.1:1x"\n')
    assert torvyn("serve").code != 0
    (tmp_path / "file").write_text("")
    manifest.write_text(good)
    torvyn("serve", env={"TORVYN_STATE_DIR": str(tmp_path / "file")}).fails(2, "E0004", "file")


def test_a_terminal_gets_words_and_a_file_gets_json(torvyn, tmp_path, manifest):
    manifest.write_text(manifest.read_text() + '[log]\ntarget = "serve.log"\nfilter = "info"\n')
    torvyn.environment["TORVYN_STATE_DIR"] = str(tmp_path / "state")
    process = torvyn.start("serve")
    log = tmp_path / "serve.log"
    deadline = time.monotonic() + STUCK_S
    while not (log.exists() and "host orders runs" in log.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.terminate()
    outcome = torvyn.finish(process)
    assert outcome.code == 143 and outcome.err == ""
    assert all(json.loads(line)["time"].endswith("Z") for line in log.read_text().splitlines())
    manifest.write_text(manifest.read_text().replace('target = "serve.log"', 'format = "human"'))
    process = torvyn.start("serve")
    while b"host orders runs" not in (line := process.stderr.readline()):
        assert line
    assert line.startswith(b"note: host orders runs, 1 flow started")
    process.terminate()
    assert torvyn.finish(process).code == 143
