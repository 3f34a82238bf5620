# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to know about a rule of limits.conf(5) on this host, beyond its numbers. Pure; private to ``tunefleet.linux``."""

import re
import typing as t

from ..._core import request as requests
from . import facts as pam_facts
from . import guard, messages
from . import precedence as pam_precedence
from . import stack as pam_stack

_NO_LOGIN = ("nologin", "false", "sync", "halt", "shutdown")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MOST = 3


def logs_in(name: str, seen: pam_facts.PamFacts) -> bool:
    """Whether a user may log in, judging by the shell; a user who does not exist yet may."""
    shell = seen.shells.get(name, "")
    return shell.rpartition("/")[2] not in _NO_LOGIN


def guard_context(
    desired: requests.LimitRequest, seen: pam_facts.PamFacts, nr_open: t.Optional[int]
) -> guard.GuardContext:
    """What the guard measures the limit of a domain against."""
    user, star_excludes_root = seen.users.get(desired.target), seen.variant.star_excludes_root
    bound = [
        (count, entry.name)
        for entry, count in seen.busy
        if pam_precedence.strength(desired.target, entry, star_excludes_root)
    ]
    sudo = desired.target[:1] not in ("@", "%") and (desired.target == "*" or ":" in desired.target)
    if user is not None:
        sudo = bool(guard.SUDO_GROUPS & set(user.groups.values()))
    elif desired.target.startswith("@"):
        sudo = ":" in desired.target or desired.target[1:] in guard.SUDO_GROUPS
    return guard.GuardContext(
        nr_open, seen.variant, logs_in(desired.target, seen), sudo, (max(bound)[1], max(bound)[0]) if bound else None
    )


def notes_for(
    desired: requests.LimitRequest, seen: pam_facts.PamFacts, rules: t.Sequence[pam_precedence.Placed]
) -> t.List[str]:
    """Notes about one rule, one sentence each."""
    return (
        _about_domain(desired, seen)
        + _about_root(desired, seen, rules)
        + _overriding_rules(desired, seen, rules)
        + ineffective(seen)
    )


def _about_domain(desired: requests.LimitRequest, seen: pam_facts.PamFacts) -> t.List[str]:
    domain = desired.target
    found: t.List[str] = []
    if re.match(r"^[0-9]+$", domain):
        found.append(messages.DOMAIN_IS_A_USER_NAME(domain=domain))
    elif re.match(r"^:[0-9]+$", domain):
        found.append(messages.DOMAIN_IS_ONE_ID(domain=domain, uid=domain[1:]))
    elif re.match(r"^@[0-9]+:", domain):
        found.append(messages.PRIMARY_GROUPS_ONLY(domain=domain))
    elif re.match(r"^@[0-9]+$", domain):
        found.append(messages.DOMAIN_IS_A_GROUP_NAME(domain=domain, gid=domain[1:]))
    elif not re.search(r"[@%*:]", domain):
        if domain not in seen.users:
            found.append(messages.USER_MISSING(user=domain))
        elif not logs_in(domain, seen):
            found.append(messages.SERVICES_DO_NOT_READ_IT(user=domain))
    if desired.item == "nproc" and seen.users.get(domain, pam_precedence.User("", 1, 1, {})).uid == 0:
        found.append(messages.NPROC_OF_ROOT())
    return found


def _about_root(
    desired: requests.LimitRequest, seen: pam_facts.PamFacts, rules: t.Sequence[pam_precedence.Placed]
) -> t.List[str]:
    """Whether a rule for everybody includes root, which differs between distributions."""
    if desired.target != "*" or not seen.variant.installed:
        return []
    root = pam_precedence.User("root", 0, 0, {0: "root"})
    choice = pam_precedence.for_user(rules, root, desired.item, seen.variant.star_excludes_root)
    if seen.variant.star_excludes_root:
        if choice.soft or choice.hard:
            return []
        return [messages.STAR_EXCLUDES_ROOT()]
    return [messages.STAR_INCLUDES_ROOT()]


