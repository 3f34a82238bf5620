# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to do about sysctl keys: wishes and what the host shows -> decisions and steps. Pure; private to ``tunefleet.linux``."""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors, _lines
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _decision as d
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _seen, _wish
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import (
    _boot,
    _catalog,
    _conf,
    _kernel,
    _names,
    _reader,
    _values,
)

_MEETS = {_wish.AT_LEAST: _values.at_least, _wish.AT_MOST: _values.at_most}
_PROGRAMS = {_reader.SYSTEMD: "systemd-sysctl", _reader.PROCPS: "sysctl --system"}
_STRONGER = {_wish.AT_LEAST: _values.larger, _wish.AT_MOST: _values.smaller}


def _version(version: _catalog.Version) -> str:
    return "Linux {0}.{1}".format(*version)


def _noted(facts: _catalog.Parameter) -> str:
    return ": " + facts.note if facts.note else ""


def unavailable(key: str, seen: _seen.SysctlSeen) -> t.Optional[t.Tuple[str, str]]:
    """Status and reason of a key that cannot be set because it is not there, or because nothing reads it."""
    facts = _catalog.find(key)
    if seen.live[key].exists:
        if facts and facts.no_effect and seen.machine.release >= facts.no_effect:
            ignored = "since {0} the kernel accepts and ignores it".format(_version(facts.no_effect))
            return d.NO_EFFECT, ignored + _noted(facts)
        return None
    if facts and facts.removed:
        return d.REMOVED, "gone since {0}{1}".format(_version(facts.removed), _noted(facts))
    if facts and facts.scope == _catalog.INIT_NETNS and seen.child_netns:
        return d.NOT_NAMESPACED, "belongs to the host; a network namespace or container does not have it"
    if _names.is_pattern(key):
        return d.UNKNOWN, "no key on this kernel matches the pattern"
    interface = missing_interface(key, seen)
    if interface:
        return d.UNKNOWN, "there is no network interface {0} here".format(interface)
    module = _catalog.module_of(key)
    if module:
        return d.NEEDS_MODULE, "appears once the kernel module {0} is loaded".format(module)
    if facts and facts.since and seen.machine.release < facts.since:
        here = _version(seen.machine.release)
        return d.UNKNOWN, "appeared in {0}, and this kernel is {1}".format(_version(facts.since), here)
    if facts:
        return d.UNKNOWN, "{0} as built here is without it".format(_version(seen.machine.release))
    return d.UNKNOWN, "no such key on this kernel" + _wish.near(key, set(seen.known) | set(_catalog.names()))


def missing_interface(key: str, seen: _seen.SysctlSeen) -> t.Optional[str]:
    """The network interface that a key waits for: others have such a key, and this one has none at all."""
    interface = _names.interface_of(key)
    if interface is None or _names.is_pattern(key):
        return None
    segments = key.split(".")
    above, last = ".".join(segments[:3]) + ".", segments[4]
    alike = [one for one in seen.known if one.startswith(above) and one.endswith("." + last)]
    its_own = any(one.startswith(above + interface + ".") for one in seen.known)
    return interface.replace("/", ".") if alike and not its_own else None


def unwritable(key: str, seen: _seen.SysctlSeen) -> t.Tuple[str, str]:
    """Status and reason of a key that is there and cannot be written."""
    facts = _catalog.find(key)
    if seen.child_netns and facts and facts.scope in (_catalog.NETNS_READ_ONLY, _catalog.INIT_NETNS):
        return d.NOT_NAMESPACED, "belongs to the host; a network namespace or container may only read it"
    return d.READ_ONLY, "/proc/sys does not let it be written here, as in many containers"


def shape_of(key: str, live: t.Optional[str], raw: t.Any) -> _values.Shape:
    """The shape of a key: from the catalog, else from the live value, else from what is asked for."""
    facts = _catalog.find(key)
    if facts is not None:
        return facts.shape
    return _values.guess(live) if live else _values.guess_of_wish(raw, live is not None)


