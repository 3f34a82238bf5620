# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The commands that a person types: ``make`` with its variables, and what ``tools/setup`` says on a poor machine."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from support import ROOT, environment, run

# Stands in for ansible-playbook: writes down how it was called.
RECORDER = f"""\
#!{sys.executable}
import json, os, sys
names = ("ANSIBLE_STDOUT_CALLBACK", "ANSIBLE_COLLECTIONS_PATH", "LC_ALL")
with open("called.json", "w") as file:
    json.dump({{"arguments": sys.argv[1:], "environment": {{name: os.environ.get(name) for name in names}}}}, file)
"""


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The commands and their requirements alone, with nothing set up."""
    folder = tmp_path / "a checkout"
    for name in ("Makefile", "tools", "requirements", "inventories"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        folder.mkdir(exist_ok=True)
        copy(source, folder / name)
    return folder


@pytest.fixture
def recorded(checkout: Path) -> Path:
    """The same, already set up, with a recorder in the place of ansible-playbook."""
    program(checkout / "tools" / "setup", "#!/bin/sh\n")
    program(checkout / ".venv" / "bin" / "ansible-playbook", RECORDER)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return checkout


def make(folder: Path, *arguments: str, **env: str) -> tuple[int, str]:
    done = run(["make", "--no-print-directory", *arguments], cwd=folder, env=environment(**env))
    return done.returncode, done.stdout


def called(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "called.json").read_text(encoding="utf-8")))


def test_make_alone_prints_the_help() -> None:
    code, output = make(ROOT)
    assert code == 0
    for word in (
        "make apply",
        "make audit",
        "make revert",
        "make diagnose",
        "make explain",
        "make report",
        "make import",
        "make export",
        "make test",
        "make oracle",
        "make vm",
        "make bench",
        "PROFILES=",
        "INVENTORY=",
        "LIMIT=",
        "DIAGNOSE_SECONDS=",
        "ARGS=",
        "REPORT=",
        "FAIL_ON_DRIFT=",
        "FROM=",
        "BATCHES=",
        "TRIAL=",
    ):
        assert word in output


@pytest.mark.parametrize("command", ["apply", "audit", "revert", "diagnose"])
def test_defaults(recorded: Path, command: str) -> None:
    assert make(recorded, command) == (0, "")
    arguments = ["--inventory", "inventories/local.yml", f"tunefleet.linux.{command}"]
    assert called(recorded)["arguments"] == arguments
    env = called(recorded)["environment"]
    assert env["ANSIBLE_STDOUT_CALLBACK"] == "tunefleet.linux.summary"
    assert env["ANSIBLE_COLLECTIONS_PATH"].split(":")[0] == str(recorded / ".cache")


def test_every_variable(recorded: Path) -> None:
    code, output = make(
        recorded,
        "apply",
        "INVENTORY=one,two",
        "LIMIT=one:!two",
        "PROFILES=web_server,open_files",
        "VERBOSE=1",
        "DIFF=1",
        "ARGS=--become -e 'note=two words'",
    )
    assert (code, output) == (0, "")
    assert called(recorded)["arguments"] == [
        *("--inventory", "one,two"),
        *("--limit", "one:!two"),
        *("--extra-vars", '{"tune_profiles": "web_server,open_files"}'),
        *("-v", "--diff"),
        *("--become", "-e", "note=two words"),
        "tunefleet.linux.apply",
    ]


@pytest.mark.parametrize(
    ("command", "variable", "extra"),
    [
        ("apply", "BATCHES=1,10%,100%", '{"tune_batches": "1,10%,100%"}'),
        ("revert", "TRIAL=1", '{"tune_state": "withdrawn"}'),
        ("revert", "TRIAL=0", None),
        ("revert", "BATCHES=1", None),
        ("apply", "TRIAL=1", None),
    ],
)
def test_batches_and_what_they_leave(recorded: Path, command: str, variable: str, extra: str | None) -> None:
    assert make(recorded, command, variable) == (0, "")
    options = [] if extra is None else ["--extra-vars", extra]
    assert called(recorded)["arguments"] == [
        *("--inventory", "inventories/local.yml", *options, f"tunefleet.linux.{command}")
    ]


def test_explain(recorded: Path) -> None:
    assert make(recorded, "explain", "KEY=net.ipv4.tcp_sack", "LIMIT=web*") == (0, "")
    assert called(recorded)["arguments"] == [
        *("--inventory", "inventories/local.yml", "--limit", "web*"),
        *("--extra-vars", '{"tune_key": "net.ipv4.tcp_sack"}'),
        "tunefleet.linux.explain",
    ]
    assert called(recorded)["environment"]["ANSIBLE_STDOUT_CALLBACK"] == "tunefleet.linux.summary"


@pytest.mark.parametrize("key", ["", "  "])
def test_explain_needs_a_key(recorded: Path, key: str) -> None:
    code, output = make(recorded, "explain", f"KEY={key}")
    assert code != 0
    assert output.splitlines()[0] == (
        "tunefleet: KEY is missing: name a key or a limit, as in make explain KEY=net.ipv4.tcp_fin_timeout."
    )
    assert not (recorded / "called.json").exists()


@pytest.mark.parametrize("template", ["{{ lookup('pipe', 'touch x') }}", "a{% if 1 %}", "{# #}"])
@pytest.mark.parametrize(
    ("command", "variable"),
    [
        ("apply", "PROFILES"),
        ("apply", "BATCHES"),
        ("audit", "PROFILES"),
        ("revert", "PROFILES"),
        ("explain", "KEY"),
        ("audit", "REPORT"),
        ("report", "REPORT"),
        ("report", "FROM"),
    ],
)
def test_a_template_is_refused_wherever_ansible_would_carry_it_out(
    recorded: Path, command: str, variable: str, template: str
) -> None:
    others = [f"{name}=x" for name in ("KEY", "FROM") if name != variable]
    code, output = make(recorded, command, *others, f"{variable}={template}")
    assert code != 0
    mark = template[template.index("{") :][:2]
    assert output.splitlines()[0] == (
        f"tunefleet: {variable}={template} holds {mark}, which begins a template of Ansible: name it without."
    )
    assert not (recorded / "called.json").exists()


def test_a_diagnosis_knows_how_long_and_no_profiles(recorded: Path) -> None:
    assert make(recorded, "diagnose", "DIAGNOSE_SECONDS=60", "PROFILES=web_server", "LIMIT=web") == (0, "")
    assert called(recorded)["arguments"] == [
        *("--inventory", "inventories/local.yml", "--limit", "web"),
        *("--extra-vars", '{"tune_diagnose_seconds": "60"}'),
        "tunefleet.linux.diagnose",
    ]
    code, output = make(recorded, "diagnose", "DIAGNOSE_SECONDS=a while")
    assert code != 0
    assert output.splitlines()[0] == "tunefleet: DIAGNOSE_SECONDS=a while is not an integer."


@pytest.mark.parametrize("command", ["import", "export"])
def test_import_and_export_run_here_and_say_what_is_missing(recorded: Path, command: str) -> None:
    code, output = make(recorded, command)
    assert code != 0
    missing = {"import": "FROM is missing: name a file or", "export": "TO is missing: name a directory"}[command]
    assert output.splitlines()[0].startswith(f"tunefleet: {missing}")


def test_imported_profiles_are_found(recorded: Path) -> None:
    (recorded / "profiles").mkdir()
    assert make(recorded, "apply", "PROFILES=mine") == (0, "")
    (variables,) = [json.loads(one) for one in called(recorded)["arguments"] if one.startswith("{")]
    assert variables == {"tune_profiles": "mine", "__tune_checkout_profiles": [str(recorded / "profiles")]}


def test_variables_come_from_the_environment_too(recorded: Path) -> None:
    assert make(recorded, "audit", LIMIT="web*") == (0, "")
    assert called(recorded)["arguments"] == [
        *("--inventory", "inventories/local.yml", "--limit", "web*"),
        "tunefleet.linux.audit",
    ]


def test_where_the_report_goes_and_whether_drift_is_a_failure(recorded: Path) -> None:
    code, output = make(
        recorded, "audit", "REPORT=~/a report", "FAIL_ON_DRIFT=1", "PROFILES=open_files", HOME="/home/me"
    )
    assert (code, output) == (0, "")
    variables = {"tune_profiles": "open_files", "tune_report_dir": "/home/me/a report", "tune_fail_on_drift": True}
    assert called(recorded)["arguments"][2:4] == ["--extra-vars", json.dumps(variables)]
    # Only an audit has a report.
    assert make(recorded, "apply", "REPORT=x", "FAIL_ON_DRIFT=1") == (0, "")
    assert "--extra-vars" not in called(recorded)["arguments"]


def test_reports_to_merge(recorded: Path) -> None:
    assert make(recorded, "report", "FROM=a.json 'b c.json'", "REPORT=all", "FAIL_ON_DRIFT=0", "ARGS=-v") == (0, "")
    assert called(recorded)["arguments"] == [
        *("--inventory", "localhost,"),
        *("--extra-vars", '{"tune_reports": ["a.json", "b c.json"], "tune_report_dir": "all"}'),
        *("-v", "tunefleet.linux.report"),
    ]
    assert called(recorded)["environment"]["ANSIBLE_STDOUT_CALLBACK"] == "tunefleet.linux.summary"
    code, output = make(recorded, "report")
    assert code != 0
    assert output.splitlines()[0] == (
        'tunefleet: FROM is missing: name the reports to merge, as in FROM="east/fleet.json west/fleet.json".'
    )


@pytest.mark.parametrize(
    "hostile", ["$(shell touch x)", "$$(touch x)", "$(touch x)", "`touch x`", "'; touch x; '", '"; touch x; "']
)
@pytest.mark.parametrize(
    "variable",
    [
        "INVENTORY",
        "LIMIT",
        "PROFILES",
        "DIAGNOSE_SECONDS",
        "ARGS",
        "VERBOSE",
        "DIFF",
        "REPORT",
        "FAIL_ON_DRIFT",
        "FROM",
        "PYTHON",
        "PYTEST_ARGS",
        "CASES",
        "KEY",
        "FROM",
        "TO",
    ],
)
@pytest.mark.parametrize("way", ["argument", "environment"])
def test_a_variable_is_never_run_as_code(recorded: Path, way: str, variable: str, hostile: str) -> None:
    if way == "argument":
        make(recorded, "apply", f"{variable}={hostile}")
    else:
        make(recorded, "apply", **{variable: hostile})
    assert not list(recorded.rglob("x")), f"{variable}={hostile} was run as code"
    if variable == "LIMIT":
        assert hostile in called(recorded)["arguments"]


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("INVENTORY=no/such/file", "tunefleet: INVENTORY=no/such/file does not exist."),
        ("ARGS=--extra-vars 'a", "tunefleet: ARGS=--extra-vars 'a cannot be split into options: No closing quotation."),
    ],
)
def test_a_senseless_variable_gets_one_sentence(recorded: Path, variable: str, sentence: str) -> None:
    code, output = make(recorded, "apply", variable)
    assert code != 0
    assert output.splitlines()[0] == sentence
    assert not (recorded / "called.json").exists()


@pytest.mark.parametrize("cases", ["many", "-1", "1e5", "²"])
def test_the_number_of_oracle_cases_is_a_number(recorded: Path, cases: str) -> None:
    code, output = make(recorded, "oracle", f"CASES={cases}")
    assert code != 0
    assert output.splitlines()[0] == f"tunefleet: CASES={cases} is not an integer."


@pytest.mark.parametrize("name", ["xx_XX.UTF-8", "C.ISO-8859-1"])
def test_a_useless_locale_is_replaced(recorded: Path, name: str) -> None:
    assert make(recorded, "apply", LC_ALL=name) == (0, "")
    env = called(recorded)["environment"]
    assert env["LC_ALL"] == "C.UTF-8"


class Machine:
    """A PATH of its own, on which only what a test puts there can be found besides the basic programs."""

    BASICS = ("sh", "cat", "dirname", "env", "flock", "ln", "mkdir", "rm", "tail")

    def __init__(self, folder: Path, checkout: Path) -> None:
        self.bin = folder / "bin"
        self.checkout = checkout
        self.bin.mkdir()
        for name in self.BASICS:
            found = shutil.which(name)
            assert found is not None, name
            (self.bin / name).symlink_to(found)
        self.has("id", "echo 1000")

    def has(self, name: str, script: str) -> None:
        (self.bin / name).unlink(missing_ok=True)
        program(self.bin / name, f"#!/bin/sh\n{script}\n")

    def has_python(self, name: str, version: str, modules: tuple[str, ...] = ("ensurepip", "venv")) -> None:
        """An interpreter that thinks it has this version and these of the two modules."""
        self.has(
            name,
            f"""exec {sys.executable} -c '
