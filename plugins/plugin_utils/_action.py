# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How our modules get to a host: one command, with the module as its input. Private: not for use outside of ``tunefleet.linux``.

Ansible calls this pipelining, and does it only where it is told to, for a sudo that insists on a terminal (``requiretty`` of
sudoers(5), as older distributions have it) refuses it. Without it, a module is a file that is sent, made executable, run and
removed by a command each: five round trips to a host instead of one.
"""

from __future__ import annotations

import gc
import typing as t

from ansible.plugins.action import normal

OPTION = "pipelining"


class ActionModule(normal.ActionModule):
    """Runs the module of the task on the host."""

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        # This process was forked for the task and ends with it. Ansible reads the module's source in it, which makes so many objects
        # that the collector of cyclic garbage would walk through the whole process several times: a fifth of a second for nothing.
        gc.disable()
        if not self._may_choose(task_vars):
            return self._run(tmp, task_vars)
        self._connection.set_option(OPTION, True)
        result = self._run(tmp, task_vars)
        if _is_refused(result):
            self._connection.set_option(OPTION, False)
            result = self._run(tmp, task_vars)
        return result

    def _run(self, tmp: t.Any, task_vars: t.Any) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)  # type: ignore[no-untyped-call]
        return result

    def _may_choose(self, task_vars: t.Any) -> bool:
        """Whether the user has not chosen, and nothing on the way can take the module for something else.

        That could be who asks for a password; of other ways to become root than sudo, it is not known what they do with their input.
        """
        connection = self._connection
        if not connection.has_pipelining:
            return False
        try:
            _value, origin = connection.get_option_and_origin(OPTION, hostvars=task_vars)
        except KeyError:  # not an option of this connection
            return False
        become = connection.become
        return origin == "default" and (
            become is None
            or ((become.name or "").rpartition(".")[2] == "sudo" and not become.get_option("become_pass"))
        )


def _is_refused(result: t.Mapping[str, t.Any]) -> bool:
    """Whether sudo itself said no, in whatever language: sudo(8) then ends with 1 and has run nothing.

    Its warnings, as of a name that does not resolve, begin like that as well, so neither they nor a module that was killed count.
    Another try says why sudo refused, if it was not for want of a terminal.
    """
    # Not the first line: ssh may have something to say as well, and so may the host, in a banner.
    said = any(line.startswith("sudo:") for line in str(result.get("module_stderr", "")).splitlines())
    return said and bool(result.get("failed")) and result.get("rc") == 1 and not result.get("module_stdout")