def _wished(wish: _wish.Wish, shape: _values.Shape) -> str:
    """The text of a wish; the numbers of a bound are bounds of their own, and need not rise.

    :raises ValueProblem: when it cannot be meant.
    """
    if shape.rising and wish.operator != _wish.VALUE:
        shape = shape._replace(rising=False)
    return _values.normal(t.cast(_values.Raw, wish.raw), shape)


class _Has(t.NamedTuple):
    """What the host has of one key: its live value, and the one that our file says."""

    shape: _values.Shape
    live: t.Optional[str]
    file: t.Optional[str]


class _Outcome(t.NamedTuple):
    """What one wish comes to here and now: what is live before and after, and so in our file."""

    status: str
    reason: str
    live: t.Tuple[t.Optional[str], t.Optional[str]]
    file: t.Tuple[t.Optional[str], t.Optional[str]]


class _Judge:
    """Decides wish by wish; holds what all of them are measured against."""

    def __init__(self, seen: _seen.SysctlSeen, policy: _wish.Policy) -> None:
        own = seen.own
        self._seen = seen
        self._policy = policy
        self.conf = _conf.ConfFile(own.data or b"") if own else None
        self._facts = facts_of(seen)
        self._others = self.tables(seen.boot.replaced(_own_paths(seen), b""))
        self.now = self.tables(seen.boot)

    def tables(self, files: _seen.BootFiles) -> t.List[_boot.BootTable]:
        """What each reader that the host may have makes of files."""
        return files.tables(self._facts.live, self._facts)

    def decide(self, wish: _wish.Wish) -> d.SettingDecision:
        """The decision about one wish, before it is known what the next boot makes of it."""
        live = self._seen.live[wish.key].text
        shape = shape_of(wish.key, live, wish.raw)
        now = None if live is None else _values.tidy(live, shape)
        entry = self.conf.get(wish.key) if self.conf else None
        said = None if entry is None else _values.tidy(entry, shape)
        wanted = wish.operator
        if wish.operator == _wish.ABSENT:
            outcome = self._absent(wish.key, shape, now)
        else:
            try:
                text = self._text(wish, shape, now)
            except _errors.ValueProblem as problem:
                wanted = _wish.describe(wish.operator, str(wish.raw))
                # What cannot be set at all need not be a value of it.
                outcome = self._missing(wish.key, _Has(shape, now, said)) or _Outcome(
                    d.REFUSED, self._refusal(wish, problem, shape), (now, now), (said, said)
                )
            else:
                wanted = _wish.describe(wish.operator, text)
                outcome = self._present(wish, text, _Has(shape, now, said))
        return d.SettingDecision(
            wish.key,
            outcome.status,
            wanted,
            outcome.reason,
            outcome.live,
            outcome.file,
            shape=shape,
            note=wish.note,
            arithmetic=wish.arithmetic,
        )

    def _absent(self, key: str, shape: _values.Shape, now: t.Optional[str]) -> _Outcome:
        gone = self.conf.assigned(key) if self.conf else None
        gone = None if gone is None else _values.tidy(gone, shape)
        return _Outcome(d.OK if gone is None else d.CHANGED, "", (now, now), (gone, None))

    def _text(self, wish: _wish.Wish, shape: _values.Shape, now: t.Optional[str]) -> str:
        if wish.operator != _wish.VALUE and not shape.ordered:
            raise _errors.ValueProblem("{0} compares numbers, and this key takes none".format(wish.operator))
        if self._is_action(wish.key) and self._policy.persist:
            raise _errors.ValueProblem(
                "a write to it triggers an action and leaves no state to keep; set persist to false"
            )
        text = _wished(wish, shape)
        if wish.operator != _wish.VALUE and shape.rising and not _MEETS[wish.operator](now, text, shape):
            # What it comes to has to be legal as well.
            _values.normal(_STRONGER[wish.operator](now, text, shape), shape)
        return text

    def _is_action(self, key: str) -> bool:
        facts, live = _catalog.find(key), self._seen.live[key]
        return bool(facts and facts.action) or (live.exists and live.writable and not live.readable)

    @staticmethod
    def _refusal(wish: _wish.Wish, problem: _errors.ValueProblem, shape: _values.Shape) -> str:
        facts = _catalog.find(wish.key)
        if facts is not None and facts.action:
            return "{0}.".format(problem)
        return "{0} (legal: {1}).".format(problem, _catalog.legal(wish.key, shape))

    def _present(self, wish: _wish.Wish, text: str, has: _Has) -> _Outcome:
        shape, now, said = has
        missing = self._missing(wish.key, has)
        if missing:
            return missing
        target = now
        if self._policy.live:
            target = self._live_target(wish, text, now, shape)
            if now != target and not self._seen.live[wish.key].writable:
                status, reason = unwritable(wish.key, self._seen)
                return _Outcome(status, reason, (now, now), (said, said))
        entry = self._entry(wish, text, has, target) if self._policy.persist else said
        if _values.same(entry, said, shape):
            entry = said
        if self._is_action(wish.key):
            return _Outcome(d.CHANGED, "", (None, text), (said, said))
        status, reason = self._judged(wish, now != target or said != entry, now, entry)
        return _Outcome(status, reason, (now, target), (said, entry))

    def _missing(self, key: str, has: _Has) -> t.Optional[_Outcome]:
        """The outcome for a key that cannot be set, where the running kernel is to be set."""
        missing = unavailable(key, self._seen) if self._policy.live else None
        return _Outcome(missing[0], missing[1], (has.live, has.live), (has.file, has.file)) if missing else None

    @staticmethod
    def _live_target(wish: _wish.Wish, text: str, now: t.Optional[str], shape: _values.Shape) -> str:
        """What the live value has to be: as it is now, where that is what the kernel makes of the wish."""
        target = text if wish.operator == _wish.VALUE else _STRONGER[wish.operator](now, text, shape)
        return now if now is not None and _values.holds(now, target, shape) else target

    def _entry(self, wish: _wish.Wish, text: str, has: _Has, target: t.Optional[str]) -> t.Optional[str]:
        """The entry that our file needs so that the wish holds after the next boot; None when it needs none.

        A bound that the next boot meets by itself is not written down: sysctl.d(5) knows no "at least", and a pinned
        default would lower that of a newer kernel.
        """
        if wish.operator == _wish.VALUE:
            return text
        meets, stronger = _MEETS[wish.operator], _STRONGER[wish.operator]
        shape, now, said = has
        if said is not None:
            return said if meets(said, text, shape) else stronger(target, text, shape)
        given = [table.of(wish.key).value for table in self._others]
        if any(value is not None for value in given):
            return None if all(meets(value, text, shape) for value in given) else stronger(target, text, shape)
        facts = _catalog.find(wish.key)
        if meets(now, text, shape) and _catalog.is_kernel_default(facts, str(now), self._seen.machine):
            return None
        return stronger(target, text, shape)

    def _judged(
        self, wish: _wish.Wish, changes: bool, now: t.Optional[str], entry: t.Optional[str]
    ) -> t.Tuple[str, str]:
        """Status and reason of a wish that can be met."""
        if changes:
            return d.CHANGED, ""
        if wish.operator != _wish.VALUE and entry is None:
            then = None if self._policy.live else self._others[0].of(wish.key).value
            have = "the host has {0}".format(now) if then is None else "the next boot gives {0}".format(then)
            return d.KEPT, have + ", which meets it"
        return d.OK, ""

    def after_boot(
        self, decision: d.SettingDecision, after: t.Sequence[_boot.BootTable], wishes: t.Mapping[str, _wish.Wish]
    ) -> d.SettingDecision:
        """The decision with what the next boot will give the key.

        :param after: what each reader makes of the files once ours has its new bytes.
        """
        wish, shape = wishes[decision.key], decision.shape
        before = boots = [table.of(decision.key) for table in self.now]
        if after is not self.now:
            boots = [table.of(decision.key) for table in after]
        boot = boot_state(boots, shape, self._is_ours)
        decision = decision._replace(
            boot_before=boot if boots is before else boot_state(before, shape, self._is_ours),
            boot=boot,
            boot_others=other_boots(after, boots, shape),
        )
        if decision.file[1] is None or decision.status not in (d.OK, d.CHANGED) or wish.operator == _wish.ABSENT:
            return decision
        if boot.ours and len(after) == 1 and boot.value == decision.file[1]:
            return decision
        text = _wished(wish, shape)
        for table, given in zip(after, boots):
            value = _given(given, shape)
            meets = _values.same if wish.operator == _wish.VALUE else _MEETS[wish.operator]
            if not meets(value, text, shape):
                reason = self._shadow(decision.key, given._replace(value=value), table)
                return decision._replace(shadowed=True, reason=reason)
        return decision

    def file_step(self, decisions: t.Sequence[d.SettingDecision], last: t.Sequence[str]) -> t.Optional[d.FileStep]:
        """The step that brings our file up to date, if it is not.

        :param last: keys whose entries come after all others.
        """
        own = self._seen.own
        changes = {one.key: one.file[1] for one in decisions if one.status == d.CHANGED and one.file[0] != one.file[1]}
        if own is None or self.conf is None or not (changes or last):
            return None
        new: t.Optional[bytes] = self.conf.with_changes(changes, last)
        # Nothing of ours is left in a file that we made; behind a link it stays, for the link would lead nowhere.
        if new == _conf.HEADER and own.real == own.path:
            new = None
        return None if new == own.data else d.FileStep(own.path, own.real, own.data, new)

    def tables_after(self, step: d.FileStep) -> t.List[_boot.BootTable]:
        """What each reader that the host may have makes of the files once our file has its new bytes."""
        return self.tables(_candidate(self._seen, step.after))

    def _is_ours(self, boot: _boot.Boot) -> bool:
        own = self._seen.own
        return own is not None and boot.file is not None and self._seen.reals.get(boot.file, own.real) == own.real

    def _shadow(self, key: str, boot: _boot.Boot, table: _boot.BootTable) -> str:
        path = self._policy.sysctl_file
        if boot.value is not None:
            by = "" if len(self.now) == 1 else " if {0} reads the files".format(_PROGRAMS[table.reader.name])
            return "at boot {0} wins over {1} and gives {2}{3}".format(boot.winner, path, boot.value, by)
        lines = table.mentions(key)
        if not any(self._is_ours(boot._replace(file=line.file)) for line in lines):
            program = _PROGRAMS[table.reader.name]
            return "{0} is not read at boot by {1}, so the entry will not come into force".format(path, program)
        if self._is_ours(boot._replace(file=lines[-1].file)):
            return "at boot the kernel refuses what {0} gives".format(lines[-1].where)
        return "at boot {0} undoes what {1} gives".format(lines[-1].where, path)


