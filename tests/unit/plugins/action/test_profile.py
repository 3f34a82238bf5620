# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from ansible_collections.tunefleet.linux.plugins.action.profile import LOADED


def test_what_the_lookup_needs_is_loaded_with_the_action() -> None:
    assert [module.__name__.rpartition(".")[2] for module in LOADED] == ["library"]
