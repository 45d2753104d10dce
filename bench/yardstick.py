"""What bench/run and bench/graphs share: building, running one measurement in a process of its own, and tables."""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Iterable, NoReturn, Sequence

ROOT = Path(__file__).resolve().parent.parent
TIME_OUT_S = 600  # for one measurement: far beyond what any takes


def fail(text: str) -> NoReturn:
    sys.exit(f"bench/{Path(sys.argv[0]).name}: {text}")


def version_of(tool: str) -> str:
    """The version in "rustc 1.96.0 (30a34c682 2026-05-25)"; empty where the tool can't be run."""
    try:
        text = subprocess.run([tool, "--version"], capture_output=True, text=True, cwd=ROOT / "bridge").stdout
    except OSError:
        return ""
    match = re.search(r"\d+\.\d+\.\d+", text)
    return match.group() if match else ""


def machine() -> dict:
    cpu = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    git = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT)
    lock = (ROOT / "bridge" / "Cargo.lock").read_text()
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": os.getloadavg()[0],
        "wasmtime": re.search(r'name = "wasmtime"\nversion = "(.*?)"', lock).group(1),
        "c++": version_of(os.environ.get("CXX", "g++")),
        "torvyn": git.stdout.strip() or "not a git clone",
        "date": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }


def about(told: dict, what: str = "") -> str:
    """The line above the tables; `what` is pinned, if not all."""
    pinned = "not pinned" if told["pinned_to"] is None else f"{what}pinned to one core"
    rust = f", rustc {told['rustc']}" if "rustc" in told else ""
    return (f"{told['cpu']}, {told['cores']} cores, load {told['load_before']:.1f} to {told['load_after']:.1f}, {pinned}; "
            f"wasmtime {told['wasmtime']}, g++ {told['c++']}{rust}; torvyn {told['torvyn']}")


def build_program(build: Path, name: str) -> Path:
    """Builds one of this folder's programs in a build folder that `make` has set up."""
    if not (build / "CMakeCache.txt").exists():
        fail(f"{os.path.relpath(build)} is no build folder: run make first")
    if subprocess.run(["cmake", "--build", str(build), "--target", name], stdout=subprocess.DEVNULL).returncode != 0:
        fail(f"{name} cannot be built")
    return build / "bench" / name


def expect_files(paths: Iterable[Path]) -> None:
    for path in paths:
        if not path.exists():
            fail(f"there is no {os.path.relpath(path)}: run make first")


class Failed(Exception):
    """A measurement came to nothing; says why."""


def measure(command: Sequence[object], cpu: int | None, variables: dict[str, str] | None = None) -> dict:
    """Runs one measurement, pinned to a core where one is given, and reads what it found."""
    words = [str(word) for word in command]
    pin = None if cpu is None else (lambda: os.sched_setaffinity(0, {cpu}))
    try:
        done = subprocess.run(words, capture_output=True, text=True, preexec_fn=pin, timeout=TIME_OUT_S,
                              env={**os.environ, **(variables or {})})
    except subprocess.TimeoutExpired:
        raise Failed(f"not done after {TIME_OUT_S} s: {' '.join(words)}") from None
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)}\n  {done.stderr.strip()}")
    return json.loads(done.stdout)


def number(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    """The median, with the least and the most."""
    return f"{statistics.median(values):.3f} ({min(values):.3f}–{max(values):.3f})"


def print_table(header: list[str], rows: list[list[str]], numbers: set[int],
                gap_before: Callable[[list[str]], bool] = lambda row: False) -> None:
    """`numbers`: the columns that end where the others begin."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for index, row in enumerate([header, *rows]):
        if index > 0 and gap_before(row):
            print()
        print("  ".join(text.rjust(width) if column in numbers else text.ljust(width)
                        for column, (text, width) in enumerate(zip(row, widths))).rstrip())


def write_raw(path: Path, data: dict) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    print(f"\nRaw data: {os.path.relpath(path)}")


def verdict(wrong: set[str]) -> int:
    """The exit code: 1 where a count is not as promised."""
    for text in sorted(wrong):
        print(f"WRONG: {text}", file=sys.stderr)
    return 1 if wrong else 0
