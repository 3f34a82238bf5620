# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action tunefleet.linux.profile. Its documentation is that of the module of this name.

It runs the module, as Ansible itself does where there is no action. But Ansible loads an action before it forks a process for each
task on each host, and compiles what a collection brings anew in every process that loads it. So what the lookup needs to compose
profiles is loaded here, once for all hosts.
"""

from __future__ import annotations

import gc
import typing as t

from ansible.plugins.action import normal

from ansible_collections.tunefleet.linux.plugins.plugin_utils import _profiles

LOADED = (_profiles,)


class ActionModule(normal.ActionModule):
    """Runs the module on the host."""

    def run(self, *arguments: t.Any, **options: t.Any) -> dict[str, t.Any]:
        # This process was forked for the task and ends with it. Ansible reads the module's source in it, which makes so many objects
        # that the collector of cyclic garbage would walk through the whole process several times: a fifth of a second for nothing.
        gc.disable()
        result: dict[str, t.Any] = super().run(*arguments, **options)  # type: ignore[no-untyped-call]
        return result
