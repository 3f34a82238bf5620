# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lossless reading and editing of one file in the format of limits.conf(5). Private: not for use outside of ``tunefleet.linux``.

Bytes in, bytes out: only lines with the domain and the item that are being set are touched.
"""

import re
import typing as t

from ... import _textfile
from ..._core import limit as limit_types
from .. import items
from . import variant as pam_variant

HEADER = b"# Written by the Ansible collection tunefleet.linux. Lines of limits that it does not set are left alone.\n"
SOFT = "soft"
HARD = "hard"
BOTH = "-"

# These hold one value, whatever the type of the line; the first three of them are taken under any type at all.
SINGLE = frozenset(["maxlogins", "maxsyslogins", "nonewprivs", "priority", items.CHROOT])
_ANY_TYPE = frozenset(["maxlogins", "maxsyslogins", "nonewprivs"])
_BLANKS = " \t\n\v\f\r"  # isspace(3)
_PIECE = 1023


class Rule(t.NamedTuple):
    """One line: who, soft, hard or both, what, how much. ``item`` is empty for the line that exempts a domain."""

    domain: str
    type: str
    item: str
    value: limit_types.Number = 0
    comment: str = ""

    @property
    def exempts(self) -> bool:
        """Whether the line is ``domain -``, which makes pam_limits set nothing at all for whom it names."""
        return not self.item

    @property
    def sets_soft(self) -> bool:
        """Whether the line sets the soft limit."""
        return self.type in (SOFT, BOTH) or self.item in SINGLE

    @property
    def sets_hard(self) -> bool:
        """Whether the line sets the hard limit."""
        return self.type in (HARD, BOTH) or self.item in SINGLE


class Change(t.NamedTuple):
    """The desired lines of one domain and item. ``joined`` requests one line of the type ``-``."""

    domain: str
    item: str
    limit: limit_types.Limit
    joined: bool = False
    comment: str = ""


def _fields(text: str, variant: pam_variant.PamVariant) -> t.List[str]:
    """The fields that pam_limits finds on a line without its comment."""
    if variant.splits_long_lines:
        return re.findall("[^" + _BLANKS + "]+", text)[:4]
    words = [word for word in re.split("[ \t]+", text, maxsplit=3) if word]
    return words[:3] + [word.strip(" \t") for word in words[3:] if word.strip(" \t")]


def parse_line(line: bytes, variant: pam_variant.PamVariant = pam_variant.PLAIN) -> t.Optional[Rule]:
    """The rule on a line, or None. Type and item are read in any case, the domain is not; a ``#`` starts a comment anywhere."""
    # A C string ends at a zero byte.
    text, _hash, comment = line.partition(b"\0")[0].decode("utf-8", "surrogateescape").lstrip(_BLANKS).partition("#")
    words = _fields(text.partition("\n")[0], variant)
    if len(words) == 2 and words[1].startswith(BOTH):
        return Rule(words[0], BOTH, "")
    if len(words) != 4:
        return None
    kind, item = _lower(words[1]), _lower(words[2])
    if not (kind in (SOFT, HARD, BOTH) or item in _ANY_TYPE) or variant.lacks(item):
        return None
    if item == items.CHROOT and variant.chroot:
        # A path as well, so that one with capitals cannot be named.
        return Rule(words[0], kind, item, _lower(words[3]), comment.strip())
    value = items.read(_lower(words[3]), item) if item in items.ITEMS else None
    return None if value is None else Rule(words[0], kind, item, value, comment.strip())


def _lower(text: str) -> str:
    """tolower(3), which knows no letters but those of ASCII."""
    return re.sub("[A-Z]+", lambda match: match.group().lower(), text)


def read(data: bytes, variant: pam_variant.PamVariant = pam_variant.PLAIN) -> t.List[t.Tuple[int, Rule]]:
    """Each rule that pam_limits finds in a file, with the number of its line."""
    found: t.List[t.Tuple[int, Rule]] = []
    for number, line in enumerate(_textfile.split(data), 1):
        pieces = (
            [line[start : start + _PIECE] for start in range(0, len(line), _PIECE)]
            if variant.splits_long_lines
            else [line]
        )
        rules = [parse_line(piece, variant) for piece in pieces]
        found.extend((number, rule) for rule in rules if rule is not None)
    return found


class ConfFile:
    """The lines of a file below limits.d, with the rules found on them."""

    def __init__(self, data: bytes, variant: pam_variant.PamVariant = pam_variant.PLAIN) -> None:
        self._lines = _textfile.split(data)
        self._rules = [parse_line(line, variant) for line in self._lines]

    def rules(self) -> t.List[t.Tuple[int, Rule]]:
        """Each rule with the number of its line."""
        return [(number, rule) for number, rule in enumerate(self._rules, 1) if rule is not None]

    def get(self, domain: str, item: str) -> limit_types.Limit:
        """What this file says about a domain and item; a later line wins, ``-`` sets both."""
        limit = limit_types.Limit()
        for _index, rule in self._about(domain, item):
            if rule.sets_soft:
                limit = limit._replace(soft=rule.value)
            if rule.sets_hard:
                limit = limit._replace(hard=rule.value)
        return limit

    def _about(self, domain: str, item: str) -> t.List[t.Tuple[int, Rule]]:
        return [
            (index, rule)
            for index, rule in enumerate(self._rules)
            if rule is not None and rule.domain == domain and rule.item == item
        ]

    def says(self, change: Change) -> bool:
        """Whether the file already says what a change asks for, its comment included where one is given."""
        if self.get(change.domain, change.item) != change.limit:
            return False
        about = self._about(change.domain, change.item)
        return not change.comment or all(rule.comment == change.comment for _index, rule in about)

    def with_changes(self, changes: t.Sequence[Change]) -> bytes:
        """The bytes of the file after the changes. Lines that say the same already are left as they are."""
        lines: t.List[bytes] = list(self._lines)
        added: t.List[bytes] = []
        for change in changes:
            if self.says(change):
                continue
            about = self._about(change.domain, change.item)
            end = _textfile.end_of(self._lines[about[-1][0]]) if about else b"\n"
            text = self._render(change, about, end)
            for index, _rule in about:
                lines[index] = b""
            if about:
                lines[about[-1][0]] = text
            else:
                added.append(text)
        return _textfile.join([line for line in lines if line], [text for text in added if text], HEADER)

    @staticmethod
    def _render(change: Change, about: t.Sequence[t.Tuple[int, Rule]], end: bytes) -> bytes:
        """The lines for a change; comments of the lines that they replace stay with their type."""
        soft, hard = change.limit
        joined = change.joined or (bool(about) and all(rule.type == BOTH for _index, rule in about))
        wanted = [(SOFT, soft), (HARD, hard)]
        if joined and soft is not None and soft == hard:
            wanted = [(BOTH, soft)]
        comments = {rule.type: rule.comment for _index, rule in about if rule.comment}
        text = b""
        for kind, value in wanted:
            if value is not None:
                comment = change.comment or comments.get(kind, comments.get(BOTH, ""))
                fields = [change.domain, kind, change.item, str(value)] + (["#" + comment] if comment else [])
                text += "\t".join(fields).encode("utf-8", "surrogateescape") + end
        return text
