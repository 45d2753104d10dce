"""What `make install` leaves, in a prefix of the tests' own, put together once for all of them."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TORVYN_BUILD_DIR", ROOT / "build")).resolve()


def run(*command, **options) -> str:
    """Its output. It has to end well."""
    done = subprocess.run([*map(str, command)], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=options.pop("timeout", 1200), **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="session")
def prefix(tmp_path_factory) -> Path:
    """/opt/torvyn below a DESTDIR, as a packager installs it, then moved to where it is used: it may stand anywhere."""
    shared = tmp_path_factory.getbasetemp().parent if os.environ.get("PYTEST_XDIST_WORKER") else tmp_path_factory.getbasetemp()
    target = shared / "installed"
    with (shared / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one run share it
        if not target.exists():
            stage = shared / "stage"
            run("cmake", "--install", BUILD, "--prefix", "/opt/torvyn", env={**os.environ, "DESTDIR": str(stage)})
            assert [path.name for path in stage.iterdir()] == ["opt"], "something was installed outside of the prefix"
            (stage / "opt" / "torvyn").rename(target)
    return target


@pytest.fixture(scope="session")
def library_folder(prefix) -> Path:
    found, = prefix.glob("lib/**/libtorvyn.so")
    return found.parent
