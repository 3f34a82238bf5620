# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decides about sysctl keys: desired settings and facts become decisions and steps. Pure; private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages, _textfile
from .._core import bound as bounds
from .._core import plan as plans
from .._core import request as requests
from .._core import shape as shapes
from .._core import status as statuses
from .._core import steps as step_types
from . import availability, catalog, messages, write_model
from . import boot as boot_model
from . import dropin as sysctl_dropin
from . import facts as sysctl_facts
from . import names as sysctl_names
from . import readers as boot_readers
from . import values as sysctl_values

_PROGRAMS = {boot_readers.SYSTEMD: "systemd-sysctl", boot_readers.PROCPS: "sysctl --system"}


def shape_of(key: str, live: t.Optional[str], raw: t.Any) -> shapes.Shape:
    """The shape of a key: from the catalog, else from the live value, else from the requested value."""
    facts = catalog.find(key)
    if facts is not None:
        return facts.shape
    return sysctl_values.infer_shape(live) if live else sysctl_values.infer_shape_from_request(raw, live is not None)


def _parse_requested(desired: requests.SettingRequest, shape: shapes.Shape) -> str:
    """The text of a desired value. The numbers of a minimum or maximum are independent and need not ascend.

    :raises ValueProblem: when the key does not take the value.
    """
    if shape.ascending and desired.operator != bounds.VALUE:
        shape = shape._replace(ascending=False)
    return sysctl_values.parse(t.cast(shapes.Raw, desired.raw), shape)


def _normalized(text: t.Optional[str], shape: shapes.Shape) -> t.Optional[str]:
    return None if text is None else sysctl_values.normalize(text, shape)


class _Current(t.NamedTuple):
    """The current state of one key: its live value, and the value in our file."""

    shape: shapes.Shape
    live: t.Optional[str]
    file: t.Optional[str]


class _Decision(t.NamedTuple):
    """The decision about one desired value: the live value and our file, each before and after."""

    status: str
    reason: str
    live: t.Tuple[t.Optional[str], t.Optional[str]]
    file: t.Tuple[t.Optional[str], t.Optional[str]]


def _unchanged(status: str, reason: str, current: _Current) -> _Decision:
    return _Decision(status, reason, (current.live, current.live), (current.file, current.file))


