# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules against locking people out. Private: not for use outside of ``tunefleet.linux``.

A limit that setrlimit(2) refuses makes pam_limits end the session of everybody it binds, root included, unless the distribution
patched that away (Debian does; modules/pam_limits/pam_limits.c returns PAM_PERM_DENIED). So such a limit is found here, before
it is written.
"""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _conf, _values

REFUSE = "refuse"
WARN = "warn"
OFF = "off"


def objections(item: str, limit: _conf.Limit, nr_open: t.Optional[int]) -> t.List[str]:
    """Why a pair of limits must not be written, one sentence each.

    :param limit: the entry that is about to be written.
    :param nr_open: what fs.nr_open is, or will be once the same request is carried out.
    """
    if item != "nofile":
        return []
    asked = [value for value in limit if value is not None]
    if _values.UNLIMITED in asked:
        # Before Linux-PAM 1.5.2 this ends every session; later it means fs.nr_open, 1073741816 on some systems.
        return [
            "nofile takes no 'unlimited': older pam_limits then refuses every login; write the number, up to fs.nr_open."
        ]
    highest = max([int(value) for value in asked] or [0])
    if nr_open is not None and highest > nr_open:
        return [
            "nofile {0} is above fs.nr_open {1}, the kernel would refuse it and logins would fail; "
            "raise fs.nr_open first, or ask for {1} at the most.".format(highest, nr_open)
        ]
    return []