def facts_of(seen: _seen.SysctlSeen) -> _kernel.Facts:
    """What is known of the kernel that a boot starts: which of the keys there are, and what they take."""
    return _kernel.Facts(live={_names.to_path(key): one.text for key, one in seen.live.items() if one.exists})


def _given(boot: _boot.Boot, shape: _values.Shape) -> t.Optional[str]:
    return None if boot.value is None else _values.tidy(boot.value, shape)


def boot_state(
    boots: t.Sequence[_boot.Boot], shape: _values.Shape, is_ours: t.Callable[[_boot.Boot], bool]
) -> d.BootState:
    """What the next boot gives a key by the likeliest reader, which is the first."""
    return d.BootState(_given(boots[0], shape), boots[0].winner, is_ours(boots[0]))


def other_boots(
    found: t.Sequence[_boot.BootTable], boots: t.Sequence[_boot.Boot], shape: _values.Shape
) -> t.Sequence[d.OtherBoot]:
    """What it gives by other readers, where they differ from the first."""
    if len(boots) == 1:
        return ()
    values = [_given(boot, shape) for boot in boots]
    return [
        d.OtherBoot(str(table.reader), value, boot.winner)
        for table, boot, value in zip(found, boots, values)
        if not _values.same(value, values[0], shape)
    ]


