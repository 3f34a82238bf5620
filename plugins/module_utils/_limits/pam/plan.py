# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to do about limits: desired_limits and what the host shows -> decisions and steps. Pure; private to ``tunefleet.linux``."""

import typing as t

from ... import _messages, _textfile
from ..._core import bound as bounds
from ..._core import limit as limit_types
from ..._core import plan as plans
from ..._core import request as requests
from ..._core import status as statuses
from ..._core import steps as step_types
from .. import items
from . import dropin as pam_dropin
from . import facts as pam_facts
from . import guard, messages
from . import notes as pam_notes
from . import precedence as pam_precedence
from . import variant as pam_variant

Number = t.Optional[limit_types.Number]


def _meets(bound: bounds.Bound, have: Number) -> bool:
    if have is None:
        return False
    if bound.operator == bounds.AT_LEAST:
        return items.rank(have) >= items.rank(bound.value)
    return items.rank(have) <= items.rank(bound.value)


def _stronger(bound: bounds.Bound, have: Number) -> limit_types.Number:
    if have is None or not _meets(bound, have):
        return bound.value
    return have


class PamPlanner:
    """Decides desired by desired; holds what all of them are measured against."""

    def __init__(self, seen: pam_facts.PamFacts, policy: requests.Policy, nr_open: t.Optional[int]) -> None:
        self._seen = seen
        self._policy = policy
        self._nr_open = nr_open
        self._path = seen.own.path if seen.own else ""
        self.conf = pam_dropin.ConfFile((seen.own.data if seen.own else None) or b"", pam_variant.editing(seen.variant))
        self._rules = pam_precedence.placed_rules(seen.files, seen.variant)

    def decide(self, desired: requests.LimitRequest) -> plans.LimitDecision:
        """The decision about one desired, before it is known which rules win."""
        configured = self.conf.get(desired.target, desired.item)
        entry = limit_types.Limit(
            self._entry(desired, desired.soft, configured.soft, self._has(desired, "soft"), None),
            self._entry(
                desired,
                desired.hard,
                configured.hard,
                self._has(desired, "hard"),
                self._seen.ceiling.get(desired.item, limit_types.Limit()).hard,
            ),
        )
        decision = plans.LimitDecision(
            desired.target,
            desired.item,
            statuses.OK,
            (_text(desired.soft), _text(desired.hard)),
            before=configured,
            after=entry,
            note=desired.note,
        )
        objection = self._objection(desired, configured, entry)
        if objection:
            return decision._replace(status=objection[0], reason=objection[1], after=configured)
        if self.conf.says(change_of(desired, entry)) or entry == limit_types.Limit() == configured:
            return self._unchanged(desired, decision)
        return decision._replace(status=statuses.CHANGED)

    @staticmethod
    def _unchanged(desired: requests.LimitRequest, decision: plans.LimitDecision) -> plans.LimitDecision:
        operators = [bound.operator for bound in (desired.soft, desired.hard) if bound is not None]
        if decision.after == limit_types.Limit() and bounds.ABSENT not in operators:
            return decision._replace(status=statuses.KEPT, reason=messages.SESSIONS_SATISFY())
        return decision

    def _choice(
        self, desired: requests.LimitRequest, rules: t.Sequence[pam_precedence.Placed]
    ) -> pam_precedence.Choice:
        """The rules that decide for whom a desired names: a user is looked for in all of them, a group shares those for everybody."""
        user = self._seen.users.get(desired.target)
        if user is not None:
            return pam_precedence.for_user(rules, user, desired.item, self._seen.variant.star_excludes_root)
        choice = pam_precedence.for_domain(rules, desired.target, desired.item)
        if desired.target == "*" or desired.target.startswith("%"):
            return choice
        everybody = pam_precedence.for_domain(rules, "*", desired.item)
        return choice._replace(soft=choice.soft or everybody.soft, hard=choice.hard or everybody.hard)

    def _has(self, desired: requests.LimitRequest, half: str) -> Number:
        """What a new session of the domain has, from a rule of any file or from the processes that start sessions."""
        choice = self._choice(desired, self._rules)
        placed = choice.soft if half == "soft" else choice.hard
        if placed is not None and choice.exempt is None:
            return placed.rule.value
        return (
            None
            if desired.file_only
            else t.cast(Number, getattr(self._seen.base.get(desired.item, limit_types.Limit()), half))
        )

    @staticmethod
    def _entry(
        desired: requests.LimitRequest,
        bound: t.Optional[bounds.Bound],
        configured: Number,
        have: Number,
        ceiling: Number,
    ) -> Number:
        """The entry that our file needs for one half; None when it needs none.

        :param ceiling: what process 1 has: a hard limit below it would lower that of sessions which start from there.
        """
        if bound is None:
            return configured
        if bound.operator == bounds.ABSENT:
            return None
        if bound.operator == bounds.VALUE:
            return bound.value
        if desired.file_only:
            return _stronger(bound, configured)
        if _meets(bound, have):
            return configured
        return _stronger(bound, ceiling if bound.operator == bounds.AT_LEAST else None)

    def _objection(
        self, desired: requests.LimitRequest, configured: limit_types.Limit, entry: limit_types.Limit
    ) -> t.Optional[t.Tuple[str, str]]:
        """Status and reason when an entry must not or cannot be written."""
        since = self._seen.variant.lacks(desired.item)
        if since and self._seen.variant.installed and entry != limit_types.Limit():
            return statuses.NO_EFFECT, messages.ITEM_TOO_NEW(item=desired.item, release=since)
        new = limit_types.Limit(*[None if value == old else value for value, old in zip(entry, configured)])
        if self._policy.guard == requests.REFUSE:
            found = guard.rejections(desired.item, new, self._facts(desired)) + self._beyond_daemon(
                desired.item, new, False
            )
            if found:
                return statuses.REFUSED, found[0]
            unreachable = self._unreachable(desired.item, new)
            if unreachable:
                return statuses.NOT_NAMESPACED, unreachable
        hard = entry.hard if entry.hard is not None else self._has(desired, "hard")
        if desired.soft and entry.soft is not None and hard is not None and items.rank(entry.soft) > items.rank(hard):
            return (
                statuses.REFUSED,
                messages.SOFT_ABOVE_RULE(soft=entry.soft, hard=hard),
            )
        return None

    def _unreachable(self, item: str, new: limit_types.Limit) -> str:
        """Why sessions here can never have the limit, or nothing.

        setrlimit(2) would refuse it, and where pam_limits is not patched as in Debian that ends every login.
        """
        ceiling = self._seen.ceiling.get(item, limit_types.Limit()).hard
        highest = max([items.rank(value) for value in new if value is not None] or [0])
        if self._seen.may_raise or ceiling is None or highest <= items.rank(ceiling):
            return ""
        return messages.CONTAINER_CEILING(hard=ceiling)

    def _beyond_daemon(self, item: str, new: limit_types.Limit, forgiven: bool) -> t.List[str]:
        """What comes of a hard limit that a daemon cannot give its sessions: nothing, or no session at all.

        :param forgiven: which of the two to report.
        """
        if not self._seen.may_raise or self._seen.variant.ignores_setrlimit_errors != forgiven:
            return []
        highest = max([items.rank(value) for value in new if value is not None] or [0])
        end = "are not bound by it" if forgiven else "would all be refused, root's too"
        return [
            "rule raise: {0} (process {1}) lacks CAP_SYS_RESOURCE and has {2}, so its sessions {3}; "
            "ask for {2} at the most, or give it that capability.".format(
                daemon.name, daemon.pid, daemon.limits[item].hard, end
            )
            for daemon in self._seen.daemons
            if not daemon.may_raise
            and item in daemon.limits
            and highest > items.rank(t.cast(limit_types.Number, daemon.limits[item].hard))
        ]

    def _facts(self, desired: requests.LimitRequest) -> guard.GuardContext:
        return pam_notes.guard_context(desired, self._seen, self._nr_open)

    def warnings(self, desired: requests.LimitRequest, decision: plans.LimitDecision) -> t.List[str]:
        """Warnings about an entry that is written: what the guard ignores by request, and what it does not reject."""
        if decision.status != statuses.CHANGED:
            return []
        found = guard.warnings(desired.item, decision.after, self._facts(desired))
        found += self._beyond_daemon(desired.item, decision.after, True)
        if self._policy.guard == requests.WARN:
            found += guard.rejections(desired.item, decision.after, self._facts(desired))
            found += self._beyond_daemon(desired.item, decision.after, False)
            found += [self._unreachable(desired.item, decision.after)]
        return [_messages.about("Limit " + desired.name, text) for text in found if text]

    def in_force(
        self, desired: requests.LimitRequest, decision: plans.LimitDecision, rules: t.Sequence[pam_precedence.Placed]
    ) -> plans.LimitDecision:
        """The decision with what a new session of the domain will have, and the rule that overrides ours."""
        choice = self._choice(desired, rules)
        base = self._seen.base.get(desired.item, limit_types.Limit())
        # What the kernel would refuse is left as it was.
        limit, _refused = pam_precedence.session(
            choice, desired.item, base, base, True, self._nr_open, self._seen.variant
        )
        decision = decision._replace(effective=limit, notes=pam_notes.notes_for(desired, self._seen, rules))
        if decision.status not in (statuses.OK, statuses.CHANGED):
            return decision
        winner = self._overriding(desired, decision, choice)
        return decision._replace(shadowed_by=winner, reason=messages.OVERRIDDEN_BY(rule=winner)) if winner else decision

    def _overriding(
        self, desired: requests.LimitRequest, decision: plans.LimitDecision, choice: pam_precedence.Choice
    ) -> t.Optional[str]:
        if choice.exempt is not None:
            return choice.exempt.where
        for bound, entry, placed in (
            (desired.soft, decision.after.soft, choice.soft),
            (desired.hard, decision.after.hard, choice.hard),
        ):
            ours = placed is not None and placed.file == self._path and placed.rule.domain == desired.target
            if bound is None or entry is None or placed is None or ours:
                continue
            met = (
                placed.rule.value == bound.value if bound.operator == bounds.VALUE else _meets(bound, placed.rule.value)
            )
            if not met:
                return placed.where
        return None