class SysctlPlanner:
    """Decides each desired value; holds the facts that all decisions depend on."""

    def __init__(self, seen: sysctl_facts.SysctlFacts, policy: requests.Policy) -> None:
        managed_file = seen.own
        self._seen = seen
        self._policy = policy
        self.conf = sysctl_dropin.ConfFile(managed_file.data or b"") if managed_file else None
        self._facts = facts_of(seen)
        self._foreign_tables = self.tables(seen.boot.replaced(_own_paths(seen), b""))
        self.current_tables = self.tables(seen.boot)

    def tables(self, files: sysctl_facts.BootFiles) -> t.List[boot_model.BootTable]:
        """The effective values after boot, by each program that may read the files."""
        return files.tables(self._facts.live, self._facts)

    def plan_one(self, desired: requests.SettingRequest) -> plans.SettingDecision:
        """The decision about one desired value, without its value after boot."""
        live = self._seen.live[desired.key].text
        shape = shape_of(desired.key, live, desired.raw)
        entry = self.conf.get(desired.key) if self.conf else None
        current = _Current(shape, _normalized(live, shape), _normalized(entry, shape))
        if desired.operator == bounds.ABSENT:
            description, decision = desired.operator, self._absent(desired.key, current)
        else:
            description, decision = self._valued(desired, current)
        return plans.SettingDecision(
            desired.key,
            decision.status,
            description,
            decision.reason,
            decision.live,
            decision.file,
            shape=shape,
            note=desired.note,
            explanation=desired.explanation,
        )

    def _absent(self, key: str, current: _Current) -> _Decision:
        assigned = _normalized(self.conf.assigned(key) if self.conf else None, current.shape)
        status = statuses.OK if assigned is None else statuses.CHANGED
        return _Decision(status, "", (current.live, current.live), (assigned, None))

    def _valued(self, desired: requests.SettingRequest, current: _Current) -> t.Tuple[str, _Decision]:
        """The description of a desired value, and the decision about it."""
        try:
            text = self._text(desired, current)
        except _errors.ValueProblem as problem:
            # An unavailable key is reported as such even if the value is invalid.
            decision = self._unavailable(desired.key, current) or _unchanged(
                statuses.REFUSED, self._refusal(desired, problem, current.shape), current
            )
            return bounds.describe(desired.operator, str(desired.raw)), decision
        return bounds.describe(desired.operator, text), self._present(desired, text, current)

    def _text(self, desired: requests.SettingRequest, current: _Current) -> str:
        """The text of a desired value.

        :raises ValueProblem: when the key does not take the value.
        """
        operator, shape = desired.operator, current.shape
        if operator != bounds.VALUE and not shape.ordered:
            raise _errors.ValueProblem(messages.NOT_ORDERED(operator=operator))
        if self._is_action(desired.key) and self._policy.persist:
            raise _errors.ValueProblem(messages.ACTION_WITH_PERSIST())
        text = _parse_requested(desired, shape)
        is_bound = operator != bounds.VALUE and shape.ascending
        if is_bound and not sysctl_values.satisfies(operator, current.live, text, shape):
            # The combined value must be legal too.
            sysctl_values.parse(sysctl_values.stricter(operator, current.live, text, shape), shape)
        return text

    def _is_action(self, key: str) -> bool:
        facts, live = catalog.find(key), self._seen.live[key]
        return bool(facts and facts.action) or (live.exists and live.writable and not live.readable)

    @staticmethod
    def _refusal(desired: requests.SettingRequest, problem: _errors.ValueProblem, shape: shapes.Shape) -> str:
        facts = catalog.find(desired.key)
        if facts is not None and facts.action:
            return problem.message
        return _messages.with_legal(problem.message, catalog.legal(desired.key, shape))

    def _present(self, desired: requests.SettingRequest, text: str, current: _Current) -> _Decision:
        unavailable = self._unavailable(desired.key, current)
        if unavailable:
            return unavailable
        target = current.live
        if self._policy.live:
            target = self._target_live_value(desired, text, current)
            if current.live != target and not self._seen.live[desired.key].writable:
                status, reason = availability.unwritable(desired.key, self._seen)
                return _unchanged(status, reason, current)
        entry = self._target_entry(desired, text, current, target) if self._policy.persist else current.file
        if sysctl_values.equivalent(entry, current.file, current.shape):
            entry = current.file
        if self._is_action(desired.key):
            return _Decision(statuses.CHANGED, "", (None, text), (current.file, current.file))
        changes = current.live != target or current.file != entry
        status, reason = self._status_when_settable(desired, changes, current.live, entry)
        return _Decision(status, reason, (current.live, target), (current.file, entry))

    def _unavailable(self, key: str, current: _Current) -> t.Optional[_Decision]:
        """The decision about a key that cannot be set, if the request sets live values."""
        unavailable = availability.unavailable(key, self._seen) if self._policy.live else None
        return _unchanged(unavailable[0], unavailable[1], current) if unavailable else None

    @staticmethod
    def _target_live_value(desired: requests.SettingRequest, text: str, current: _Current) -> str:
        """The live value to set: the current one if the kernel rounds the desired value to it."""
        target = sysctl_values.stricter(desired.operator, current.live, text, current.shape)
        if current.live is not None and sysctl_values.matches_rounded(current.live, target, current.shape):
            return current.live
        return target

    def _target_entry(
        self, desired: requests.SettingRequest, text: str, current: _Current, target: t.Optional[str]
    ) -> t.Optional[str]:
        """The entry that our file needs so that the desired value holds after boot; None when it needs none.

        A minimum or maximum that holds after boot without an entry is not written: sysctl.d(5) has no "at least", and a pinned
        default would lower that of a newer kernel.
        """
        operator, shape = desired.operator, current.shape
        if operator == bounds.VALUE:
            return text

        def satisfied_by(value: t.Optional[str]) -> bool:
            return sysctl_values.satisfies(operator, value, text, shape)

        required = sysctl_values.stricter(operator, target, text, shape)
        if current.file is not None:
            return current.file if satisfied_by(current.file) else required
        configured = [table.effective(desired.key).value for table in self._foreign_tables]
        if any(value is not None for value in configured):
            return None if all(satisfied_by(value) for value in configured) else required
        facts = catalog.find(desired.key)
        if satisfied_by(current.live) and catalog.is_kernel_default(facts, str(current.live), self._seen.machine):
            return None
        return required

    def _status_when_settable(
        self, desired: requests.SettingRequest, changes: bool, live: t.Optional[str], entry: t.Optional[str]
    ) -> t.Tuple[str, str]:
        """Status and reason of a desired value that can be set."""
        if changes:
            return statuses.CHANGED, ""
        if desired.operator != bounds.VALUE and entry is None:
            boot = None if self._policy.live else self._foreign_tables[0].effective(desired.key).value
            if boot is None:
                return statuses.KEPT, messages.LIVE_SATISFIES(value=live)
            return statuses.KEPT, messages.BOOT_SATISFIES(value=boot)
        return statuses.OK, ""

    def with_boot_value(
        self,
        decision: plans.SettingDecision,
        tables: t.Sequence[boot_model.BootTable],
        desired_settings: t.Mapping[str, requests.SettingRequest],
    ) -> plans.SettingDecision:
        """The decision with the effective value of the key after boot.

        :param tables: the values after boot once our file has its new content, by each program that may read the files.
        """
        shape = decision.shape
        before = boots = [table.effective(decision.key) for table in self.current_tables]
        if tables is not self.current_tables:
            boots = [table.effective(decision.key) for table in tables]
        boot = boot_state(boots, shape, self._is_ours)
        decision = decision._replace(
            boot_before=boot if boots is before else boot_state(before, shape, self._is_ours),
            boot=boot,
            boot_others=boot_alternatives(tables, boots, shape),
        )
        return self._with_overriding_line(decision, tables, boots, desired_settings[decision.key])

    def _with_overriding_line(
        self,
        decision: plans.SettingDecision,
        tables: t.Sequence[boot_model.BootTable],
        boots: t.Sequence[boot_model.Boot],
        desired: requests.SettingRequest,
    ) -> plans.SettingDecision:
        """The decision, marked as shadowed if our entry does not make the desired value effective after boot."""
        shape, boot = decision.shape, decision.boot
        settable = decision.status in (statuses.OK, statuses.CHANGED) and desired.operator != bounds.ABSENT
        if decision.file[1] is None or not settable:
            return decision
        if boot.ours and len(tables) == 1 and boot.value == decision.file[1]:
            return decision
        text = _parse_requested(desired, shape)
        for table, effective in zip(tables, boots):
            value = _normalized(effective.value, shape)
            if not sysctl_values.satisfies(desired.operator, value, text, shape):
                reason = self._overridden(decision.key, effective._replace(value=value), table)
                return decision._replace(shadowed=True, reason=reason)
        return decision

    def file_step(
        self, decisions: t.Sequence[plans.SettingDecision], last: t.Sequence[str]
    ) -> t.Optional[step_types.WriteFile]:
        """The step that writes our file, if it changes.

        :param last: keys whose entries come after all others.
        """
        managed_file = self._seen.own
        changes = {
            decision.key: decision.file[1]
            for decision in decisions
            if decision.status == statuses.CHANGED and decision.file[0] != decision.file[1]
        }
        if managed_file is None or self.conf is None or not (changes or last):
            return None
        new: t.Optional[bytes] = self.conf.with_changes(changes, last)
        # A file that we created and that has no entry is removed. Behind a link it stays, or the link would dangle.
        if new == sysctl_dropin.HEADER and managed_file.real == managed_file.path:
            new = None
        if new == managed_file.data:
            return None
        return step_types.WriteFile(managed_file.path, managed_file.real, managed_file.data, new)

    def tables_after(self, step: step_types.WriteFile) -> t.List[boot_model.BootTable]:
        """The effective values after boot once our file has its new content."""
        return self.tables(_candidate(self._seen, step.after))

    def _is_ours(self, boot: boot_model.Boot) -> bool:
        managed_file = self._seen.own
        if managed_file is None or boot.file is None:
            return False
        return self._seen.reals.get(boot.file, managed_file.real) == managed_file.real

    def _overridden(self, key: str, boot: boot_model.Boot, table: boot_model.BootTable) -> str:
        """Why our entry for a key is not effective after boot."""
        path, program = self._policy.sysctl_file, _PROGRAMS[table.reader.name]
        if boot.value is not None and len(self.current_tables) == 1:
            return messages.OVERRIDDEN_AT_BOOT(winner=boot.winner, path=path, value=boot.value)
        if boot.value is not None:
            return messages.OVERRIDDEN_BY_PROGRAM(winner=boot.winner, path=path, value=boot.value, program=program)
        lines = table.lines_for(key)
        if not any(self._is_ours(boot._replace(file=line.file)) for line in lines):
            return messages.NOT_READ_AT_BOOT(path=path, program=program)
        if self._is_ours(boot._replace(file=lines[-1].file)):
            return messages.REJECTED_AT_BOOT(where=lines[-1].where)
        return messages.EXCLUDED_AT_BOOT(where=lines[-1].where, path=path)