def doubt(one: d.SettingDecision, reader: _reader.Reader) -> t.Optional[str]:
    """Half a sentence about readers that disagree, or None."""
    if not one.boot_others:
        return None
    answers = [d.OtherBoot(str(reader), one.boot.value, str(one.boot.winner))] + list(one.boot_others)
    return "what reads the files at boot cannot be told here, and it matters: {0}".format(
        ", ".join("{0} gives {1} ({2})".format(one.reader, one.value or "nothing", one.winner) for one in answers)
    )


def _own_paths(seen: _seen.SysctlSeen) -> t.List[str]:
    """The names under which our file is read; others may be links to it."""
    own = seen.own
    return [] if own is None else [path for path in seen.boot.data if seen.reals[path] == own.real]


def _candidate(seen: _seen.SysctlSeen, after: t.Optional[bytes]) -> _seen.BootFiles:
    """The files that the next boot reads once our file has its new bytes."""
    if seen.own is None:
        return seen.boot
    return seen.boot.replaced(dict.fromkeys(_own_paths(seen) + [seen.own.path]), after)


def _live_step(seen: _seen.SysctlSeen, key: str, after: str, shape: _values.Shape) -> d.LiveStep:
    others = seen.beside.get(key, {})
    beside = tuple(
        (other, live.text, shape_of(other, live.text, "")) for other, live in others.items() if live.text is not None
    )
    facts = _catalog.find(key)
    action = bool(facts and facts.action) or not seen.live[key].readable
    return d.LiveStep(key, seen.live[key].text, after, shape, beside, action)


