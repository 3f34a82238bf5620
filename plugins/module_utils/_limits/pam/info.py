# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What sessions get, and why, for the module that only reads. Private: not for use outside of ``tunefleet.linux``."""

import typing as t

from ... import _errors
from ..._core import limit as limit_types
from ..._core import result as results
from ..._core import status as statuses
from .. import items
from . import facts as pam_facts
from . import messages
from . import notes as pam_notes
from . import precedence as pam_precedence
from . import stack as pam_stack
from . import variant as pam_variant

if t.TYPE_CHECKING:
    from ..._host import host as hosts


# What starts the sessions of a service; the others are started by their caller, or by process 1.
_DAEMONS = {"sshd": "sshd", "cron": "cron", "crond": "crond", "atd": "atd"}
_CALLED = frozenset(["su", "su-l", "sudo", "sudo-i", "runuser", "runuser-l"])


def _where(placed: t.Optional[pam_precedence.Placed]) -> t.Optional[str]:
    return placed.where if placed else None


def _halves(limit: limit_types.Limit) -> results.Result:
    return {"soft": limit.soft, "hard": limit.hard}


def _entry(
    target: t.Mapping[str, str], item: str, choice: pam_precedence.Choice, seen: pam_facts.PamFacts
) -> results.Result:
    """What a new session gets, and the lines that decide."""
    base = seen.base.get(item, limit_types.Limit())
    limit, refused = pam_precedence.session(choice, item, base, base, True, seen.nr_open, seen.variant)
    reason = messages.EXEMPT_FROM_ALL(rule=choice.exempt.where) if choice.exempt else None
    if refused:
        ignored = seen.variant.ignores_setrlimit_errors
        reason = messages.RULES_IGNORED() if ignored else messages.RULES_END_THE_SESSION()
    return {
        "target": dict(target),
        "item": item,
        "status": statuses.OK,
        "reason": reason,
        "effective": _halves(limit),
        "rule": {"soft": _where(choice.soft), "hard": _where(choice.hard)},
    }


def limits(host: "hosts.Host", users: t.Optional[t.Sequence[str]]) -> results.Result:
    """What new sessions of users get, or, without users, what each domain that has a rule is given.

    :raises TuneError: when there is no such user, or a file cannot be read.
    """
    seen = pam_facts.gather(host, None)
    rules = pam_precedence.placed_rules(seen.files, seen.variant)
    if users:
        found = [entry for name in users for entry in _of_user(host, name, rules, seen)]
    else:
        pairs = sorted({(rule.rule.domain, rule.rule.item) for rule in rules if rule.rule.item in items.ITEMS})
        found = [
            _entry({"domain": domain}, item, pam_precedence.for_domain(rules, domain, item), seen)
            for domain, item in pairs
        ]
    notes = [note for name in users or () for note in _locked_in(host, name, rules, seen)]
    return {"limits": found, "notes": notes + pam_notes.ineffective(seen) + pam_notes.about_files(seen)}


def _locked_in(
    host: "hosts.Host", name: str, rules: t.Sequence[pam_precedence.Placed], seen: pam_facts.PamFacts
) -> t.List[str]:
    """A sentence where a session sees nothing but one directory, which is no limit but is kept in the same files."""
    user = t.cast(pam_precedence.User, pam_facts.user(host, name))
    choice = pam_precedence.for_user(rules, user, items.CHROOT, seen.variant.star_excludes_root)
    if choice.exempt is not None or choice.soft is None:
        return []
    path = str(choice.soft.rule.value)
    end = "" if host.exists(path) else ", which is not there, so they are refused"
    return ["{0} locks sessions of {1} into {2}{3}.".format(choice.soft.where, name, path, end)]


def _of_user(
    host: "hosts.Host", name: str, rules: t.Sequence[pam_precedence.Placed], seen: pam_facts.PamFacts
) -> t.List[results.Result]:
    user = pam_facts.user(host, name)
    if user is None:
        raise _errors.TuneError(messages.NO_SUCH_USER(user=name))
    found = []
    for item in sorted(set(seen.base) | {placed.rule.item for placed in rules} & set(items.ITEMS)):
        choice = pam_precedence.for_user(rules, user, item, seen.variant.star_excludes_root)
        services = {stack.service: _of_service(stack, user, item, rules, seen) for stack in seen.stacks}
        found.append(dict(_entry({"user": name}, item, choice, seen), services=services))
    return found