def facts_of(seen: sysctl_facts.SysctlFacts) -> write_model.KernelModel:
    """The facts about the kernel that a boot starts: which keys exist, and what they take."""
    return write_model.KernelModel(
        live={sysctl_names.to_path(key): live.text for key, live in seen.live.items() if live.exists}
    )


def boot_state(
    boots: t.Sequence[boot_model.Boot], shape: shapes.Shape, is_ours: t.Callable[[boot_model.Boot], bool]
) -> plans.BootState:
    """The effective value of a key after boot by the likeliest program, which is the first."""
    return plans.BootState(_normalized(boots[0].value, shape), boots[0].winner, is_ours(boots[0]))


def boot_alternatives(
    tables: t.Sequence[boot_model.BootTable], boots: t.Sequence[boot_model.Boot], shape: shapes.Shape
) -> t.Sequence[plans.BootAlternative]:
    """The effective values by other programs, where they differ from the first."""
    if len(boots) == 1:
        return ()
    values = [_normalized(boot.value, shape) for boot in boots]
    return [
        plans.BootAlternative(str(table.reader), value, boot.winner)
        for table, boot, value in zip(tables, boots, values)
        if not sysctl_values.equivalent(value, values[0], shape)
    ]


def uncertainty(decision: plans.SettingDecision, reader: boot_readers.BootReader) -> t.Optional[str]:
    """A message if programs that may read the files give a key different values, or None."""
    if not decision.boot_others:
        return None
    likeliest = plans.BootAlternative(str(reader), decision.boot.value, str(decision.boot.winner))
    alternatives = [
        messages.BOOT_ALTERNATIVE(
            reader=alternative.reader, value=alternative.value or "no value", winner=alternative.winner
        )
        for alternative in [likeliest] + list(decision.boot_others)
    ]
    return messages.READER_UNKNOWN(alternatives=", ".join(alternatives))


