"""Compiled components on disk: shared by processes, trusted only when whole, nobody else's business."""

import os
import stat

import pytest

from conftest import component


@pytest.fixture
def cache(torvyn, tmp_path):
    """A cache of this test's own, with nothing in it yet."""
    torvyn.environment["TORVYN_HOME"] = str(tmp_path / "home")
    return tmp_path / "home" / "cache" / "compiled"


def run(torvyn):
    outcome = torvyn("run", f"stdin ! {component('upper')} ! stdout", stdin=b"hello\n")
    assert (outcome.code, outcome.out) == (0, b"HELLO\n"), outcome.err
    return outcome


def entries(cache):
    return sorted(path for path in cache.rglob("*") if path.is_file())


def test_a_component_is_compiled_once(torvyn, cache):
    run(torvyn)
    first = {path: path.stat().st_mtime_ns for path in entries(cache)}
    assert len(first) == 1
    run(torvyn)
    assert {path: path.stat().st_mtime_ns for path in entries(cache)} == first


def test_the_folder_is_its_owners_alone(torvyn, cache):
    run(torvyn)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert not any(path.stat().st_mode & 0o022 for path in entries(cache))


def test_processes_share_it(torvyn, cache):
    processes = [torvyn.start("run", f"stdin ! {component('upper')} ! stdout") for _ in range(4)]
    for process in processes:
        outcome = torvyn.finish(process, b"hello\n")
        assert (outcome.code, outcome.out) == (0, b"HELLO\n"), outcome.err
    assert len(entries(cache)) == 1, "nothing half-written stays behind"
    run(torvyn)


@pytest.mark.parametrize("damage", ["flip-first", "flip-middle", "flip-last", "cut", "empty", "longer"])
def test_a_damaged_entry_is_rebuilt(torvyn, cache, damage):
    run(torvyn)
    [entry] = entries(cache)
    whole = entry.read_bytes()
    damaged = bytearray(whole)
    if damage.startswith("flip"):
        damaged[{"flip-first": 0, "flip-middle": len(whole) // 2, "flip-last": -1}[damage]] ^= 1
    damaged = {"cut": damaged[:len(whole) // 2], "empty": b"", "longer": damaged + b"x"}.get(damage, damaged)
    entry.write_bytes(damaged)
    run(torvyn)
    assert entries(cache) == [entry]
    assert entry.read_bytes() != bytes(damaged)
    repaired = entry.stat().st_mtime_ns
    run(torvyn)
    assert entry.stat().st_mtime_ns == repaired, "what was rebuilt is used"


def test_a_folder_others_can_write_to_is_not_used(torvyn, cache):
    cache.mkdir(parents=True)
    os.chmod(cache, 0o777)
    assert "warning[W0004]" in run(torvyn).err
    assert entries(cache) == []


def test_without_a_home_there_is_no_cache(torvyn, tmp_path):
    for name in ("TORVYN_HOME", "HOME"):
        torvyn.environment.pop(name)
    run(torvyn)
    assert os.listdir(tmp_path) == []