def _text(bound: t.Optional[bounds.Bound]) -> t.Optional[str]:
    return None if bound is None else bounds.with_explanation(str(bound), bound.explanation)


def change_of(desired: requests.LimitRequest, entry: limit_types.Limit) -> pam_dropin.Change:
    """The desired lines of our file for a request."""
    return pam_dropin.Change(desired.target, desired.item, entry, desired.joined, desired.comment)


def candidate(seen: pam_facts.PamFacts, after: t.Optional[bytes]) -> t.Sequence[t.Tuple[str, bytes]]:
    """The files that pam_limits reads once our file has its new bytes."""
    if seen.own is None:
        return seen.files
    data = dict(seen.files)
    data[seen.own.path] = after or b""
    # A limits.conf in /etc takes the place of the vendor's, and a file of that name in limits.d too.
    main = (
        pam_precedence.MAIN_FILE
        if pam_precedence.MAIN_FILE in data
        else seen.files[0][0]
        if seen.files
        else pam_precedence.MAIN_FILE
    )
    listing: t.Dict[str, t.List[str]] = {pam_precedence.DIRECTORY: []}
    for path in data:
        directory, _slash, name = path.rpartition("/")
        if directory.endswith("/limits.d"):
            listing.setdefault(directory, []).append(name)
    return [(path, data[path]) for path in [main] + pam_precedence.merged(listing) if path in data]


