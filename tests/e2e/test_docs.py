"""The documentation keeps its word: the blocks of a page are run one after the other, as a reader would.

`sh` is run by one shell; a block with a file's name behind its language is that file; `text` is what the commands before it have shown, line
by line, beside whatever else they said.
"""

import re
import subprocess
from dataclasses import dataclass

import pytest

from conftest import ROOT

PAGES = ["docs/getting-started.md"]
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Block:
    language: str
    file: str
    text: str


def blocks_of(page: str) -> list[Block]:
    return [Block(*groups) for groups in BLOCK.findall((ROOT / page).read_text())]


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_the_page_is_true(maker, tmp_path, page):
    folder, shown, done = tmp_path, "", 0
    for block in blocks_of(page):
        if block.file:
            (folder / block.file).write_text(block.text)
        elif block.language == "sh":
            script = f"set -e\n{block.text}\npwd > {tmp_path}/.folder\n"
            run = subprocess.run(["bash", "-c", script], cwd=folder, env=maker.environment, stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=maker.stuck_s, check=False)
            assert run.returncode == 0, f"{block.text}\n{run.stdout}"
            folder, shown = type(tmp_path)((tmp_path / ".folder").read_text().strip()), run.stdout
        elif block.language == "text":
            for line in block.text.splitlines():
                assert line in shown, f"{line!r} is missing in:\n{shown}"
        else:
            pytest.fail(f"nobody runs this block of {page}:\n{block.text}")
        done += 1
    assert done > 5, "the page has lost its blocks"
