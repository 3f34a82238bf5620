# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What somebody asks for, checked as far as that is possible without looking at the host. Private to ``tunefleet.linux``."""

import difflib
import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _amount
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _guard, _rlimits, _targets
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _values as _limit_values
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _names, _values

VALUE = "value"
AT_LEAST = "at_least"
AT_MOST = "at_most"
ABSENT = "absent"
OPERATORS = (VALUE, AT_LEAST, AT_MOST)
_NOTES = ("why", "source", "hazard", "instead_of")
_SYMBOLS = {VALUE: "", AT_LEAST: ">= ", AT_MOST: "<= ", ABSENT: "absent"}

FAIL = "fail"
WARN = "warn"
SKIP = "skip"


class Note(t.NamedTuple):
    """Where a wish comes from, what it may break, and which wishes of other profiles it was preferred to."""

    why: t.Optional[str] = None
    source: t.Sequence[str] = ()
    hazard: t.Optional[str] = None
    instead_of: t.Sequence[t.Mapping[str, t.Any]] = ()


class Wish(t.NamedTuple):
    """What one sysctl key shall be.

    ``key`` is canonical, or a pattern until it is expanded. ``raw`` is as given, and ``arithmetic`` says how it comes about once
    what depends on the host is worked out.
    """

    key: str
    operator: str
    raw: t.Optional[_values.Raw] = None
    note: Note = Note()
    arithmetic: str = ""


class Bound(t.NamedTuple):
    """What a soft or hard limit shall be. ``value`` is a formula until it is worked out on the host."""

    operator: str
    value: _limit_values.Number = 0
    arithmetic: str = ""

    def __str__(self) -> str:
        return describe(self.operator, "" if self.operator == ABSENT else str(self.value))


class LimitWish(t.NamedTuple):
    """What the limit of one item shall be for one target; None leaves that half as it is.

    ``kind`` is the kind of the target and ``domain`` its name: a domain of limits.conf(5), a unit, ``system`` or ``user`` for a
    manager of systemd, a process by its name or pid file. ``restart`` lets a unit be restarted where that is what it takes.
    ``joined`` asks for one line of the type ``-``. ``file_only`` compares a bound with the file alone, not with what the host
    has from elsewhere.
    """

    domain: str
    item: str
    soft: t.Optional[Bound] = None
    hard: t.Optional[Bound] = None
    note: Note = Note()
    joined: bool = False
    file_only: bool = False
    comment: str = ""
    kind: str = _targets.DOMAIN
    restart: bool = False

    @property
    def name(self) -> str:
        """How messages call this wish."""
        return limit_name(self.kind, self.domain, self.item)

    @property
    def identity(self) -> t.Tuple[str, str, str]:
        """What tells it from other wishes."""
        return self.kind, self.domain, self.item


def limit_name(kind: str, target: str, item: str) -> str:
    """How messages call a limit: ``* nofile``, ``nginx.service nofile``, ``manager system nofile``, ``process nginx nofile``."""
    return " ".join(([kind] if kind in (_targets.MANAGER, _targets.PROCESS) else []) + [target, item])


class Policy(t.NamedTuple):
    """How a request is to be carried out.

    ``strict`` lets rules across keys refuse it; they warn otherwise. ``connections`` are those whose cost is to be told, and
    ``memory_warn`` and ``memory_refuse`` the percentage of the memory above which that is too much.
    """

    sysctl_file: str = "/etc/sysctl.d/99-tunefleet.conf"
    limits_file: str = "/etc/security/limits.d/99-tunefleet.conf"
    live: bool = True
    persist: bool = True
    on_unavailable: str = FAIL
    on_shadowed: str = WARN
    guard: str = _guard.REFUSE
    backup: bool = False
    strict: bool = True
    connections: t.Optional[int] = None
    memory_warn: int = 50
    memory_refuse: int = 100


class History(t.NamedTuple):
    """The name under which the ledger keeps what a request changes, and the options that say what it asks for.

    ``revert`` asks for the opposite: that what was changed under the name be taken back; the empty name means every one.
    ``trial`` lets it wait for somebody to confirm it, and ``ending`` ends such a trial.
    """

    name: str
    options: t.Mapping[str, t.Any] = {}
    revert: bool = False
    trial: bool = False
    ending: t.Optional["Ending"] = None