def _of_service(
    stack: pam_stack.Stack,
    user: pam_precedence.User,
    item: str,
    rules: t.Sequence[pam_precedence.Placed],
    seen: pam_facts.PamFacts,
) -> results.Result:
    """What a session gets that a service opens, which layer set it last, and what else to know."""
    daemon = next((entry for entry in seen.daemons if entry.name == _DAEMONS.get(stack.service)), None)
    before = daemon.limits.get(item, limit_types.Limit()) if daemon else seen.base.get(item, limit_types.Limit())
    may_raise = daemon.may_raise if daemon else seen.may_raise
    source = _source(stack.service, daemon)
    if stack.broken:
        text = messages.SESSION_REFUSED_INCLUDE_MISSING(file=stack.broken)
        return dict(_halves(before), set_by={"soft": source, "hard": source}, note=text)
    unasked = _unasked(stack, seen)
    if unasked:
        return dict(_halves(before), set_by={"soft": source, "hard": source}, note=unasked)
    variant = pam_variant.arguments(seen.variant, stack.arguments)
    note = messages.MAY_SKIP_PAM_LIMITS(rule=stack.doubt) if stack.doubt else None
    if stack.conf is not None:
        if stack.conf not in seen.conf:
            note = messages.CONF_MISSING(path=stack.conf, rule=stack.limits[-1].where)
        rules = pam_precedence.placed_rules([(stack.conf, seen.conf.get(stack.conf, b""))], variant)
    choice = pam_precedence.for_user(rules, user, item, variant.star_excludes_root)
    start = pam_precedence.start({item: before}, seen.ceiling, variant).get(item, before)
    limit, refused = pam_precedence.session(choice, item, before, start, may_raise, seen.nr_open, variant)
    if refused:
        note = messages.RULES_IGNORED() if variant.ignores_setrlimit_errors else messages.RULES_END_THE_SESSION()
    if choice.exempt is not None:
        note = messages.EXEMPT_FROM_ALL(rule=choice.exempt.where)
    fallback = source if refused or choice.exempt or start == before else "process 1, from where pam_limits starts here"
    placed = pam_precedence.Choice() if refused or choice.exempt else choice
    by = {"soft": _by(placed.soft, limit.soft, fallback), "hard": _by(placed.hard, limit.hard, fallback)}
    return dict(_halves(limit), set_by=by, note=note)


# A user whom only rules for everyone match: login.defs(5), UID_MAX.
_GENERIC_USER = pam_precedence.User("", 60001, 60001, {})


def of_user_managers(
    seen: pam_facts.PamFacts, files: pam_facts.Files, items: t.Iterable[str]
) -> t.Dict[str, t.Tuple[limit_types.Number, str]]:
    """The hard limits of the systemd managers of users whom no rule names of its own, and which layer set each.

    :param files: limits files, as they are or as they will be.
    """
    stack = next((entry for entry in seen.stacks if entry.service == "systemd-user"), None)
    stack = stack or pam_stack.Stack("systemd-user", "", ())
    rules = pam_precedence.placed_rules(files, seen.variant)
    found = {item: _of_service(stack, _GENERIC_USER, item, rules, seen) for item in items}
    return {
        item: (candidate["hard"], candidate["set_by"]["hard"])
        for item, candidate in found.items()
        if candidate["hard"] is not None
    }


def _by(placed: t.Optional[pam_precedence.Placed], value: t.Optional[limit_types.Number], fallback: str) -> str:
    """The layer that set a half."""
    if placed is None:
        return fallback
    asked = placed.rule.value
    cut = value is not None and asked != value and asked != limit_types.UNLIMITED
    return placed.where + (", cut to the hard limit" if cut else "")


def _source(service: str, daemon: t.Optional[pam_facts.Daemon]) -> str:
    """Who has the limits that a session begins with."""
    if daemon is not None:
        return "{0} (process {1})".format(daemon.name, daemon.pid)
    return "whoever calls {0}".format(service) if service in _CALLED else "process 1"


def _unasked(stack: pam_stack.Stack, seen: pam_facts.PamFacts) -> str:
    """Why pam_limits has no say in sessions of a service, or nothing."""
    if not seen.variant.installed:
        return messages.NO_PAM_LIMITS_HERE()
    if stack.service == "sshd" and seen.use_pam[0] is False:
        return messages.SSHD_WITHOUT_PAM(rule=seen.use_pam[1])
    return "" if stack.limits else messages.STACK_WITHOUT_PAM_LIMITS(path=stack.path)
