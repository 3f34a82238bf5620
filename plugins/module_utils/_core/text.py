# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""text. Private to ``tunefleet.linux``."""

import difflib
import typing as t


def suggest(word: str, words: t.Iterable[str]) -> str:
    """``; did you mean X?`` with the names most like a word, or nothing."""
    known = list(words)
    found = difflib.get_close_matches(word, known, 3, 0.75) or difflib.get_close_matches(word.lower(), known, 3, 0.75)
    return "; did you mean {0}?".format(" or ".join(found)) if found else ""


def sentence(name: str, half: str) -> str:
    """What is wrong with an entry, as one sentence that names it, on one line even when the name has several."""
    return "{0}: {1}{2}".format(" ".join(name.split()), half, "" if half.endswith((".", "?")) else ".")