class Ending(t.NamedTuple):
    """How a trial ends: what it did stays (``keep``), or is taken back. ``trial`` is its id; the empty one means whatever is there."""

    keep: bool
    trial: str


class Request(t.NamedTuple):
    """Everything that one run of a module shall do.

    ``what`` names it to those who wait for its end. ``warnings`` are what the caller has to be told whatever comes of it.
    """

    wishes: t.Sequence[Wish] = ()
    limits: t.Sequence[LimitWish] = ()
    policy: Policy = Policy()
    what: str = ""
    history: t.Optional[History] = None
    warnings: t.Sequence[str] = ()


def describe(operator: str, text: str) -> str:
    """A wish as reports show it: ``30``, ``>= 8192``, ``<= 5``."""
    return _SYMBOLS[operator] + text


def with_arithmetic(text: str, arithmetic: str) -> str:
    """What is wanted, and how the number comes about on this host."""
    return "{0} ({1})".format(text, arithmetic) if arithmetic else text


def near(word: str, words: t.Iterable[str]) -> str:
    """Half a sentence that offers the names most like a word, or nothing."""
    known = list(words)
    found = difflib.get_close_matches(word, known, 3, 0.75) or difflib.get_close_matches(word.lower(), known, 3, 0.75)
    return "; did you mean {0}?".format(" or ".join(found)) if found else ""


def sentence(name: str, half: str) -> str:
    """What is wrong with an entry, as one sentence that names it, on one line even when the name has several."""
    return "{0}: {1}{2}".format(" ".join(name.split()), half, "" if half.endswith((".", "?")) else ".")


def _operator_of(entry: t.Mapping[str, t.Any], allowed: t.Sequence[str], what: str) -> str:
    unknown = sorted(str(field) for field in entry if field not in allowed)
    if unknown:
        raise _errors.ValueProblem(
            "{0!r} is no field of {1} (allowed: {2}){3}".format(
                unknown[0], what, ", ".join(allowed), near(unknown[0], allowed)
            )
        )
    present = [operator for operator in OPERATORS if entry.get(operator) is not None]
    if len(present) != 1:
        raise _errors.ValueProblem(
            "{0} needs exactly one of value, at_least and at_most, found {1}".format(
                what, " and ".join(present) or "none"
            )
        )
    return present[0]


def note_of(entry: t.Mapping[str, t.Any]) -> Note:
    """The notes of a setting or a limit.

    :raises ValueProblem: when they are none.
    """
    source = entry.get("source") or []
    if isinstance(source, str):
        source = [source]
    instead_of = entry.get("instead_of") or ()
    if not isinstance(instead_of, (list, tuple)) or not all(isinstance(one, dict) for one in instead_of):
        raise _errors.ValueProblem("instead_of takes a list of maps, found {0!r}".format(instead_of))
    return Note(entry.get("why"), [str(one) for one in source], entry.get("hazard"), tuple(instead_of))


def setting(name: str, raw: t.Any) -> Wish:
    """The wish that ``name: raw`` stands for, where raw is a plain value or a map with one operator.

    :raises NameProblem, ValueProblem: when it stands for none.
    """
    key = _names.canonical_pattern(name)
    if not isinstance(raw, dict):
        if raw is None:
            raise _errors.ValueProblem("the value is missing")
        return Wish(key, VALUE, raw)
    operator = _operator_of(raw, OPERATORS + _NOTES, "a setting")
    value = raw[operator]
    _amount.check(value)
    if operator != VALUE and isinstance(value, bool):
        raise _errors.ValueProblem("{0} takes a number, found {1!r}".format(operator, value))
    return Wish(key, operator, value, note_of(raw))


def _meaning(wish: Wish) -> t.Tuple[str, str]:
    """What a wish comes to, so that 0x10 and 16 are no contradiction."""
    try:
        return wish.operator, _values.normal(t.cast(_values.Raw, wish.raw), _values.Shape(_values.INTEGERS))
    except _errors.ValueProblem:
        return wish.operator, str(wish.raw)