def unmodelled(tables: t.Iterable[boot_model.BootTable]) -> t.List[str]:
    """A warning for each line that the boot model ignores."""
    lines = {line.where: line for table in tables for line in table.unmodelled()}
    return [messages.NOT_MODELLED(where=line.where, key=line.path) for line in lines.values()]


def _own_paths(seen: sysctl_facts.SysctlFacts) -> t.List[str]:
    """The paths at which our file is read; some may be links to it."""
    managed_file = seen.own
    return [] if managed_file is None else [path for path in seen.boot.data if seen.reals[path] == managed_file.real]


def _candidate(seen: sysctl_facts.SysctlFacts, after: t.Optional[bytes]) -> sysctl_facts.BootFiles:
    """The files that a boot reads once our file has its new content."""
    if seen.own is None:
        return seen.boot
    return seen.boot.replaced(dict.fromkeys(_own_paths(seen) + [seen.own.path]), after)


def _live_step(seen: sysctl_facts.SysctlFacts, key: str, after: str, shape: shapes.Shape) -> step_types.SetSysctl:
    side_effects = seen.beside.get(key, {})
    beside = tuple(
        (other, live.text, shape_of(other, live.text, ""))
        for other, live in side_effects.items()
        if live.text is not None
    )
    facts = catalog.find(key)
    action = bool(facts and facts.action) or not seen.live[key].readable
    return step_types.SetSysctl(key, seen.live[key].text, after, shape, beside, action)


