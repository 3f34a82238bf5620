# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys of a host as they will be together: what a request sets, and beside it what the host has. Pure; private to ``tunefleet.linux``."""

import re
import typing as t

from .._core import bound as bounds
from .._core import plan as plans
from .._core import request as requests
from .._core import status as statuses

_LINE = re.compile(r":[0-9]+$")


class Value(t.NamedTuple):
    """A key before and after the change, None where it is not known; and where its value comes from.

    ``asked`` tells whether the request sets the key, ``fixed`` that it cannot be set here, ``by_file`` that a file decides.
    """

    before: t.Optional[str]
    after: t.Optional[str]
    origin: str
    asked: bool = False
    fixed: bool = False
    by_file: bool = False


class Projection:
    """All values at one time: in the running kernel, or after the next boot."""

    def __init__(self, when: str, values: t.Mapping[str, Value]) -> None:
        self.when = when
        self._values = values

    def value(self, key: str) -> Value:
        """What is known of a key."""
        return self._values.get(key, Value(None, None, ""))

    def text(self, key: str) -> t.Optional[str]:
        """The value of a key after the change, None where there is none."""
        return self.value(key).after

    def numbers(self, key: str) -> t.Tuple[int, ...]:
        """The numbers of a key after the change; none where there is no such key, or no numbers in it."""
        words = (self.text(key) or "").split()
        return tuple(int(word) for word in words) if all(re.match(r"^-?\d+$", word) for word in words) else ()

    def number(self, key: str, place: int = 0) -> t.Optional[int]:
        """One number of a key, or None."""
        numbers = self.numbers(key)
        return numbers[place] if len(numbers) > place else None

    def show(self, key: str) -> str:
        """A key with its value and where that comes from, for a message."""
        found = self.value(key)
        return "{0} {1} ({2})".format(key, found.after, found.origin)

    def before(self) -> "Projection":
        """The same as it is now."""
        return Projection(self.when, {key: value._replace(after=value.before) for key, value in self._values.items()})

    def asked(self, keys: t.Iterable[str]) -> bool:
        """Whether the request sets one of these keys."""
        return any(self.value(key).asked for key in keys)

    def changes(self, keys: t.Iterable[str]) -> bool:
        """Whether one of these keys changes."""
        return any(self.value(key).before != self.value(key).after for key in keys)

    def fixed(self, keys: t.Iterable[str]) -> bool:
        """Whether one of these keys cannot be set here."""
        return any(self.value(key).fixed for key in keys)


def _asked_by(note: bounds.Note) -> str:
    """Who wants a value: the lines of documents that a profile names, as far as there are any."""
    lines = [source for source in note.source if _LINE.search(source)]
    return ", ".join(lines[:3]) or "asked for"


def _live(plan: plans.Plan) -> t.Dict[str, Value]:
    found = {
        key: Value(entry.live, entry.live, "as the host has it", fixed=not entry.writable)
        for key, entry in plan.context.items()
    }
    for setting in plan.settings:
        fixed, asked = (
            setting.status in statuses.UNAVAILABLE,
            setting.status in (statuses.OK, statuses.CHANGED, statuses.KEPT),
        )
        origin = _asked_by(setting.note) if asked and setting.status != statuses.KEPT else "as the host has it"
        found[setting.key] = Value(
            setting.live[0], setting.live[1], origin, asked and setting.wanted != bounds.ABSENT, fixed
        )
    return found


def _boot(plan: plans.Plan, live: t.Mapping[str, Value]) -> t.Dict[str, Value]:
    """Where no file sets a key, it is taken to boot as it runs."""
    found = {}
    for key, beside in plan.context.items():
        by_file = beside.boot.value is not None
        value, origin = (beside.boot.value, beside.boot.winner) if by_file else (beside.live, "as the host has it")
        found[key] = Value(value, value, origin or "", fixed=not beside.writable, by_file=by_file)
    for setting in plan.settings:
        before = setting.live[0] if setting.boot_before.value is None else setting.boot_before.value
        after = setting.live[1] if setting.boot.value is None else setting.boot.value
        origin = (
            live[setting.key].origin if setting.boot.ours or setting.boot.value is None else setting.boot.winner or ""
        )
        by_file = setting.boot.value is not None
        found[setting.key] = live[setting.key]._replace(before=before, after=after, origin=origin, by_file=by_file)
    return found


def projections(plan: plans.Plan, policy: requests.Policy) -> t.List[Projection]:
    """The times at which a request has a say: now if it sets the running kernel, after the next boot if it keeps entries."""
    live = _live(plan)
    found = [Projection("", live)] if policy.live else []
    return found + ([Projection(" after the next boot", _boot(plan, live))] if policy.persist else [])