def settings(entries: t.Mapping[str, t.Any]) -> t.List[Wish]:
    """The wishes of a map of settings, in its order.

    :raises EntryProblems: one sentence for each entry that cannot be meant, and for two that contradict each other.
    """
    found: t.Dict[str, Wish] = {}
    problems: t.List[str] = []
    for name, raw in entries.items():
        try:
            wish = setting(name, raw)
        except _errors.NameProblem as problem:
            problems.append(str(problem))
            continue
        except _errors.ValueProblem as problem:
            problems.append(sentence(name, str(problem)))
            continue
        earlier = found.setdefault(wish.key, wish)
        if earlier is not wish and _meaning(earlier) != _meaning(wish):
            problems.append(
                "{0} is asked for twice, as {1} and as {2}; keep one.".format(
                    wish.key, describe(earlier.operator, repr(earlier.raw)), describe(wish.operator, repr(wish.raw))
                )
            )
    if problems:
        raise _errors.EntryProblems(problems)
    return list(found.values())


def expanded(wishes: t.Sequence[Wish], matches: t.Mapping[str, t.Sequence[str]]) -> t.List[Wish]:
    """The wishes with each pattern replaced by the keys that it matches.

    As in sysctl.d(5) a key that is named beats every pattern. A pattern that matches nothing stays, to be reported.

    :param matches: the keys of the host that each pattern matches.
    :raises EntryProblems: when two patterns want different things of one key.
    """
    named = {wish.key for wish in wishes}
    found: t.Dict[str, Wish] = {}
    problems: t.List[str] = []
    for wish in wishes:
        for key in matches.get(wish.key) or [wish.key]:
            if key != wish.key and key in named:
                continue
            earlier = found.setdefault(key, wish._replace(key=key))
            if _meaning(earlier) != _meaning(wish):
                problems.append(
                    "{0} is matched by two patterns, which ask for {1!r} and for {2!r}; name the key itself.".format(
                        key, earlier.raw, wish.raw
                    )
                )
    if problems:
        raise _errors.EntryProblems(problems)
    return list(found.values())


def _bound(raw: t.Any, item: str) -> t.Optional[Bound]:
    if raw is None:
        return None
    if isinstance(raw, dict):
        operator = _operator_of(raw, OPERATORS, "a limit's soft or hard")
        value = raw[operator]
        if isinstance(value, dict):
            _amount.check(value)
            return Bound(operator, t.cast(_limit_values.Number, value))
        return Bound(operator, _limit_values.number(value, item))
    return Bound(VALUE, _limit_values.number(raw, item))


def _above(soft: t.Optional[Bound], hard: t.Optional[Bound]) -> bool:
    """Whether a soft limit is certain to end up above the hard one."""
    if soft is None or hard is None or soft.operator == AT_MOST or hard.operator == AT_LEAST:
        return False
    if isinstance(soft.value, dict) or isinstance(hard.value, dict):
        return False
    return _limit_values.rank(soft.value) > _limit_values.rank(hard.value)


def limit(entry: t.Mapping[str, t.Any]) -> LimitWish:
    """The wish of one entry of a list of limits.

    :raises ValueProblem: when it stands for none.
    """
    kind, target = _targets.of(entry)
    item = str(entry.get("item"))
    if item not in _limit_values.ITEMS:
        raise _errors.ValueProblem(
            "{0!r} is no item of limits.conf(5) (known: {1}){2}".format(
                item, ", ".join(sorted(_limit_values.ITEMS)), near(item, _limit_values.ITEMS)
            )
        )
    if kind != _targets.DOMAIN:
        _rlimits.check_item(item, kind)
    elif target.startswith("%") and item != "maxlogins":
        raise _errors.ValueProblem("a domain that begins with % counts logins of a group and takes maxlogins only")
    wish = LimitWish(
        target,
        item,
        _bound(entry.get("soft"), item),
        _bound(entry.get("hard"), item),
        note_of(entry),
        kind=kind,
        restart=bool(entry.get("restart")),
    )
    if wish.soft is None and wish.hard is None:
        raise _errors.ValueProblem("neither soft nor hard is given")
    if _above(wish.soft, wish.hard):
        cut = "pam_limits would cut it" if kind == _targets.DOMAIN else "the kernel takes no such pair"
        raise _errors.ValueProblem("soft {0} is above hard {1}, {2}".format(wish.soft, wish.hard, cut))
    return wish