def _live_steps(
    seen: sysctl_facts.SysctlFacts, decisions: t.Sequence[plans.SettingDecision]
) -> t.List[step_types.SetSysctl]:
    """The writes to the kernel, in an order in which none undoes another.

    A key that a write may change as a side effect follows that write, even if its current value is the desired one.
    """
    changed = {
        decision.key
        for decision in decisions
        if decision.status == statuses.CHANGED and decision.live[0] != decision.live[1]
    }
    touched = {other for key in changed for other in seen.beside.get(key, ())}
    steps = [
        _live_step(seen, decision.key, decision.live[1], decision.shape)
        for decision in decisions
        if decision.live[1] is not None and (decision.key in changed or decision.key in touched)
    ]
    by_key = {step.key: step for step in steps}
    start = by_key.get(catalog.FIRST_PORT)
    decreases = start is not None and int(start.after) < int(start.before or 0)
    return [by_key[key] for key in catalog.write_order(by_key, decreases)]


class _FilePlan(t.NamedTuple):
    """Our file after the change: the step (at most one), the values after boot, and the decisions with these values."""

    steps: t.List[step_types.Step]
    tables: t.Sequence[boot_model.BootTable]
    decisions: t.List[plans.SettingDecision]


def _plan_file(
    planner: SysctlPlanner,
    decisions: t.Sequence[plans.SettingDecision],
    desired_settings: t.Mapping[str, requests.SettingRequest],
) -> _FilePlan:
    """The new content of our file, with its entries in an order in which the kernel accepts them at boot.

    Existing entries keep their lines, and new ones follow. If the kernel would reject or undo an entry at boot because of another
    one, the entries that depend on others move to the end, in the first order that helps.
    """
    plan_in_place = _render_file(planner, decisions, desired_settings, ())
    ineffective = _ineffective_entries(plan_in_place)
    for decreases in (True, False) if ineffective else ():
        last = catalog.write_order([entry.key for entry in decisions if _depends_on_others(entry)], decreases)
        moved = _render_file(planner, decisions, desired_settings, last)
        remaining = _ineffective_entries(moved)
        if len(remaining) < len(ineffective):
            repaired = set(ineffective) - set(remaining)
            return moved._replace(
                decisions=[
                    _mark_moved(decision) if decision.key in repaired else decision for decision in moved.decisions
                ]
            )
    return plan_in_place


def _render_file(
    planner: SysctlPlanner,
    decisions: t.Sequence[plans.SettingDecision],
    desired_settings: t.Mapping[str, requests.SettingRequest],
    last: t.Sequence[str],
) -> _FilePlan:
    """The plan for our file with one order of its entries.

    :param last: keys whose entries come after all others.
    """
    step = planner.file_step(decisions, last)
    tables = planner.tables_after(step) if step else planner.current_tables
    return _FilePlan(
        [step] if step else [],
        tables,
        [planner.with_boot_value(decision, tables, desired_settings) for decision in decisions],
    )


def _depends_on_others(decision: plans.SettingDecision) -> bool:
    """Whether the effect of our entry at boot may depend on entries of other keys."""
    has_entry = decision.status in (statuses.OK, statuses.CHANGED) and decision.file[1] is not None
    if not has_entry or decision.wanted == bounds.ABSENT:
        return False
    return len(write_model.sources(sysctl_names.to_path(decision.key))) > 1


def _ineffective_entries(file_plan: _FilePlan) -> t.List[str]:
    """The keys whose entries have no effect at boot and may depend on other keys."""
    return [decision.key for decision in file_plan.decisions if decision.shadowed and _depends_on_others(decision)]


def _mark_moved(decision: plans.SettingDecision) -> plans.SettingDecision:
    if decision.status != statuses.OK:
        return decision
    return decision._replace(status=statuses.CHANGED, reason=messages.ENTRY_MOVED())