def files_after(seen: pam_facts.PamFacts, planned: plans.Plan) -> t.Sequence[t.Tuple[str, bytes]]:
    """The files that pam_limits reads once a plan is carried out."""
    steps = [
        step
        for step in planned.steps
        if isinstance(step, step_types.WriteFile) and seen.own and step.path == seen.own.path
    ]
    return candidate(seen, steps[0].after) if steps else seen.files


def nofile_rules(seen: pam_facts.PamFacts, planned: plans.Plan) -> t.List[plans.NofileRule]:
    """The limits of open files that there are once a plan is carried out.

    Those of services are checked if fs.nr_open is about to change: systemd sets them again at each start.
    """
    found = [
        plans.NofileRule(placed.rule.value, placed.where, "logins would fail")
        for placed in pam_precedence.placed_rules(files_after(seen, planned), seen.variant)
        # The word follows fs.nr_open since 1.5.2, and was refused at any value before.
        if placed.rule.item == "nofile" and isinstance(placed.rule.value, int)
    ]
    # What the same request asks of a unit is measured by itself.
    planned_units = {
        limit.target for limit in planned.limits if limit.kind == limit_types.UNIT and limit.item == "nofile"
    }
    found += [
        plans.NofileRule(value, where, "{0} could not start again".format(name))
        for name, where, value in seen.units
        if name not in planned_units
    ]
    if seen.service:
        name, value = seen.service
        found.append(plans.NofileRule(value, "service {0}".format(name), "it could not start again"))
    return found