def _live_steps(seen: _seen.SysctlSeen, decisions: t.Sequence[d.SettingDecision]) -> t.List[d.LiveStep]:
    """The writes to the kernel, in an order in which none undoes another.

    Where a write may change a key that is as wanted already, that key follows, so that it is looked at once more.
    """
    changed = {one.key for one in decisions if one.status == d.CHANGED and one.live[0] != one.live[1]}
    touched = {other for key in changed for other in seen.beside.get(key, ())}
    steps = [
        _live_step(seen, one.key, one.live[1], one.shape)
        for one in decisions
        if one.live[1] is not None and (one.key in changed or one.key in touched)
    ]
    by_key = {step.key: step for step in steps}
    start = by_key.get(_catalog.FIRST_PORT)
    falls = start is not None and int(start.after) < int(start.before or 0)
    return [by_key[key] for key in _catalog.in_writing_order(by_key, falls)]


class _Kept(t.NamedTuple):
    """Our file once it is written: the step, if there is one, what the next boot makes of it, and the decisions with that."""

    steps: t.List[d.Step]
    tables: t.Sequence[_boot.BootTable]
    decisions: t.List[d.SettingDecision]


def _kept(judge: _Judge, decisions: t.Sequence[d.SettingDecision], wishes: t.Mapping[str, _wish.Wish]) -> _Kept:
    """What becomes of our file, with its entries in an order in which a boot takes them.

    Entries keep their places, and new ones follow, unless a boot would refuse or undo one of them because of another; then those
    that depend on others come last, in the first order that mends it.
    """
    found = _written(judge, decisions, wishes, ())
    lost = _undone(found)
    for falls in (True, False) if lost else ():
        last = _catalog.in_writing_order([one.key for one in decisions if _depends_on_others(one)], falls)
        moved = _written(judge, decisions, wishes, last)
        if len(_undone(moved)) < len(lost):
            mended = set(lost) - set(_undone(moved))
            return moved._replace(decisions=[_moved(one) if one.key in mended else one for one in moved.decisions])
    return found


def _written(
    judge: _Judge,
    decisions: t.Sequence[d.SettingDecision],
    wishes: t.Mapping[str, _wish.Wish],
    last: t.Sequence[str],
) -> _Kept:
    """:param last: keys whose entries come after all others."""
    step = judge.file_step(decisions, last)
    tables = judge.tables_after(step) if step else judge.now
    return _Kept([step] if step else [], tables, [judge.after_boot(one, tables, wishes) for one in decisions])


def _depends_on_others(one: d.SettingDecision) -> bool:
    """Whether what the next boot makes of our entry may depend on entries of other keys."""
    kept = one.status in (d.OK, d.CHANGED) and one.file[1] is not None and one.wanted != _wish.ABSENT
    return kept and len(_kernel.sources(_names.to_path(one.key))) > 1


