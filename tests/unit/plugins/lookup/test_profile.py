# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleError

from ansible_collections.tunefleet.linux.plugins.lookup.profile import LookupModule

DEFAULTS: dict[str, t.Any] = {"paths": [], "sysctl": {}, "limits": [], "prefer": "", "check_mode": False}


class Lookup(LookupModule):
    """The lookup with its options at hand: reading them from its documentation takes a whole Ansible."""

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        self.given = {**DEFAULTS, **direct}

    def get_option(self, option: str, hostvars: t.Any = None) -> t.Any:
        return self.given[option]


@pytest.fixture
def playbook(tmp_path: Path) -> Path:
    """A playbook's directory, with a profile beside it and one farther off."""
    for folder, name, apply in (("profiles", "mine", "true"), ("far", "away", "audit_only")):
        (tmp_path / folder).mkdir()
        text = f"title: T\nsummary: S\nextends: [open_files]\napply: {apply}\n"
        (tmp_path / folder / f"{name}.yml").write_text(text)
    return tmp_path


def run(playbook: Path | None, *terms: t.Any, **options: t.Any) -> dict[str, t.Any]:
    variables = {"playbook_dir": str(playbook)} if playbook else None
    (result,) = Lookup().run(list(terms), variables, **options)
    return t.cast("dict[str, t.Any]", result)


def test_ours_and_the_users(playbook: Path) -> None:
    result = run(playbook, "mine", ["web_server"])
    assert result["name"] == "mine,web_server"
    assert result["sysctl"]["fs.nr_open"] == {
        **result["sysctl"]["fs.nr_open"],
        "at_least": 65536,
        "source": ["kernel_fs", "man_setrlimit"],
    }


def test_without_a_playbook() -> None:
    assert run(None, "open_files")["name"] == "open_files"


@pytest.mark.parametrize("relative", [True, False])
def test_further_paths(playbook: Path, relative: bool) -> None:
    path = "far" if relative else str(playbook / "far")
    assert run(playbook, "away", paths=[path], check_mode=True)["name"] == "away"


def test_overrides(playbook: Path) -> None:
    limit = {"domain": "*", "item": "nofile", "hard": 100000}
    result = run(playbook, "open_files", sysctl={"fs/nr_open": 200000}, limits=[limit])
    assert result["sysctl"]["fs.nr_open"]["value"] == 200000
    assert result["limits"][0]["hard"] == {"value": 100000}
    assert "soft" not in result["limits"][0]


@pytest.mark.parametrize(
    ("terms", "options", "sentence"),
    [
        (["web_servr"], {}, "There is no profile 'web_servr'; did you mean 'web_server'?"),
        (["away"], {"paths": ["far"]}, "The profile 'away' is there to compare hosts with and never to be applied"),
        (["mine"], {"prefer": "x"}, "prefer names 'x', which is not one of mine and open_files."),
        (["mine"], {"sysctl": {"fs.nr_open": True}}, "found the boolean true; write 1 or 0."),
    ],
)
def test_problems_are_errors_of_ansible(playbook: Path, terms: t.Any, options: t.Any, sentence: str) -> None:
    with pytest.raises(AnsibleError) as caught:
        run(playbook, *terms, **options)
    assert sentence in str(caught.value)


LOADING = """
import sys
from ansible.plugins.loader import action_loader, init_plugin_loader, lookup_loader
init_plugin_loader()
assert action_loader.get("tunefleet.linux.profile", class_only=True)._supports_check_mode
before = set(sys.modules)
assert lookup_loader.get("tunefleet.linux.profile")
print(*sorted(name for name in set(sys.modules) - before if "tunefleet" in name))
"""


def test_the_action_has_loaded_what_the_lookup_needs() -> None:
    """Ansible loads an action before it forks, and compiles a collection anew in each process that loads it."""
    env = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(Path(__file__).parents[4] / ".cache"))
    done = subprocess.run([sys.executable, "-c", LOADING], env=env, check=True, capture_output=True, text=True)
    own = "ansible_collections.tunefleet.linux.plugins.lookup"
    assert done.stdout.split() == [own, own + ".profile"], done.stdout
