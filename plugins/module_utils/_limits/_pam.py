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

from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _conf, _values

MAIN_FILE = "/etc/security/limits.conf"
DIRECTORY = "/etc/security/limits.d"

_EVERYBODY, _GROUP, _USER = 1, 2, 3
# These two items take the last rule that matches, whatever its class.
_CLASSLESS = frozenset(["priority", "nonewprivs"])


class Placed(t.NamedTuple):
    """A rule and where it stands."""

    rule: _conf.Rule
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


def placed_rules(files: t.Iterable[t.Tuple[str, bytes]]) -> t.List[Placed]:
    """Every rule of the files, in reading order."""
    return [Placed(rule, path, line) for path, data in files for line, rule in _conf.ConfFile(data).rules()]


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
            choice = _take(choice, placed, True, True)
    return choice


def _take(choice: Choice, placed: Placed, soft: bool, hard: bool) -> Choice:
    if soft and placed.rule.type in (_conf.SOFT, _conf.BOTH):
        choice = choice._replace(soft=placed)
    if hard and placed.rule.type in (_conf.HARD, _conf.BOTH):
        choice = choice._replace(hard=placed)
    return choice


def _id_in(text: str, value: int) -> bool:
    """``1000:`` is that id and above, ``1000:2000`` both ends included, ``:1000`` that very id."""
    first, _colon, last = text.partition(":")
    if not re.match(r"^[0-9]{1,20}$", first + last):
        return False
    if not first:
        return value == int(last)
    return int(first) <= value and (not last or value <= int(last))


def _class(domain: str, user: User) -> int:
    """The strength with which a domain names a user; 0 when it does not."""
    if domain == user.name or (":" in domain and domain[0] not in "@%" and _id_in(domain, user.uid)):
        return _USER
    if domain.startswith("@"):
        name = domain[1:]
        if name in user.groups.values():
            return _GROUP
        if name.startswith(":"):
            return _GROUP if any(_id_in(name, gid) for gid in user.groups) else 0
        return _GROUP if ":" in name and _id_in(name, user.gid) else 0
    return _EVERYBODY if domain == "*" else 0


def for_user(rules: t.Iterable[Placed], user: User, item: str, star_binds_root: bool) -> Choice:
    """The rules that decide for a user.

    :param star_binds_root: False where pam_limits is patched as in Debian, whose ``*`` and ``@group`` pass over uid 0.
    """
    choice, soft_class, hard_class = Choice(), 0, 0
    for placed in rules:
        strength = _class(placed.rule.domain, user)
        if strength in (_EVERYBODY, _GROUP) and user.uid == 0 and not star_binds_root:
            # The patch leaves "@0:" to the test of ranges of user ids.
            strength = _USER if ":" in placed.rule.domain and _id_in(placed.rule.domain[1:], user.uid) else 0
        if not strength:
            continue
        if placed.rule.exempts:
            # Here too "* -" is ignored; the first line that exempts ends the reading.
            if strength != _EVERYBODY:
                return choice._replace(exempt=placed)
            continue
        if placed.rule.item != item:
            continue
        if item in _CLASSLESS:
            strength = _USER
        choice = _take(choice, placed, strength >= soft_class, strength >= hard_class)
        soft_class = max(soft_class, strength) if placed.rule.type in (_conf.SOFT, _conf.BOTH) else soft_class
        hard_class = max(hard_class, strength) if placed.rule.type in (_conf.HARD, _conf.BOTH) else hard_class
    return choice


def effective(choice: Choice, base: _conf.Limit) -> _conf.Limit:
    """What a new session gets: what the rules say, else what it starts from; soft is cut to hard.

    :param base: the limit that the session has before pam_limits looks at any rule.
    """
    if choice.exempt is not None:
        return base
    soft = choice.soft.rule.value if choice.soft else base.soft
    hard = choice.hard.rule.value if choice.hard else base.hard
    if soft is not None and hard is not None and _values.rank(soft) > _values.rank(hard):
        soft = hard
    return _conf.Limit(soft, hard)
