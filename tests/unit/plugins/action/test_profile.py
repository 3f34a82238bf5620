# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import gc
import typing as t

import pytest
from ansible.plugins.action import normal

from ansible_collections.tunefleet.linux.plugins.action.profile import LOADED, ActionModule


def test_the_module_runs_without_collections_of_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bool, tuple[t.Any, ...], dict[str, t.Any]]] = []

    def run(_self: object, *arguments: t.Any, **options: t.Any) -> dict[str, t.Any]:
        seen.append((gc.isenabled(), arguments, options))
        return {"changed": False}

    monkeypatch.setattr(normal.ActionModule, "run", run)
    try:
        assert ActionModule.run(object.__new__(ActionModule), "tmp", task_vars={"a": 1}) == {"changed": False}
    finally:
        gc.enable()
    assert seen == [(False, ("tmp",), {"task_vars": {"a": 1}})]


def test_what_the_lookup_needs_is_loaded_with_the_action() -> None:
    assert [module.__name__.rpartition(".")[2] for module in LOADED] == ["_profiles"]
