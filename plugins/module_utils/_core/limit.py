# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""limit. Private to ``tunefleet.linux``."""

import typing as t

# The kinds of targets.
DOMAIN = "domain"
UNIT = "unit"
MANAGER = "manager"
PROCESS = "process"
TARGETS = (DOMAIN, UNIT, MANAGER, PROCESS)
# The managers of systemd.
SYSTEM = "system"
USER = "user"

UNLIMITED = "unlimited"

Number = t.Union[int, str]


def limit_name(kind: str, target: str, item: str) -> str:
    """How messages call a limit: ``* nofile``, ``nginx.service nofile``, ``manager system nofile``, ``process nginx nofile``."""
    return " ".join(([kind] if kind in (MANAGER, PROCESS) else []) + [target, item])


class Limit(t.NamedTuple):
    """Soft and hard value of one item; None where it is not set."""

    soft: t.Optional[Number] = None
    hard: t.Optional[Number] = None
