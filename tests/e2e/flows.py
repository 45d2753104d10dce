"""Manifests of flows, and runs of them whose reports are held to what every report promises."""

import json
from dataclasses import dataclass
from pathlib import Path

from conftest import Outcome, Torvyn

HEAD = """\
[torvyn]
name = "demo"
version = "0.1.0"
contract_version = "0.1.0"
"""

FATES = ("delivered", "filtered", "absorbed", "skipped", "dropped", "dead_lettered", "failed", "cancelled")


def toml(value) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


def stage(component, config: dict | None = None, **keys) -> dict:
    """A node: a built-in stage by its name, or a component by its path."""
    node = {"component": component if isinstance(component, Path) else f"builtin:{component}"}
    return {**node, **({"config": config} if config else {}), **keys}


def generate(count: int, **config) -> dict:
    return stage("generate", {"count": count, **config})


def hello(numbers) -> bytes:
    """What `generate` gives."""
    return b"".join(b"hello %d\n" % n for n in numbers)


def read(path) -> dict:
    return stage("file", {"path": str(path)})


def write(path) -> dict:
    return stage("file", {"path": str(path)})


@dataclass
class Flow:
    """`ways` are edges: "a -> b -> c.port -> d", or such a text with the edges' settings. Without any, the nodes are a chain."""

    nodes: dict[str, dict]
    ways: list[str | tuple[str, dict]]
    keys: dict
    name: str

    def __str__(self) -> str:
        lines = [f"\n[flow.{self.name}]", *(f"{key} = {toml(value)}" for key, value in self.keys.items())]
        for name, node in self.nodes.items():
            lines += [f"\n[flow.{self.name}.nodes.{name}]", *(f"{key} = {toml(value)}" for key, value in node.items())]
        for way in self.ways:
            text, settings = way if isinstance(way, tuple) else (way, {})
            ends = text.split(" -> ")
            for start, end in zip(ends, ends[1:]):
                lines += [f"\n[[flow.{self.name}.edges]]", f'from = "{start}"', f'to = "{end.partition(".")[0]}"']
                lines += [f"{key} = {toml(value)}" for key, value in settings.items()]
        return "\n".join(lines) + "\n"


def flow(nodes: dict[str, dict], *ways, name: str = "main", **keys) -> Flow:
    return Flow(nodes, list(ways), keys, name)


class Run:
    """What came of a flow."""

    def __init__(self, outcome: Outcome, report: dict):
        self.outcome = outcome
        self.code, self.out, self.err = outcome.code, outcome.out, outcome.err
        self.fails = outcome.fails
        self.report = report
        self.flow = report["flow"]
        self.fates = {fate: self.flow[fate] for fate in FATES if self.flow[fate] != 0}
        self.stages = {stage["node"]: stage for stage in report["stages"]}
        self.streams = {(stream["from"].removesuffix(".output"), stream["to"].removesuffix(".input")): stream for stream in report["streams"]}
        self.errors = report.get("errors", [])

    def lines_of(self, node: str) -> list[str]:
        """What a guest logged, in order."""
        begin = f"[{node}] "
        return [line.removeprefix(begin) for line in self.err.splitlines() if line.startswith(begin)]

    def ends(self, code: int, **fates: int) -> "Run":
        """It ended with this exit code, and these are the fates of all elements."""
        assert self.code == code, self.err
        assert self.fates == fates, self.err
        return self


def start(torvyn: Torvyn, *flows: Flow, arguments=(), head: str = "", **options):
    (torvyn.cwd / "Torvyn.toml").write_text(HEAD + head + "".join(map(str, flows)))
    chosen = [word for one in flows for word in ("--flow", one.name)]
    return torvyn.start("run", *chosen, "--format", "json", "--summary", "report.json", *arguments, **options)


def finish(torvyn: Torvyn, process, stdin: bytes | None = None) -> list[Run]:
    """The runs of all flows, in order. Their sums add up, their exit code is that of the process, and no buffer is lost."""
    outcome = torvyn.finish(process, stdin)
    report = json.loads((torvyn.cwd / "report.json").read_text())
    assert report["exit_code"] == outcome.code, outcome.err
    runs = [Run(outcome, one) for one in report.get("flows", [report])]
    for one in runs:
        assert one.flow["pulled"] == sum(one.fates.values()), one.flow
        for stage in one.report["stages"]:
            assert stage["copies"] == sum(kind["copies"] for kind in stage["copies_by_kind"].values())
        assert one.report["copies"] == sum(stage["copies"] for stage in one.report["stages"])
        assert one.report["bytes_copied"] == sum(stage["bytes_copied"] for stage in one.report["stages"])
    # The pools are the host's: a flow that ended before another has a picture of when buffers were still out.
    if len(runs) == 1:
        assert sum(tier["allocated"] - tier["returned"] for tier in report["pools"]) == 0
    return runs


def run(torvyn: Torvyn, one: Flow, *arguments, stdin: bytes = b"", head: str = "", **options) -> Run:
    [result] = finish(torvyn, start(torvyn, one, arguments=arguments, head=head, **options), stdin)
    return result


def refused(torvyn: Torvyn, one: Flow, code: str, *words: str) -> None:
    """Nothing runs, and a person is told why."""
    (torvyn.cwd / "Torvyn.toml").write_text(HEAD + str(one))
    torvyn("run").fails(1, f"error[{code}]", "Torvyn.toml:", *words)
