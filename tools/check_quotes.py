# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hold roles/tune/files/quotes.yml against the documents that it quotes, which are not part of the collection.

    .venv/bin/python tools/check_quotes.py memo_ko=memo.txt guide_zh=guide.txt

Says which quotes are not on their line, and which lines set a key and are quoted nowhere.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

QUOTES = Path(__file__).resolve().parent.parent / "roles" / "tune" / "files" / "quotes.yml"
# As "net.core.somaxconn=1024", "/proc/sys/fs/file-max: 4096 -> 32768", "* soft nofile 65535" and "ulimit -n 32768" do.
_SETS = re.compile(r"\s*((net|fs|vm|kernel)\.[\w./-]+\s*=|/proc/sys/|\S+ (soft|hard|-) \w+ \d|ulimit )")


def problems(name: str, quotes: Mapping[int, object], text: str) -> list[str]:
    """What is wrong with the quotes of one document, a sentence each.

    :param quotes: by line: the whole line, or a mapping with the words of it in ``text``.
    """
    lines = text.splitlines()
    found = []
    for number, quote in sorted(quotes.items()):
        line = lines[number - 1] if number <= len(lines) else ""
        words = quote["text"] if isinstance(quote, dict) else None
        if (words not in line) if words else (line.strip() != quote):
            found.append(f"{name}:{number}: the quote is {words or quote!r}, and the line is {line.strip()!r}.")
    sets = [number for number, line in enumerate(lines, 1) if _SETS.match(line) and number not in quotes]
    return found + [f"{name}:{number}: {lines[number - 1].strip()!r} is quoted nowhere." for number in sets]


def main(arguments: list[str]) -> list[str]:
    """:returns: what is wrong, a sentence each."""
    quotes = yaml.safe_load(QUOTES.read_text(encoding="utf-8"))
    paths = dict(argument.partition("=")[::2] for argument in arguments)
    if set(paths) != set(quotes):
        return [f"Name the file of each document: {' '.join(f'{name}=FILE' for name in quotes)}."]
    try:
        texts = {name: Path(path).read_text(encoding="utf-8") for name, path in paths.items()}
    except (OSError, UnicodeDecodeError) as error:
        return [f"A document cannot be read: {error}."]
    return [problem for name, text in texts.items() for problem in problems(name, quotes[name], text)]


if __name__ == "__main__":
    found = main(sys.argv[1:])
    sys.exit(
        "\n".join(found)
        if found
        else print("Every quote is on its line, and every line that sets something is quoted.")
    )