def _overriding_rules(
    desired: requests.LimitRequest, seen: pam_facts.PamFacts, rules: t.Sequence[pam_precedence.Placed]
) -> t.List[str]:
    """More specific rules for users whom our rule matches as well."""
    if not (desired.target == "*" or desired.target.startswith("@")):
        return []
    others = [
        placed
        for placed in rules
        if placed.rule.domain != desired.target
        and (placed.rule.item == desired.item or placed.rule.exempts)
        and placed.rule.domain != "*"
        and not placed.rule.domain.startswith("%")
        and not (desired.target.startswith("@") and placed.rule.domain.startswith("@"))
    ]
    text = [
        "{0} by {1}".format(placed.rule.domain, placed.where)
        if not placed.rule.exempts
        else "{0}, exempt by {1}".format(placed.rule.domain, placed.where)
        for placed in others
    ]
    if not text:
        return []
    more = " and {0} more".format(len(text) - _MOST) if len(text) > _MOST else ""
    return [messages.OVERRIDDEN_FOR(users="; ".join(text[:_MOST]), more=more)]


def ineffective(seen: pam_facts.PamFacts) -> t.List[str]:
    """Why limits files have no effect on some ways in, one sentence each."""
    found: t.List[str] = []
    if not seen.variant.installed:
        return [messages.PAM_LIMITS_MISSING()]
    uses, where = seen.use_pam
    if uses is False:
        found.append(messages.SSHD_KEEPS_ITS_LIMITS(rule=where))
    for stack in seen.stacks:
        if stack.service not in pam_stack.LOGINS or (stack.service == "sshd" and uses is False):
            continue
        if stack.broken:
            found.append(messages.SESSIONS_REFUSED_INCLUDE_MISSING(file=stack.broken, service=stack.service))
        elif not stack.limits:
            found.append(messages.SESSIONS_NOT_LIMITED(path=stack.path, service=stack.service))
        elif stack.conf is not None:
            found.append(
                messages.STACK_READS_ANOTHER_FILE(
                    module="pam_limits", path=stack.conf, rule=stack.limits[-1].where, service=stack.service
                )
            )
        elif stack.doubt is not None:
            found.append(messages.STACK_MAY_SKIP(rule=stack.doubt, service=stack.service))
    return found


def odd_order(own: str, paths: t.Iterable[str]) -> t.List[str]:
    """A warning where numbers in front of names say another order than the one in which pam_limits reads them."""
    directory, _slash, name = own.rpartition("/")
    mine = re.match(r"[0-9]+", name)
    if directory != pam_precedence.DIRECTORY or mine is None:
        return []
    odd = []
    for other in sorted({path.rpartition("/")[2] for path in paths} - {name}):
        number = re.match(r"[0-9]+", other)
        if number and (int(mine.group()) < int(number.group())) != (name < other) and number.group() != mine.group():
            odd.append(other)
    if not odd:
        return []
    order = ["{0} {1}".format("before" if name < other else "after", other) for other in odd[:_MOST]]
    return [messages.FILE_ORDER(path=own, order=" and ".join(order))]


def about_files(seen: pam_facts.PamFacts) -> t.List[str]:
    """Warnings about files of others that pam_limits stumbles over."""
    found: t.List[str] = []
    if seen.variant.installed:
        found.extend(messages.CANNOT_BE_OPENED(path=path) for path in seen.closed)
    if seen.variant.installed and seen.variant.needs_files:
        found.extend(messages.DANGLING_LINK(path=path) for path in seen.dangling)
        if seen.missing:
            found.append(messages.FILE_MISSING(path=pam_precedence.MAIN_FILE))
    for path, data in seen.files:
        if data.startswith(_BYTE_ORDER_MARK):
            found.append(messages.BYTE_ORDER_MARK(path=path))
        long_ones = [number for number, line in enumerate(data.split(b"\n"), 1) if len(line) > 1022]
        if long_ones and seen.variant.splits_long_lines and seen.variant.installed:
            found.append(messages.LINE_TOO_LONG(path=path, line=long_ones[0]))
    return found
