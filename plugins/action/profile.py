# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action tunefleet.linux.profile. Its documentation is that of the module of this name, which it runs on the host.

Ansible loads an action before it forks a process for each task on each host, and compiles what a collection brings anew in every process
that loads it. So what the lookup needs to compose profiles is loaded here, once for all hosts.
"""

from __future__ import annotations

from ansible_collections.tunefleet.linux.plugins.plugin_utils._action import ActionModule
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import library

__all__ = ["ActionModule"]

LOADED = (library,)