def _contradictions(decisions: t.Sequence[plans.SettingDecision]) -> t.List[str]:
    """A problem for each pair of requests that the kernel cannot satisfy together."""
    requested = {
        decision.key: decision
        for decision in decisions
        if decision.status in (statuses.OK, statuses.CHANGED, statuses.KEPT) and decision.wanted != bounds.ABSENT
    }
    problems: t.List[str] = []
    for key, decision in requested.items():
        exclusive, alias = catalog.exclusive_with(key), catalog.alias_of(key)
        if exclusive in requested and key < str(exclusive):
            problems.append(messages.EXCLUSIVE_KEYS(key=key, other=exclusive))
        elif alias in requested and key < str(alias) and requested[str(alias)].wanted != decision.wanted:
            problems.append(messages.ALIASED_KEYS(key=key, other=alias))
    return problems


def _is_typo(decision: plans.SettingDecision, seen: sysctl_facts.SysctlFacts) -> bool:
    """Whether the key is probably misspelled: it is not in the catalog, and no network interface is missing."""
    return (
        decision.status == statuses.UNKNOWN
        and not catalog.find(decision.key)
        and availability.missing_interface(decision.key, seen) is None
    )


def _verdict(
    decisions: t.Sequence[plans.SettingDecision], policy: requests.Policy, seen: sysctl_facts.SysctlFacts
) -> t.Tuple[t.List[str], t.List[str]]:
    """The problems and the warnings that follow from the decisions and the policy."""
    problems: t.List[str] = []
    warnings: t.List[str] = []
    for decision in decisions:
        if decision.status == statuses.REFUSED:
            fails = True
        elif decision.status in statuses.UNAVAILABLE and policy.on_unavailable != requests.SKIP:
            fails = policy.on_unavailable == requests.FAIL or _is_typo(decision, seen)
        elif decision.shadowed:
            fails = policy.on_shadowed == requests.FAIL
        else:
            continue
        (problems if fails else warnings).append(_messages.about(decision.key, decision.reason))
    return problems, warnings


def _file_warnings(file_plan: _FilePlan, seen: sysctl_facts.SysctlFacts, policy: requests.Policy) -> t.List[str]:
    """The warnings about files: programs that disagree, lines that are not modelled, bytes that are no text."""
    warnings: t.List[str] = []
    for decision in file_plan.decisions:
        message = None if decision.shadowed else uncertainty(decision, file_plan.tables[0].reader)
        warnings.extend([_messages.about(decision.key, message)] if message else [])
    warnings.extend(unmodelled(file_plan.tables))
    line = _textfile.undecodable(seen.own.data) if seen.own and seen.own.data else None
    if line:
        warnings.append(messages.LINE_NOT_UTF8(path=policy.sysctl_file, line=line))
    return warnings


def plan(
    desired_settings: t.Sequence[requests.SettingRequest], seen: sysctl_facts.SysctlFacts, policy: requests.Policy
) -> plans.Plan:
    """Decisions and steps for sysctl keys. Writes nothing. A plan with problems must not be applied."""
    planner = SysctlPlanner(seen, policy)
    decisions = [planner.plan_one(desired) for desired in desired_settings]
    steps: t.List[step_types.Step] = list(_live_steps(seen, decisions) if policy.live else [])
    by_key = {desired.key: desired for desired in desired_settings}
    file_plan = _plan_file(planner, decisions, by_key)
    problems, warnings = _verdict(file_plan.decisions, policy, seen)
    return plans.Plan(
        settings=file_plan.decisions,
        steps=steps + file_plan.steps,
        problems=problems + _contradictions(file_plan.decisions),
        warnings=warnings + _file_warnings(file_plan, seen, policy),
        context={key: _context(key, seen, file_plan.tables[0]) for key in seen.live if key not in by_key},
    )


def _context(key: str, seen: sysctl_facts.SysctlFacts, table: boot_model.BootTable) -> plans.Context:
    """The state of a key that the request does not set."""
    live = seen.live[key]
    shape = shape_of(key, live.text, "")
    state = boot_state([table.effective(key)], shape, lambda boot: False)
    return plans.Context(_normalized(live.text, shape), state, live.writable)
