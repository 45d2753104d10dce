"""Inputs that the tests make themselves, always the same ones, and those in the folder TORVYN_EXTRA_LOGS."""

import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Callable


@dataclass
class Log:
    name: str
    content: Callable[[], bytes]
    is_lines: bool = False  # text whose lines all end in a line feed


def access_log(lines: int = 2000) -> bytes:
    """A web server's log, with a line now and then that is none."""
    rng = random.Random(1)
    made = []
    for number in range(lines):
        if number % 97 == 96:
            made.append("-- log rotated --")
            continue
        path = rng.choice(["/", "/index.html", "/a/long/path?q=1&r=2", "/favicon.ico", "/search?q=%22quoted%22"])
        status = rng.choice([200, 200, 200, 301, 404, 500, 503])
        made.append(f'192.0.2.{rng.randrange(256)} - {rng.choice(["-", "alice"])} [12/Oct/2026:08:{number // 60 % 60:02}:{number % 60:02} +0000] '
                    f'"{rng.choice(["GET", "POST"])} {path} HTTP/1.1" {status} {rng.randrange(50_000)} "-" "Mozilla/5.0 (X11; Linux x86_64)"')
    return "".join(line + "\n" for line in made).encode()


def server_log() -> bytes:
    rng = random.Random(2)
    words = ["error", "warning", "session", "opened", "closed", "for", "user", "root", "ERROR", "timeout", "ok", "Ünïcode", "漢字"]
    return "".join(f"Oct 12 08:{n // 60 % 60:02}:{n % 60:02} host sshd[{n}]: {' '.join(rng.choices(words, k=rng.randrange(1, 12)))}\n"
                   for n in range(3000)).encode()


def endings() -> bytes:
    """All line endings, empty lines, blanks at the ends, and none at the end."""
    rng = random.Random(3)
    parts = [f"line {n} {'x' * rng.randrange(40)}" + rng.choice(["\n", "\r\n", "\r", "\n\n", "\r\r\n", " \n", "\t\r\n"])
             for n in range(1000)]
    return "".join([*parts, "the last has no ending"]).encode()


def binary() -> bytes:
    return random.Random(4).randbytes(300_000)


def long_lines() -> bytes:
    """Lines around every limit: buffer tiers of 4 KiB, 64 KiB, 1 MiB, and a few MiB."""
    sizes = [0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1, 5 << 20]
    return b"".join(bytes([97 + index]) * size + b"\n" for index, size in enumerate(sizes))


def words() -> bytes:
    rng = random.Random(5)
    vocabulary = [f"word{n}" for n in range(5000)]
    weights = [1 / (n + 1) for n in range(5000)]
    return "".join(" ".join(rng.choices(vocabulary, weights, k=rng.randrange(20))) + "\n" for n in range(2000)).encode()


LOGS = [
    Log("access", access_log, True),
    Log("server", server_log, True),
    Log("words", words, True),
    Log("long-lines", long_lines, True),
    Log("windows", lambda: server_log().replace(b"\n", b"\r\n"), True),
    Log("endings", endings),
    Log("binary", binary),
    Log("empty", lambda: b"", True),
    Log("one-line-feed", lambda: b"\n", True),
    Log("one-byte", lambda: b"a"),
]
if folder := os.environ.get("TORVYN_EXTRA_LOGS"):
    extra = sorted(Path(folder).rglob("*.log"))
    assert extra, f"TORVYN_EXTRA_LOGS: no *.log in {folder}"
    for file in extra:
        text = file.read_bytes()
        is_lines = text.endswith(b"\n") and b"\r" not in text.replace(b"\r\n", b"")
        LOGS.append(Log(file.stem, file.read_bytes, is_lines))
