# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The collection where others run it: an execution environment, and ansible-runner, which Automation Controller is built on."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import PROGRAMS, copy_sources, environment, is_root, must_pass

DEFINITION = "meta/execution-environment.yml"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What "ansible-builder build" would hand to podman, made by the two commands that the definition names."""
    folder = tmp_path_factory.mktemp("environment") / "checkout"
    copy_sources(folder)
    must_pass([PROGRAMS / "ansible-galaxy", "collection", "build", "--output-path", "build"], cwd=folder)
    must_pass([PROGRAMS / "ansible-builder", "create", "-f", DEFINITION, "-c", "build/context"], cwd=folder)
    return folder / "build" / "context"


@pytest.fixture(scope="module")
def collections(context: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collections of the environment, installed by the command of its Containerfile."""
    recipe = (context / "Containerfile").read_text(encoding="utf-8")
    (line,) = (line for line in recipe.splitlines() if "ansible-galaxy collection install" in line)
    assert "-r requirements.yml" in line and "COPY _build" in recipe, recipe
    target = tmp_path_factory.mktemp("collections")
    install: list[str | Path] = [
        "collection",
        "install",
        "--offline",
        "-r",
        "requirements.yml",
        "--collections-path",
        target,
    ]
    # Nothing but what is in the context may count as installed already.
    env = environment(ANSIBLE_HOME=str(target / "home"), ANSIBLE_COLLECTIONS_PATH=str(target))
    must_pass([PROGRAMS / "ansible-galaxy", *install], cwd=context / "_build", env=env)
    return target


def test_the_environment_has_the_collection_and_needs_nothing_for_it(collections: Path) -> None:
    assert (collections / "ansible_collections" / "tunefleet" / "linux" / "playbooks" / "audit.yml").is_file()
    found = must_pass([PROGRAMS / "ansible-builder", "introspect", collections])
    assert "tunefleet" not in found, "ansible-builder thinks that the collection needs something:\n" + found


def test_ansible_runner_leaves_the_report_and_the_numbers(
    collections: Path, tmp_path: Path, note: Callable[[str], None]
) -> None:
    for folder in ("inventory", "env", "project"):
        (tmp_path / folder).mkdir()
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "inventory" / "hosts.json").write_text(json.dumps({"all": {"hosts": {"web1": host}}}))
    (tmp_path / "env" / "extravars").write_text(json.dumps({"tune_report_dir": str(tmp_path / "report")}))
    command: list[str | Path] = [
        PROGRAMS / "ansible-runner",
        "run",
        tmp_path,
        "-p",
        "tunefleet.linux.audit",
        "--ident",
        "1",
    ]
    # The audit writes nothing; a network and a mount namespace of its own make sure of that for the network's keys.
    if is_root() and shutil.which("unshare"):
        command = ["unshare", "--net", "--mount", *command]
    must_pass(command, env=environment(ANSIBLE_COLLECTIONS_PATH=str(collections)))
    (one,) = json.loads((tmp_path / "report" / "fleet.json").read_text())["hosts"]
    assert one["host"] == "web1" and one["settings"]
    # Automation Controller keeps the numbers as artifacts of the job; they come with the event of the statistics.
    events = [json.loads(path.read_text()) for path in (tmp_path / "artifacts" / "1" / "job_events").glob("*.json")]
    (stats,) = (event["event_data"] for event in events if event["event"] == "playbook_on_stats")
    assert stats["artifact_data"]["tunefleet_audit"]["hosts"][one["state"]] == 1
    note("the collection was run by ansible-runner, installed as its execution environment does it")
