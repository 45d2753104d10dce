"""The same work in other frameworks: what they are, how they are built, and how one is measured. peers/README.md says more."""

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from yardstick import ROOT, Failed, fail

SOURCES = ROOT / "bench" / "peers"
FEW_MIN = 64  # elements of the shortest run; a multiple of every run length


@dataclass(frozen=True)
class Peer:
    name: str
    program: str
    run: int = 1  # elements that are passed on together
    words: tuple[str, ...] = ()
    pinned: bool = True  # to one core; else it has all of them
    note: str = ""

    @property
    def label(self) -> str:
        run = f", {self.run} together" if self.run > 1 else ""
        return f"{self.name}{run}{'' if self.pinned else ', all cores'}"

    def fits(self, size: int) -> bool:
        return self.run * size <= 1 << 20


# Threaded ones twice: on one core their processor time is least, on all of them they are fastest by the clock.
PEERS = (
    Peer("plain C++", "plain", note="virtual functions and four copies: no sandbox, no contract, no limits"),
    Peer("plain C++", "plain", 64),
    Peer("wazero", "wazero-stages", words=("stage.wasm",), note="three bare core modules with a static buffer each, four copies: no contract, no ownership, no limits"),
    Peer("wazero", "wazero-stages", 64, ("stage.wasm",)),
    Peer("GStreamer", "gstreamer_stages", note="fakesrc, a filter in place, fakesink: one thread, nothing copied, its source makes no text"),
    Peer("Extism", "extism_stages", words=("LIBRARY", "extism_stage.wasm"), note="three plug-ins through its C library, no development kit"),
    Peer("Extism", "extism_stages", 64, ("LIBRARY", "extism_stage.wasm")),
    Peer("Benthos", "benthos-stages", note="generate, a mapping, a consumer"),
    Peer("Benthos", "benthos-stages", 64),
    Peer("Benthos", "benthos-stages", 64, pinned=False),
    Peer("gRPC, TCP", "grpc_stages", words=("tcp", "each"), note="three processes, one stream between two of them"),
    Peer("gRPC, TCP, buffer hint", "grpc_stages", words=("tcp", "hint"), note="its sender waits until it has much to send"),
    Peer("gRPC, TCP", "grpc_stages", 64, ("tcp", "each")),
    Peer("gRPC, TCP", "grpc_stages", words=("tcp", "each"), pinned=False),
    Peer("gRPC, Unix socket", "grpc_stages", words=("unix", "each")),
    Peer("gRPC, Unix socket, buffer hint", "grpc_stages", words=("unix", "hint")),
    Peer("gRPC, Unix socket", "grpc_stages", 64, ("unix", "each")),
)


class Peers:
    """Those of PEERS, built."""

    def __init__(self, build: Path) -> None:
        self.folder = build / "bench" / "peers"
        self.folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([SOURCES / "setup"], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            fail("the peers' tools cannot be installed; --no-peers measures without them")
        told = dict(line.split("=", 1) for line in done.stdout.splitlines())
        self.library = Path(told["extism"])
        quiet = {"stdout": subprocess.DEVNULL}
        for command in (["cmake", "-S", SOURCES, "-B", self.folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"], ["cmake", "--build", self.folder]):
            if subprocess.run(command, **quiet).returncode != 0:
                fail("the peers cannot be built; --no-peers measures without them")
        if subprocess.run([told["go"], "build", "-o", f"{self.folder}/", "./..."], cwd=SOURCES / "go",
                          env={**os.environ, "GOTOOLCHAIN": "auto", "GOFLAGS": ""}).returncode != 0:
            fail("the peers in Go cannot be built; --no-peers measures without them")
        self.counts: dict[tuple[Peer, int], int] = {}
        self.go = told["go"]

    def versions(self) -> dict[str, str]:
        modules = dict(re.findall(r"^\s*(\S+) (v\S+)$", (SOURCES / "go" / "go.mod").read_text(), re.MULTILINE))
        packages = {name: subprocess.run(["pkg-config", "--modversion", package], capture_output=True, text=True).stdout.strip()
                    for name, package in (("gRPC", "grpc++"), ("GStreamer", "gstreamer-1.0"))}
        extism = re.search(r"==(\S+)", (SOURCES / "extism-requirements.txt").read_text()).group(1)
        go = subprocess.run([self.go, "env", "GOVERSION"], capture_output=True, text=True, cwd=SOURCES / "go").stdout.strip()
        return packages | {"Extism": extism, "Benthos": modules["github.com/redpanda-data/benthos/v4"],
                           "wazero": modules["github.com/tetratelabs/wazero"], "Go": go}

    def _run(self, peer: Peer, size: int, count: int, cpu: int | None) -> tuple[float, float]:
        """One process: CPU seconds, its children's too, and wall seconds."""
        words = [str(self.library) if word == "LIBRARY" else word for word in peer.words]
        command = [str(self.folder / peer.program), str(size), str(count), str(peer.run), *words]
        pin = (lambda: os.sched_setaffinity(0, {cpu})) if peer.pinned and cpu is not None else None
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=self.folder, preexec_fn=pin)
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise Failed(f"{' '.join(command)}: exit code {process.returncode}")
        total = json.loads(out)
        if total["elements"] != count or total["upper"] != count or total["bytes"] < count * size:
            raise Failed(f"{' '.join(command)}: not all of the work was done: {total}")
        return usage.ru_utime + usage.ru_stime, wall

    def measure(self, peer: Peer, size: int, scale: float, cpu: int | None) -> dict:
        """What `count` elements cost beyond those of a shorter run: starting the processes is in both, so it drops out."""
        if (peer, size) not in self.counts:  # once: as many as take about half a second
            count = FEW_MIN
            while self._run(peer, size, count, cpu)[1] < 0.4 * scale + 0.1 and count < 1 << 26:
                count *= 4
            self.counts[peer, size] = count
        count = self.counts[peer, size]
        few = max(FEW_MIN, count // 640 * 64)
        less = self._run(peer, size, few, cpu)
        more = self._run(peer, size, few + count, cpu)
        return {"elements": count, "cpu_ns": max(0.0, more[0] - less[0]) * 1e9, "wall_ns": max(0.0, more[1] - less[1]) * 1e9}
