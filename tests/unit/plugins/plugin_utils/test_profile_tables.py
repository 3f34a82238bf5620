# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
SCRIPT = ROOT / "tools" / "profile_tables.py"

spec = importlib.util.spec_from_file_location("profile_tables", SCRIPT)
assert spec is not None and spec.loader is not None
profile_tables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(profile_tables)


@pytest.mark.parametrize("role", profile_tables.documented_roles(), ids=lambda role: str(role.name))
def test_the_table_is_current(role: Path) -> None:
    text = (role / "README.md").read_text(encoding="utf-8")
    assert profile_tables.current_readme(role, text) == text, "run: .venv/bin/python tools/profile_tables.py"


def test_a_stale_table_is_noticed() -> None:
    role = ROOT / "roles" / "open_files"
    stale = f"# Head\n{profile_tables.BEGIN}\n\n| `fs.file-max` | 1 |\n\n{profile_tables.END}\ntail\n"
    text = profile_tables.current_readme(role, stale)
    assert text.startswith("# Head\n")
    assert text.endswith("\ntail\n")
    assert "| `fs.file-max` | at least 262140 | " in text
    assert "| `*` `nofile` | soft at least 65535, hard at least 65535 | " in text
    assert profile_tables.current_readme(role, text) == text


def test_the_overview_is_current() -> None:
    text = profile_tables.OVERVIEW.read_text(encoding="utf-8")
    assert profile_tables.current_overview(text) == text, "run: .venv/bin/python tools/profile_tables.py"
    for role in profile_tables.documented_roles():
        assert f"| [`{role.name}`](../roles/{role.name}/README.md) | " in text
    assert "| `net.ipv4.tcp_syn_retries` | `fast_fail` 2, `proxy` 3 |" in text


def test_a_stale_overview_is_noticed() -> None:
    text = profile_tables.OVERVIEW.read_text(encoding="utf-8")
    assert profile_tables.current_overview(text.replace("`proxy` 3 |", "`proxy` 4 |")) == text
    with pytest.raises(SystemExit, match="docs/profiles.md needs the lines <!-- curated profiles: "):
        profile_tables.current_overview("# Profiles\n")


def test_hazards_have_a_column_where_there_are_some() -> None:
    text = (ROOT / "roles" / "memo_ko" / "README.md").read_text(encoding="utf-8")
    assert "| setting | value | reason | hazard | source |\n| --- | --- | --- | --- | --- |\n" in text
    assert "| A quarter of the default of 4096 since Linux 5.4" in text


def test_a_readme_without_a_place_for_it() -> None:
    with pytest.raises(SystemExit, match="open_files/README.md needs the lines"):
        profile_tables.current_readme(ROOT / "roles" / "open_files", "# Head\n")