import sys
sys.version_info = ({version.replace(".", ", ")}, 0)
for name in {{"ensurepip", "venv"}} - set({json.dumps(modules)}):
    sys.modules[name] = None
exec(sys.argv[2] if sys.argv[1] == "-c" else "raise SystemExit(\\"asked to do: \\" + \\" \\".join(sys.argv[1:]))")
' "$@\"""",
        )

    def setup(self, **env: str) -> tuple[int, str]:
        done = run(["sh", "tools/setup", "run"], cwd=self.checkout, env={"PATH": str(self.bin), **env})
        return done.returncode, done.stdout


@pytest.fixture
def machine(tmp_path: Path, checkout: Path) -> Machine:
    return Machine(tmp_path, checkout)


def test_without_any_python(machine: Machine) -> None:
    code, output = machine.setup()
    assert code == 1
    assert output.startswith(
        "tunefleet: Ansible needs Python 3.10 or newer on this machine, and no Python 3 was found;"
    )
    assert len(output.splitlines()) == 1


def test_with_an_old_python(machine: Machine) -> None:
    machine.has_python("python3", "3.9")
    code, output = machine.setup()
    assert code == 1
    assert "and python3 is Python 3.9; install a newer one or name it: PYTHON=" in output
    assert len(output.splitlines()) == 1