def _undone(found: _Kept) -> t.List[str]:
    return [one.key for one in found.decisions if one.shadowed and _depends_on_others(one)]


def _moved(one: d.SettingDecision) -> d.SettingDecision:
    if one.status != d.OK:
        return one
    return one._replace(status=d.CHANGED, reason="its entry moves behind others, with which a boot would not take it")


def _contradictions(decisions: t.Sequence[d.SettingDecision]) -> t.List[str]:
    """Wishes that the kernel cannot meet together."""
    wanted = {
        one.key: one for one in decisions if one.status in (d.OK, d.CHANGED, d.KEPT) and one.wanted != _wish.ABSENT
    }
    problems = []
    for key, one in wanted.items():
        twin, other = _catalog.twin_of(key), _catalog.other_name_of(key)
        if twin in wanted and key < str(twin):
            problems.append(
                "{0} and {1} exclude each other: a write to one makes the other 0. Keep one.".format(key, twin)
            )
        elif other in wanted and key < str(other) and wanted[str(other)].wanted != one.wanted:
            problems.append(
                "{0} and {1} are two names of one value, and are asked to differ. Keep one.".format(key, other)
            )
    return problems


def _is_typo(one: d.SettingDecision, seen: _seen.SysctlSeen) -> bool:
    """A key that the catalog knows is none: this kernel is older than it, or built without it; or its interface is missing."""
    return one.status == d.UNKNOWN and not _catalog.find(one.key) and missing_interface(one.key, seen) is None


def _verdict(
    decisions: t.Sequence[d.SettingDecision], policy: _wish.Policy, seen: _seen.SysctlSeen
) -> t.Tuple[t.List[str], t.List[str]]:
    """Problems and warnings that the policy makes of the decisions."""
    problems: t.List[str] = []
    warnings: t.List[str] = []
    for one in decisions:
        if one.status == d.REFUSED:
            fails = True
        elif one.status in d.UNAVAILABLE and policy.on_unavailable != _wish.SKIP:
            fails = policy.on_unavailable == _wish.FAIL or _is_typo(one, seen)
        elif one.shadowed:
            fails = policy.on_shadowed == _wish.FAIL
        else:
            continue
        (problems if fails else warnings).append(_wish.sentence(one.key, one.reason))
    return problems, warnings


def plan(wishes: t.Sequence[_wish.Wish], seen: _seen.SysctlSeen, policy: _wish.Policy) -> d.Plan:
    """Decisions and steps for sysctl keys. Nothing is written by this; problems forbid that anything is."""
    judge = _Judge(seen, policy)
    decisions = [judge.decide(wish) for wish in wishes]
    steps: t.List[d.Step] = list(_live_steps(seen, decisions) if policy.live else [])
    by_key = {wish.key: wish for wish in wishes}
    kept_steps, found, decisions = _kept(judge, decisions, by_key)
    steps.extend(kept_steps)
    problems, warnings = _verdict(decisions, policy, seen)
    problems.extend(_contradictions(decisions))
    for one in decisions:
        unsure = None if one.shadowed else doubt(one, found[0].reader)
        warnings.extend([_wish.sentence(one.key, unsure)] if unsure else [])
    line = _lines.undecodable(seen.own.data) if seen.own and seen.own.data else None
    if line:
        warnings.append("{0} line {1} is not UTF-8; it is kept byte for byte.".format(policy.sysctl_file, line))
    context = {key: _context(key, seen, found) for key in seen.live if key not in by_key}
    return d.Plan(settings=decisions, steps=steps, problems=problems, warnings=warnings, context=context)


def _context(key: str, seen: _seen.SysctlSeen, found: t.Sequence[_boot.BootTable]) -> d.Context:
    """What the host has of a key that is not asked for."""
    live = seen.live[key]
    shape = shape_of(key, live.text, "")
    state = boot_state([found[0].of(key)], shape, lambda boot: False)
    return d.Context(None if live.text is None else _values.tidy(live.text, shape), state, live.writable)
