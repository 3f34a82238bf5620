# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to know about a rule of limits.conf(5) on this host, beyond its numbers. Pure; private to ``tunefleet.linux``."""

import re
import typing as t

from ..._core import request as requests
from . import facts as pam_facts
from . import guard
from . import precedence as pam_precedence
from . import stack as pam_stack

_NO_LOGIN = ("nologin", "false", "sync", "halt", "shutdown")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MOST = 3


def logs_in(name: str, seen: pam_facts.PamFacts) -> bool:
    """Whether a user may log in, as far as the shell tells; somebody who does not exist yet may."""
    shell = seen.shells.get(name, "")
    return shell.rpartition("/")[2] not in _NO_LOGIN


def guard_context(
    desired: requests.LimitRequest, seen: pam_facts.PamFacts, nr_open: t.Optional[int]
) -> guard.GuardContext:
    """What the guard measures the limit of a domain against."""
    user, star_excludes_root = seen.users.get(desired.target), seen.dialect.star_excludes_root
    bound = [
        (count, one.name)
        for one, count in seen.busy
        if pam_precedence.strength(desired.target, one, star_excludes_root)
    ]
    sudo = desired.target[:1] not in ("@", "%") and (desired.target == "*" or ":" in desired.target)
    if user is not None:
        sudo = bool(guard.SUDO_GROUPS & set(user.groups.values()))
    elif desired.target.startswith("@"):
        sudo = ":" in desired.target or desired.target[1:] in guard.SUDO_GROUPS
    return guard.GuardContext(
        nr_open, seen.dialect, logs_in(desired.target, seen), sudo, (max(bound)[1], max(bound)[0]) if bound else None
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
    domain, found = desired.target, []
    if re.match(r"^[0-9]+$", domain):
        found.append("{0} is a user of that name; the user with the id {0} is written :{0}.".format(domain))
    elif re.match(r"^:[0-9]+$", domain):
        found.append("{0} is the user id {1} alone, not those up to it.".format(domain, domain[1:]))
    elif re.match(r"^@[0-9]+:", domain):
        found.append("{0} looks at primary groups only.".format(domain))
    elif re.match(r"^@[0-9]+$", domain):
        found.append(
            "{0} is a group of that name; the group with the id {1} is written @:{1}.".format(domain, domain[1:])
        )
    elif not re.search(r"[@%*:]", domain):
        if domain not in seen.users:
            found.append("There is no user {0} on this host.".format(domain))
        elif not logs_in(domain, seen):
            found.append("Services of systemd that run as {0} do not read it; limit their unit.".format(domain))
    if desired.item == "nproc" and seen.users.get(domain, pam_precedence.User("", 1, 1, {})).uid == 0:
        found.append("The kernel does not hold root to nproc; TasksMax= of a unit or slice does that.")
    return found


def _about_root(
    desired: requests.LimitRequest, seen: pam_facts.PamFacts, rules: t.Sequence[pam_precedence.Placed]
) -> t.List[str]:
    """Whether a rule for everybody includes root, which differs between distributions."""
    if desired.target != "*" or not seen.dialect.installed:
        return []
    root = pam_precedence.User("root", 0, 0, {0: "root"})
    choice = pam_precedence.for_user(rules, root, desired.item, seen.dialect.star_excludes_root)
    if seen.dialect.star_excludes_root:
        if choice.soft or choice.hard:
            return []
        return ["* does not bind root on this distribution; the domain root does."]
    return ["* binds root too on this distribution."]


def _overriding_rules(
    desired: requests.LimitRequest, seen: pam_facts.PamFacts, rules: t.Sequence[pam_precedence.Placed]
) -> t.List[str]:
    """The rules for somebody whom ours names as well, but less closely."""
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
    return ["Not for {0}{1}, which are named more closely.".format("; ".join(text[:_MOST]), more)]


def ineffective(seen: pam_facts.PamFacts) -> t.List[str]:
    """Why limits files have no effect on some ways in, one sentence each."""
    found = []
    if not seen.dialect.installed:
        return ["pam_limits was not found here; without it no session reads limits files."]
    uses, where = seen.use_pam
    if uses is False:
        found.append("sshd does not ask PAM ({0} has no UsePAM yes), so ssh sessions keep what sshd has.".format(where))
    for stack in seen.stacks:
        if stack.service not in pam_stack.LOGINS or (stack.service == "sshd" and uses is False):
            continue
        if stack.broken:
            found.append(
                "{0} includes a file that is not there, so sessions of {1} are refused.".format(
                    stack.broken, stack.service
                )
            )
        elif not stack.limits:
            found.append("{0} has no pam_limits, so sessions of {1} are not bound.".format(stack.path, stack.service))
        elif stack.conf is not None:
            found.append(
                "{0} reads {1} alone (conf= in {2}), for sessions of {3}.".format(
                    "pam_limits", stack.conf, stack.limits[-1].where, stack.service
                )
            )
        elif stack.doubt is not None:
            found.append("{0} may skip pam_limits in sessions of {1}.".format(stack.doubt, stack.service))
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
    return ["{0} is read {1}: names are compared sign by sign, not as numbers.".format(own, " and ".join(order))]


def about_files(seen: pam_facts.PamFacts) -> t.List[str]:
    """Warnings about files of others that pam_limits stumbles over."""
    found: t.List[str] = []
    if seen.dialect.installed:
        found.extend(
            "{0} cannot be opened (a ring of links?), and pam_limits then refuses every login; remove it.".format(path)
            for path in seen.closed
        )
    if seen.dialect.installed and seen.dialect.needs_files:
        found.extend(
            "{0} is a link that leads nowhere, and this pam_limits then refuses every login; remove it.".format(path)
            for path in seen.dangling
        )
        if seen.missing:
            found.append(
                "{0} is missing, and this pam_limits then refuses every login; an empty file will do.".format(
                    pam_precedence.MAIN_FILE
                )
            )
    for path, data in seen.files:
        if data.startswith(_BYTE_ORDER_MARK):
            found.append("{0} begins with a byte order mark, so its first rule binds nobody.".format(path))
        long_ones = [number for number, line in enumerate(data.split(b"\n"), 1) if len(line) > 1022]
        if long_ones and seen.dialect.splits_long_lines and seen.dialect.installed:
            found.append(
                "{0} line {1} is longer than 1022 bytes; this pam_limits reads its end as a line of its own.".format(
                    path, long_ones[0]
                )
            )
    return found
