# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a diagnosis says of profiles and documents is what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._network import advice as advice_catalog
from ansible_collections.tunefleet.linux.plugins.module_utils._network import counters as counter_catalog
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import library as profile_library

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("key", advice_catalog.IN_PROFILES)
def test_a_profile_that_is_named_has_the_value(key: str) -> None:
    profile, text = advice_catalog.IN_PROFILES[key]
    setting = profile_library.resolve(profile_library.Library(roles=ROOT / "roles"), profile)["sysctl"][key]
    amount = setting.get("at_least", setting.get("value"))
    assert " ".join(map(str, amount if isinstance(amount, list) else [amount])) == text


def test_every_kind_has_a_chapter() -> None:
    text = (ROOT / "docs" / "diagnose.md").read_text(encoding="utf-8")
    for kind in advice_catalog.KINDS:
        chapter = text.split(f"\n### {kind.id}\n")[1].split("\n#")[0]
        for words in (kind.title, kind.meaning, kind.shown_by, kind.remedy, kind.cost):
            assert words in chapter, f"{kind.id} lacks: {words}"
    for entry in (*counter_catalog.STATES, *counter_catalog.COUNTERS):
        assert f"| `{entry.name}` | " in text
