# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action tunefleet.linux.sysctl_info. Its documentation is that of the module of this name, which it runs on the host."""

from __future__ import annotations

from ansible_collections.tunefleet.linux.plugins.plugin_utils._action import ActionModule

__all__ = ["ActionModule"]