def named_target(entry: t.Mapping[str, t.Any]) -> str:
    """How messages call a limit that may be malformed."""
    kind = next((one for one in _targets.TARGETS if entry.get(one) is not None), _targets.DOMAIN)
    return limit_name(kind, str(entry.get(kind)), str(entry.get("item")))


def _differ(one: t.Optional[Bound], other: t.Optional[Bound]) -> bool:
    """Whether two entries ask for different values of one half; an entry may well name the soft limit and another the hard."""
    return one is not None and other is not None and one != other


def limits(entries: t.Sequence[t.Mapping[str, t.Any]]) -> t.List[LimitWish]:
    """The wishes of a list of limits, in its order.

    :raises EntryProblems: one sentence for each entry that cannot be meant, and for two that contradict each other.
    """
    found: t.Dict[t.Tuple[str, str, str], LimitWish] = {}
    problems: t.List[str] = []
    for entry in entries:
        try:
            wish = limit(entry)
        except _errors.ValueProblem as problem:
            problems.append(sentence("Limit " + named_target(entry), str(problem)))
            continue
        earlier = found.get(wish.identity, wish)
        together = earlier._replace(
            soft=earlier.soft or wish.soft, hard=earlier.hard or wish.hard, restart=earlier.restart or wish.restart
        )
        if _differ(earlier.soft, wish.soft) or _differ(earlier.hard, wish.hard):
            problems.append("Limit {0} is asked for twice with different values; keep one.".format(wish.name))
        elif _above(together.soft, together.hard):
            problems.append("Limit {0}: soft {1} is above hard {2}.".format(wish.name, together.soft, together.hard))
        found[wish.identity] = together
    if problems:
        raise _errors.EntryProblems(problems)
    return list(found.values())


def hazards(request: Request) -> t.List[str]:
    """One sentence for each wish with a hazard, for a caller who did not accept it."""
    noted = [(wish.key, wish.note) for wish in request.wishes] + [(wish.name, wish.note) for wish in request.limits]
    return ["{0} has a hazard: {1}.".format(name, str(note.hazard).rstrip(".")) for name, note in noted if note.hazard]


def depends_on_host(request: Request) -> bool:
    """Whether a number of the request has to be worked out on the host."""
    values: t.List[t.Any] = [wish.raw for wish in request.wishes]
    values += [bound.value for wish in request.limits for bound in (wish.soft, wish.hard) if bound is not None]
    return any(_amount.depends(value) for value in values)


def worked_out(request: Request, resources: _amount.Resources) -> Request:
    """The request with every number that depends on the host.

    :raises EntryProblems: one sentence for each entry whose number cannot be told here.
    """
    problems: t.List[str] = []
    wishes, limits = [], []
    for wish in request.wishes:
        try:
            wishes.append(_worked_out_setting(wish, resources))
        except _errors.ValueProblem as problem:
            problems.append(sentence(wish.key, str(problem)))
    for limit_wish in request.limits:
        try:
            limits.append(_worked_out_limit(limit_wish, resources))
        except _errors.ValueProblem as problem:
            problems.append(sentence("Limit " + limit_wish.name, str(problem)))
    if problems:
        raise _errors.EntryProblems(problems)
    return request._replace(wishes=wishes, limits=limits)


def _worked_out_setting(wish: Wish, resources: _amount.Resources) -> Wish:
    if not _amount.depends(wish.raw):
        return wish
    raw, arithmetic = _amount.work_out(wish.raw, resources)
    return wish._replace(raw=raw, arithmetic=arithmetic)


def _worked_out_limit(wish: LimitWish, resources: _amount.Resources) -> LimitWish:
    return wish._replace(
        soft=_worked_out_bound(wish.soft, wish.item, resources), hard=_worked_out_bound(wish.hard, wish.item, resources)
    )


def _worked_out_bound(bound: t.Optional[Bound], item: str, resources: _amount.Resources) -> t.Optional[Bound]:
    if bound is None or not _amount.depends(bound.value):
        return bound
    number, arithmetic = _amount.work_out(bound.value, resources)
    return Bound(bound.operator, _limit_values.number(number, item), arithmetic)
