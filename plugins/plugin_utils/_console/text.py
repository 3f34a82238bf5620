# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Text that came from hosts, made fit to be shown. Private: not for use outside of ``tunefleet.linux``.

What a host answers is not to be trusted: a control character may move a terminal's cursor, is illegal in XML, and a bidirectional
control makes a line read other than it is.
"""

from __future__ import annotations

import re
import typing as t

_SPACES = {"\n": "\n", "\t": " "}


def visible(given: t.Any) -> str:
    r"""The text with everything that cannot be seen, or reorders what can, written as an escape such as ``\x1b`` or ``\u202e``.

    Line ends stay, a tab becomes a blank.
    """
    text = str(given)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _SPACES.get(char) or _escape(char) for char in text)


def one_line(text: t.Any) -> str:
    """The same on one line."""
    return " ".join(visible(text).split())


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def natural(name: str) -> tuple[tuple[tuple[int, str], ...], str]:
    """Sorts web2 before web10; two names that differ are never equal."""
    parts = re.split(r"([0-9]+)", name)
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts if part), name


def counted(number: int, what: str, many: str = "") -> str:
    """``1 host``, ``2 hosts``, ``1,000 hosts``."""
    return f"{number:,} {what if number == 1 else many or what + 's'}"
