# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tool that holds our quotes against the documents, tried on documents made of the quotes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml
from support import ROOT, run

QUOTES = yaml.safe_load((ROOT / "roles" / "tune" / "files" / "quotes.yml").read_text(encoding="utf-8"))


@pytest.fixture
def documents(tmp_path: Path) -> dict[str, Path]:
    """A document for each, in which a quote that is a part of its line has something around it."""
    found = {}
    for name, quotes in QUOTES.items():
        lines = [""] * max(quotes)
        for number, quote in quotes.items():
            lines[number - 1] = f"x {quote['text']} y" if isinstance(quote, dict) else f"  {quote} "
        found[name] = tmp_path / f"{name}.txt"
        found[name].write_text("\n".join(lines), encoding="utf-8")
    return found


def check(*arguments: str) -> tuple[int, list[str]]:
    done = run([sys.executable, str(ROOT / "tools" / "check_quotes.py"), *arguments])
    return done.returncode, done.stdout.splitlines()


def test_quotes_that_are_where_they_are_said_to_be(documents: dict[str, Path]) -> None:
    arguments = [f"{name}={path}" for name, path in documents.items()]
    assert check(*arguments) == (0, ["Every quote is on its line, and every line that sets something is quoted."])


def test_what_is_wrong_is_told_by_line(documents: dict[str, Path]) -> None:
    memo, guide = documents["memo_ko"], documents["guide_zh"]
    memo.write_text(memo.read_text().replace("tcp_fin_timeout=10", "tcp_fin_timeout=11") + "\nvm.swappiness = 1\n")
    guide.write_text(guide.read_text().replace(QUOTES["guide_zh"][52]["text"], "-"))
    assert check(f"memo_ko={memo}", f"guide_zh={guide}") == (
        1,
        [
            "memo_ko:55: the quote is 'net.ipv4.tcp_fin_timeout=10', and the line is 'net.ipv4.tcp_fin_timeout=11'.",
            "memo_ko:145: 'vm.swappiness = 1' is quoted nowhere.",
            f"guide_zh:52: the quote is {QUOTES['guide_zh'][52]['text']!r}, and the line is 'x - y'.",
        ],
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "memo_ko=FILE guide_zh=FILE"),
        (["memo_ko=/nothing", "guide_zh=/nothing"], "A document cannot be read"),
    ],
)
def test_documents_that_cannot_be_read(arguments: list[str], words: str) -> None:
    code, lines = check(*arguments)
    assert code == 1 and len(lines) == 1 and words in lines[0]