def test_a_newer_python_is_found_past_shims_and_old_ones(machine: Machine) -> None:
    machine.has_python("python3", "3.9")
    machine.has("python3.14", "exit 127")
    machine.has_python("python3.12", "3.12")
    output = machine.setup()[1]
    assert "asked to do: -m venv .venv" in output
    assert "python3.12 could not make .venv" in output


def test_a_python_that_can_make_a_venv_is_preferred(machine: Machine) -> None:
    machine.has_python("python3", "3.11", modules=())
    machine.has_python("python3.10", "3.10")
    output = machine.setup()[1]
    assert "python3.10 could not make .venv" in output


def test_named_python(machine: Machine) -> None:
    machine.has_python("python3", "3.12")
    machine.has_python("old", "3.8")
    assert machine.setup(PYTHON="old") == (
        1,
        "tunefleet: PYTHON=old is Python 3.8, but Ansible needs Python 3.10 or newer here.\n",
    )
    assert machine.setup(PYTHON="none; exit 0") == (1, "tunefleet: PYTHON=none; exit 0 does not run.\n")


@pytest.mark.parametrize(
    ("manager", "command"),
    [("apt-get", "apt-get install python3.11-venv"), ("dnf", "dnf install python3-pip")],
)
def test_without_venv_and_without_root(machine: Machine, manager: str, command: str) -> None:
    machine.has_python("python3", "3.11", modules=("venv",))
    machine.has(manager, "exit 1")
    assert machine.setup() == (1, f"tunefleet: Python's venv module is missing here; run: sudo {command}\n")


def test_root_installs_venv_on_debian(machine: Machine) -> None:
    machine.has("id", "echo 0")
    machine.has_python("python3", "3.11", modules=())
    machine.has("apt-get", 'echo "$@" >>apt.log')
    code, output = machine.setup()
    assert code == 1, "the installation has changed nothing here, and that must be said"
    assert output.startswith("Installing python3.11-venv ...")
    calls = (machine.checkout / "apt.log").read_text(encoding="utf-8").splitlines()
    assert calls == ["-q update", "-q -y install python3.11-venv"]


def test_an_unknown_stage(machine: Machine) -> None:
    done = run(["sh", "tools/setup", "nonsense"], cwd=machine.checkout, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 1
    assert 'not "nonsense"' in done.stdout