def _unreadable(path: str) -> t.List[str]:
    """A problem when a file is put where pam_limits passes it over."""
    directory, _slash, name = path.rpartition("/")
    if directory == pam_precedence.DIRECTORY and pam_precedence.reading_order([name]) == [pam_precedence.MAIN_FILE]:
        return [messages.NAME_IGNORED(path=path)]
    return []


def _about_file(path: str, data: t.Optional[bytes]) -> t.List[str]:
    """Warnings about the file that keeps our rules."""
    found: t.List[str] = []
    if path != pam_precedence.MAIN_FILE and path.rpartition("/")[0] != pam_precedence.DIRECTORY:
        found.append(
            messages.FILE_IGNORED(path=path, main=pam_precedence.MAIN_FILE, directory=pam_precedence.DIRECTORY)
        )
    line = _textfile.undecodable(data) if data else None
    if line:
        found.append(messages.LINE_NOT_UTF8(path=path, line=line))
    return found


def _verdict(decisions: t.Sequence[plans.LimitDecision], policy: requests.Policy) -> t.Tuple[t.List[str], t.List[str]]:
    """Problems and warnings that the policy makes of the decisions."""
    problems: t.List[str] = []
    warnings: t.List[str] = []
    for decision in decisions:
        text = _messages.about("Limit " + decision.name, decision.reason)
        if decision.status == statuses.REFUSED:
            problems.append(text)
        elif decision.status in statuses.UNAVAILABLE and policy.on_unavailable != requests.SKIP:
            (problems if policy.on_unavailable == requests.FAIL else warnings).append(text)
        elif decision.shadowed_by:
            (problems if policy.on_shadowed == requests.FAIL else warnings).append(text)
    return problems, warnings


def plan(
    desired_limits: t.Sequence[requests.LimitRequest],
    seen: pam_facts.PamFacts,
    policy: requests.Policy,
    nr_open: t.Optional[int],
) -> plans.Plan:
    """Decisions and steps for limits. Nothing is written by this; problems forbid that anything is.

    :param nr_open: what fs.nr_open will be once the rest of the request is carried out.
    """
    planner = PamPlanner(seen, policy, nr_open)
    decisions = [planner.decide(desired) for desired in desired_limits]
    changes = [
        change_of(desired, decision.after)
        for desired, decision in zip(desired_limits, decisions)
        if decision.status == statuses.CHANGED
    ]
    own = seen.own
    after = own.data if own else None
    if changes:
        after = planner.conf.with_changes(changes)
        # Nothing of ours is left in a file that we made. Behind a link it stays: before Linux-PAM 1.5.3 a link that leads nowhere
        # ends every login, and so does a limits.conf that is missing.
        if own is not None and own.real == own.path != pam_precedence.MAIN_FILE and after == pam_dropin.HEADER:
            after = None
    steps: t.List[step_types.Step] = []
    if own is not None and after != own.data:
        steps.append(step_types.WriteFile(own.path, own.real, own.data, after))
    rules = pam_precedence.placed_rules(candidate(seen, after), seen.variant)
    decisions = [planner.in_force(desired, decision, rules) for desired, decision in zip(desired_limits, decisions)]
    problems, warnings = _verdict(decisions, policy)
    problems.extend(_unreadable(own.path) if own else [])
    for desired, decision in zip(desired_limits, decisions):
        warnings.extend(planner.warnings(desired, decision))
    warnings.extend(_about_file(own.path, own.data) if own else [])
    warnings.extend(pam_notes.about_files(seen) if desired_limits else [])
    # True of every run, but reported only if the request expects an effect.
    warnings.extend(pam_notes.ineffective(seen) if steps and seen.variant.installed else [])
    warnings.extend(pam_notes.odd_order(own.path, [path for path, _data in seen.files]) if own and steps else [])
    return plans.Plan(
        limits=decisions, steps=steps, problems=problems, warnings=warnings, needs=_needs(seen) if steps else []
    )


def _needs(seen: pam_facts.PamFacts) -> t.List[str]:
    """What has to happen before new rules bind; a user manager that lingers does not end with the last session."""
    return ["new_session"] + ["restart:user@{0}.service".format(seen.users[name].uid) for name in seen.lingering]
