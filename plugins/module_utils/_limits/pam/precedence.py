# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which rule pam_limits picks. Private: not for use outside of ``tunefleet.linux``.

limits.conf(5) and modules/pam_limits/pam_limits.c: files are read in byte order of their names, after limits.conf; a rule for a
user beats one for a group, which beats ``*``, wherever they stand; among equals the last one read wins; soft and hard are picked
apart from each other; ``domain -`` exempts whom it names from everything.
"""

import re
import typing as t

from ..._core import limit as limit_types
from .. import items
from . import dropin as pam_dropin
from . import variant as pam_variant

MAIN_FILE = "/etc/security/limits.conf"
DIRECTORY = "/etc/security/limits.d"
# Debian caps the soft limit that it takes over from process 1.
_FD_SETSIZE = 1024

# The strength of a rule, by whom its domain names; the numbers of pam_limits run the other way.
_EVERYBODY, _ALL, _ALL_GROUP, _GROUP, _USER = 1, 2, 3, 4, 5
# These take the last rule that matches, whatever its strength.
_CLASSLESS = frozenset(["priority", "nonewprivs", items.CHROOT])
# These two are one number, and the last line says which of them it is.
_LOGINS = frozenset(["maxlogins", "maxsyslogins"])


class Placed(t.NamedTuple):
    """A rule and where it stands."""

    rule: pam_dropin.Rule
    file: str
    line: int

    @property
    def where(self) -> str:
        """``path:line``, as reports name it."""
        return "{0}:{1}".format(self.file, self.line)


class Choice(t.NamedTuple):
    """The rules that decide soft and hard limit, and the line that exempts from all of them."""

    soft: t.Optional[Placed] = None
    hard: t.Optional[Placed] = None
    exempt: t.Optional[Placed] = None


class User(t.NamedTuple):
    """Whom rules are matched against. ``groups`` maps the id of each group, the primary one included, to its name."""

    name: str
    uid: int
    gid: int
    groups: t.Mapping[int, str]


def reading_order(names: t.Iterable[str]) -> t.List[str]:
    """Paths of the files that pam_limits reads, given the names found in limits.d."""
    chosen = [name for name in names if name.endswith(".conf") and not name.startswith(".")]
    chosen.sort(key=lambda name: name.encode("utf-8", "surrogateescape"))
    return [MAIN_FILE] + ["{0}/{1}".format(DIRECTORY, name) for name in chosen]


def merged(listing: t.Mapping[str, t.Iterable[str]]) -> t.List[str]:
    """Paths of the files of several directories as pam_limits takes them: by name, an earlier directory masking later ones."""
    found: t.Dict[str, str] = {}
    for directory, names in listing.items():
        for path in reading_order(names)[1:]:
            found.setdefault(path.rpartition("/")[2], directory)
    return [
        found[name] + "/" + name for name in sorted(found, key=lambda name: name.encode("utf-8", "surrogateescape"))
    ]


def placed_rules(
    files: t.Iterable[t.Tuple[str, bytes]], variant: pam_variant.PamVariant = pam_variant.PLAIN
) -> t.List[Placed]:
    """Every rule of the files, in reading order."""
    return [Placed(rule, path, line) for path, data in files for line, rule in pam_dropin.read(data, variant)]


def for_domain(rules: t.Iterable[Placed], domain: str, item: str) -> Choice:
    """The rules that decide for a domain as it is spelled, over all files."""
    choice = Choice()
    for placed in rules:
        if placed.rule.domain != domain:
            continue
        if placed.rule.exempts:
            # A plain "* -" is ignored by pam_limits.
            choice = choice if domain == "*" else choice._replace(exempt=placed)
        elif placed.rule.item == item:
            choice = _take(choice, placed)
    return choice


def _take(choice: Choice, placed: Placed) -> Choice:
    if placed.rule.sets_soft:
        choice = choice._replace(soft=placed)
    if placed.rule.sets_hard:
        choice = choice._replace(hard=placed)
    return choice


class Span(t.NamedTuple):
    """A range of ids. ``exact`` is the form ``:1000``."""

    low: int
    high: t.Optional[int]
    exact: bool

    def holds(self, number: int) -> bool:
        """Whether an id lies in it, both ends included."""
        return self.low <= number and (self.high is None or number <= self.high)


def span(domain: str) -> t.Optional[Span]:
    """The range of ids that a domain is, None for a domain without a colon.

    :raises ValueError: for a range that pam_limits cannot read; it ignores the line.
    """
    first, colon, last = (domain[1:] if domain[:1] in ("@", "%") else domain).partition(":")
    if not colon:
        return None
    if not first:
        return Span(_id(last), _id(last), True)
    return Span(_id(first), _id(last) if last else None, False)


def _id(text: str) -> int:
    """strtoul(3), cut to the 32 bits of an id."""
    match = re.match(r"^[ \t\n\v\f\r]*([+-]?)0*([0-9]{1,20})$", text)
    if match is None or int(match.group(2)) >= 2**64:
        raise ValueError(text)
    return int(match.group(1) + match.group(2)) % 2**32


def _in_group(domain: str, ids: t.Optional[Span], user: User) -> bool:
    """``@name`` and ``@:id`` look at all groups of a user, ``@first:last`` at the primary one alone."""
    if ids is None:
        return bool(domain[1:]) and domain[1:] in user.groups.values()
    return bool(user.groups.get(ids.low)) if ids.exact else ids.holds(user.gid)


def strength(domain: str, user: User, star_excludes_root: bool) -> int:
    """The strength with which the domain of a limit names a user; 0 when it does not.

    :param star_excludes_root: Debian's patch, which leaves ``@0:`` and ``%:0`` to the test of ranges of user ids.
    """
    try:
        ids = span(domain)
    except ValueError:
        return 0
    if domain == user.name:
        return _USER
    spared = star_excludes_root and user.uid == 0
    if domain.startswith("@") and not spared:
        return _GROUP if _in_group(domain, ids, user) else 0
    if domain.startswith("%") and not spared:
        if domain == "%":
            return _ALL
        return _ALL_GROUP if (ids is None or ids.exact) and _in_group(domain, ids, user) else 0
    if ids is not None:
        return _USER if ids.holds(user.uid) else 0
    return _EVERYBODY if domain == "*" and not spared else 0


def exempts(domain: str, user: User) -> bool:
    """Whether ``domain -`` exempts a user. Root is nowhere spared, and ``* -`` is ignored."""
    try:
        ids = span(domain)
    except ValueError:
        return False
    if domain == user.name:
        return True
    if domain.startswith("@"):
        return _in_group(domain, ids, user)
    return ids is not None and ids.holds(user.uid)


def for_user(rules: t.Iterable[Placed], user: User, item: str, star_excludes_root: bool) -> Choice:
    """The rules that decide for a user.

    :param star_excludes_root: True where pam_limits is patched as in Debian, whose ``*`` and ``@group`` pass over uid 0.
    """
    choice, soft_strength, hard_strength, last_logins = Choice(), 0, 0, item
    for placed in rules:
        rule = placed.rule
        if rule.exempts:
            if exempts(rule.domain, user):
                return choice._replace(exempt=placed)
            continue
        if rule.item != item and not {rule.item, item} <= _LOGINS:
            continue
        found = strength(rule.domain, user, star_excludes_root)
        if not found:
            continue
        last_logins = rule.item
        if found in (_ALL, _ALL_GROUP) and rule.item != "maxlogins":
            continue
        found = _USER if item in _CLASSLESS else found
        # pam_limits leaves a line at the first half that a stronger one has set; it checks soft first.
        if rule.sets_soft:
            if found < soft_strength:
                continue
            choice, soft_strength = choice._replace(soft=placed), found
        if rule.sets_hard and found >= hard_strength:
            choice, hard_strength = choice._replace(hard=placed), found
    return choice if last_logins == item else Choice()


def session(
    choice: Choice,
    item: str,
    before: limit_types.Limit,
    start: limit_types.Limit,
    may_raise: bool,
    nr_open: t.Optional[int],
    variant: pam_variant.PamVariant,
) -> t.Tuple[limit_types.Limit, bool]:
    """What a session gets of an item, and whether the kernel refuses what the rules ask for.

    A refusal leaves the limit as it was; where the variant does not forgive it, it also ends the session.

    :param before: what the process has that opens the session. :param start: what pam_limits starts from: the same, or what
        process 1 has. :param may_raise: whether that process has CAP_SYS_RESOURCE. :param nr_open: fs.nr_open, where it is known.
    """
    if choice.exempt is not None or (choice.soft is None and choice.hard is None and start == before):
        return before, False
    limit = limit_types.Limit(
        _meant(choice.soft.rule.value if choice.soft else start.soft, item, nr_open, variant, choice.soft),
        _meant(choice.hard.rule.value if choice.hard else start.hard, item, nr_open, variant, choice.hard),
    )
    if limit.hard is None:
        return limit, False
    hard = items.kernel(limit.hard, item)
    if limit.soft is not None and items.kernel(limit.soft, item) > hard:
        limit = limit._replace(soft=limit.hard)
    above = item == "nofile" and nr_open is not None and hard > nr_open
    raised = before.hard is not None and hard > items.kernel(before.hard, item)
    return (before, True) if above or (raised and not may_raise) else (limit, False)


def _meant(
    value: t.Optional[limit_types.Number],
    item: str,
    nr_open: t.Optional[int],
    variant: pam_variant.PamVariant,
    placed: t.Optional[Placed],
) -> t.Optional[limit_types.Number]:
    """A number of a rule as pam_limits hands it to the kernel."""
    if placed is not None and item == "nofile" and value == limit_types.UNLIMITED and variant.unlimited_means_nr_open:
        return value if nr_open is None else nr_open
    return value


def start(
    before: t.Mapping[str, limit_types.Limit], first: t.Mapping[str, limit_types.Limit], variant: pam_variant.PamVariant
) -> t.Mapping[str, limit_types.Limit]:
    """What pam_limits starts from, by item.

    :param before: what the process has that opens the session. :param first: what process 1 has.
    """
    if not variant.starts_from_pid1:
        return before
    found = dict(before, **first)
    nofile = found.get("nofile", limit_types.Limit())
    if variant.star_excludes_root and nofile.soft is not None and items.rank(nofile.soft) > _FD_SETSIZE:
        found["nofile"] = nofile._replace(soft=_FD_SETSIZE)
    return found
