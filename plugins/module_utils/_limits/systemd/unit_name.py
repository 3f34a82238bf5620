# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the name of a unit says: systemd.unit(5). Private: not for use outside of ``tunefleet.linux``."""

import re
import typing as t

from ... import _errors
from . import messages

# The kinds of units that start processes, with the section that holds their limits: systemd.exec(5).
SECTIONS = {"service": "Service", "socket": "Socket", "mount": "Mount", "swap": "Swap"}
_OTHER_TYPES = ("target", "device", "automount", "timer", "path", "slice", "scope")
_NAME = re.compile(r"^[A-Za-z0-9:_.\\@-]+$")


def type_of(name: str) -> str:
    """The type of a unit, which is the end of its name."""
    return name.rpartition(".")[2]


def check_name(raw: object) -> str:
    """The full name of a unit; without a type it is a service, as for systemctl(1).

    :raises ValueProblem: when there can be no such unit, or it starts no process.
    """
    text = raw if isinstance(raw, str) else ""
    if not text:
        raise _errors.ValueProblem(messages.NOT_A_UNIT(found=raw))
    if not _NAME.match(text):
        raise _errors.ValueProblem(messages.UNIT_NOT_ESCAPED(escaped=escaped(text)))
    kind = type_of(text) if "." in text else ""
    if kind in _OTHER_TYPES:
        raise _errors.ValueProblem(messages.UNIT_WITHOUT_PROCESS(kind=kind))
    name = text if kind in SECTIONS else text + ".service"
    if len(name) > 255 or name.startswith((".", "@")):
        raise _errors.ValueProblem(messages.NOT_A_UNIT_NAME(found=text))
    return name


def escaped(text: str) -> str:
    """As systemd-escape(1) does it, without a change of what is legal."""
    signs = ["-" if sign == "/" else sign if _NAME.match(sign) else _hex(sign) for sign in text]
    return "".join(signs)


def _hex(sign: str) -> str:
    return "".join("\\x{0:02x}".format(byte) for byte in sign.encode("utf-8", "surrogateescape"))


def template_of(name: str) -> t.Optional[str]:
    """``getty@.service`` for ``getty@tty1.service``; None for a unit that is no instance."""
    prefix, at, rest = name.partition("@")
    return prefix + "@." + type_of(name) if at and not rest.startswith(".") else None


def is_template(name: str) -> bool:
    """Whether this is a unit that has instances, and never runs itself."""
    return "@." in name and template_of(name) is None


def directory_names(name: str) -> t.List[str]:
    """Names of the directories of drop-ins for one name of a unit, the most special one first, without the one of its type."""
    found = [name + ".d"]
    template = template_of(name)
    if template:
        found += directory_names(template)
    prefix, at, rest = name.partition("@")
    kind = "." + type_of(name)
    # A template gives its prefix as that of a plain unit (unit_name_to_instance finds none).
    tail = at + rest if template else kind
    stem = prefix if at else prefix[: -len(kind)]
    cut = stem[:-1].rfind("-") if stem.endswith("-") else stem.rfind("-")
    if cut > 0 or (cut == 0 and len(stem) > 1):
        found += directory_names(stem[: cut + 1] + tail)
    return list(dict.fromkeys(found))
