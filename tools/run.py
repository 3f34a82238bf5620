# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the commands of the Makefile run, once ``tools/setup`` has made ``.venv``.

The variables that a person types (``make apply PROFILES=...``) arrive in the environment. They become arguments of a program that
is started without a shell, so nothing in them is ever read as code.
"""

from __future__ import annotations

import json
import locale
import os
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / ".venv" / "bin"
COLLECTIONS = ROOT / ".cache"
DEFAULT_INVENTORY = "inventories/local.yml"
# Where Ansible looks when nobody says otherwise: an inventory may use plugins of other collections.
USUAL_COLLECTIONS = "~/.ansible/collections:/usr/share/ansible/collections"


class Refusal(Exception):
    """A typed variable makes no sense; the text is one sentence for the person who typed it."""


def typed(name: str) -> str:
    return os.environ.get(name, "").strip()


def plain(name: str) -> str:
    """A variable that becomes a variable of Ansible, which would carry out a template in it."""
    text = typed(name)
    found = [mark for mark in ("{{", "{%", "{#") if mark in text]
    if found:
        raise Refusal(f"{name}={text} holds {found[0]}, which begins a template of Ansible: name it without.")
    return text


def switched_on(name: str) -> bool:
    return typed(name).lower() in ("1", "y", "yes", "true", "on")


def words(name: str) -> list[str]:
    """The words of a variable, with quotes as in a shell but nothing else of a shell."""
    try:
        return shlex.split(typed(name))
    except ValueError as error:
        raise Refusal(f"{name}={typed(name)} cannot be split into options: {error}.") from error


def whole_number(name: str, default: int) -> str:
    text = typed(name) or str(default)
    if not text.isascii() or not text.isdigit():
        raise Refusal(f"{name}={text} is not an integer.")
    return text


def playbook_variables(playbook: str) -> dict[str, object]:
    """The extra variables of a playbook that were typed."""
    if playbook == "diagnose":
        return {"tune_diagnose_seconds": whole_number("DIAGNOSE_SECONDS", 5)} if typed("DIAGNOSE_SECONDS") else {}
    variables: dict[str, object] = {"tune_profiles": plain("PROFILES")}
    if playbook == "apply":
        variables["tune_batches"] = plain("BATCHES")
    if playbook == "revert" and switched_on("TRIAL"):
        variables["tune_state"] = "withdrawn"
    if playbook == "audit":
        variables.update(report_variables())
    if (ROOT / "profiles").is_dir():
        # Where "make import" writes; the playbooks of the collection look beside themselves and in tune_profile_paths.
        variables["__tune_checkout_profiles"] = [str(ROOT / "profiles")]
    if playbook == "explain":
        if not typed("KEY"):
            raise Refusal("KEY is missing: name a key or a limit, as in make explain KEY=net.ipv4.tcp_fin_timeout.")
        variables["tune_key"] = plain("KEY")
    return variables


def playbook_command(playbook: str) -> list[str]:
    """ansible-playbook with the typed variables as arguments."""
    inventory = typed("INVENTORY") or DEFAULT_INVENTORY
    # A comma makes it a list of hosts, the way ansible-playbook reads it. A file that is not there would only be a warning to it.
    if "," not in inventory and not Path(inventory).expanduser().exists():
        raise Refusal(f"INVENTORY={inventory} does not exist.")
    command = [str(PROGRAMS / "ansible-playbook"), "--inventory", os.path.expanduser(inventory)]
    if typed("LIMIT"):
        command += ["--limit", typed("LIMIT")]
    command += extra_vars(**playbook_variables(playbook))
    if switched_on("VERBOSE"):
        command.append("-v")
    if switched_on("DIFF"):
        command.append("--diff")
    return [*command, *words("ARGS"), f"tunefleet.linux.{playbook}"]


def report_command() -> list[str]:
    """ansible-playbook that makes one report of several."""
    if not plain("FROM"):
        raise Refusal('FROM is missing: name the reports to merge, as in FROM="east/fleet.json west/fleet.json".')
    reports = [os.path.expanduser(name) for name in words("FROM")]
    variables = extra_vars(tune_reports=reports, **report_variables())
    command = [str(PROGRAMS / "ansible-playbook"), "--inventory", "localhost,", *variables, *words("ARGS")]
    return [*command, "tunefleet.linux.report"]


def report_variables() -> dict[str, object]:
    return {"tune_report_dir": os.path.expanduser(plain("REPORT")), "tune_fail_on_drift": switched_on("FAIL_ON_DRIFT")}


def extra_vars(**variables: object) -> list[str]:
    """The option for those that were typed; as JSON, for in "key=value" form a blank would begin a second variable."""
    given = {name: value for name, value in variables.items() if value}
    return ["--extra-vars", json.dumps(given)] if given else []


def pytest_command(*arguments: str) -> list[str]:
    # -rs names each skipped test with its reason at the end of the run.
    return [str(PROGRAMS / "python"), "-m", "pytest", "-rs", "--durations=15", *arguments, *words("PYTEST_ARGS")]


def build_command() -> list[str]:
    return [str(PROGRAMS / "ansible-galaxy"), "collection", "build", "--force", "--output-path", "build"]


def has_utf8_locale() -> bool:
    try:
        locale.setlocale(locale.LC_ALL, "")
    except locale.Error:
        return False
    return locale.getlocale()[1] == "UTF-8" and sys.getfilesystemencoding() == "utf-8"


def environment() -> dict[str, str]:
    """The caller's environment plus what makes the checkout known as a collection."""
    env = dict(os.environ)
    env["PATH"] = os.pathsep.join([str(PROGRAMS), env.get("PATH", os.defpath)])
    others = env.get("ANSIBLE_COLLECTIONS_PATH") or USUAL_COLLECTIONS
    env["ANSIBLE_COLLECTIONS_PATH"] = os.pathsep.join([str(COLLECTIONS), others])
    # Ansible refuses to start under a locale that is not UTF-8 or not installed, as ssh often carries one over to a small machine.
    if not has_utf8_locale():
        env["LC_ALL"] = "C.UTF-8"
    return env


def main(command: str) -> None:
    os.chdir(ROOT)
    env = environment()
    if command in ("apply", "audit", "revert", "diagnose", "explain", "report"):
        arguments = report_command() if command == "report" else playbook_command(command)
        env["ANSIBLE_STDOUT_CALLBACK"] = "tunefleet.linux.summary"
    elif command in ("import", "export"):
        arguments = [str(PROGRAMS / "python"), "tools/exchange.py", command]
    elif command == "test":
        # As many processes as there are groups of tests that may run beside each other, see tests/conftest.py.
        arguments = pytest_command("--numprocesses=auto", "--maxprocesses=3", "--dist=loadgroup", "tests")
    elif command == "oracle":
        arguments = pytest_command("tests/oracle")
        env["TUNEFLEET_ORACLE_CASES"] = whole_number("CASES", 5000)
    elif command == "vm":
        arguments = pytest_command("molecule/vm")
    elif command == "bench":
        arguments = [str(PROGRAMS / "python"), "benchmarks/bench.py", *words("ARGS")]
    elif command == "lint":
        arguments = pytest_command("tests/checks/test_lint.py")
    elif command == "build":
        arguments = build_command()
    else:
        raise Refusal(f'tools/run.py does not know "{command}".')
    os.execve(arguments[0], arguments, env)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Refusal as refusal:
        sys.exit(f"tunefleet: {refusal}")
