# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which way a module takes to its host; with a real ssh and a real sudo in tests/functional/test_ssh_pipelining.py."""

from __future__ import annotations

import gc
import importlib
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible.plugins.action import normal

from ansible_collections.tunefleet.linux.plugins.plugin_utils import _action

ROOT = Path(__file__).resolve().parents[4]
DONE = {"changed": True}
NO_TERMINAL = {
    "failed": True,
    "rc": 1,
    "module_stdout": "",
    "module_stderr": "Warning: Permanently added 'web1' (ED25519) to the list of known hosts.\r\n"
    "sudo: Entschuldigung, Sie benötigen ein TTY, um sudo auszuführen\n",
}


class Become:
    def __init__(self, name: str, password: str | None = None) -> None:
        self.name = name
        self._password = password

    def get_option(self, option: str) -> str | None:
        assert option == "become_pass"
        return self._password


class Connection:
    """A connection, and a host behind it that answers what it is told to."""

    def __init__(
        self, *answers: dict[str, t.Any], become: Become | None = None, origin: str | None = "default"
    ) -> None:
        self.has_pipelining = True
        self.become = become
        self.origin = origin
        self.answers = list(answers)
        self.piped = False
        self.ways: list[bool] = []

    def get_option_and_origin(self, option: str, hostvars: t.Any) -> tuple[bool, str]:
        assert (option, hostvars) == ("pipelining", {"a": 1})
        if self.origin is None:
            raise KeyError(option)
        return False, self.origin

    def set_option(self, option: str, value: bool) -> None:
        assert option == "pipelining"
        self.piped = value


@pytest.fixture(autouse=True)
def garbage() -> Iterator[None]:
    yield
    gc.enable()


def run(monkeypatch: pytest.MonkeyPatch, connection: Connection) -> t.Any:
    def answer(self: t.Any, tmp: t.Any, task_vars: t.Any) -> dict[str, t.Any]:
        assert (tmp, task_vars, gc.isenabled()) == ("tmp", {"a": 1}, False)
        connection.ways.append(connection.piped)
        return connection.answers.pop(0)

    monkeypatch.setattr(normal.ActionModule, "run", answer)
    action = object.__new__(_action.ActionModule)
    action._connection = connection
    return action.run("tmp", task_vars={"a": 1})


@pytest.mark.parametrize("become", [None, Become("sudo"), Become("ansible.builtin.sudo"), Become("sudo", "")])
def test_a_module_is_piped(monkeypatch: pytest.MonkeyPatch, become: Become | None) -> None:
    connection = Connection(DONE, become=become)
    assert run(monkeypatch, connection) == DONE
    assert connection.ways == [True]


@pytest.mark.parametrize(
    "origin", ["var: ansible_pipelining", "env: ANSIBLE_PIPELINING", "ansible.cfg", "Direct", None]
)
def test_what_somebody_chose_stays(monkeypatch: pytest.MonkeyPatch, origin: str | None) -> None:
    connection = Connection(DONE, origin=origin)
    assert run(monkeypatch, connection) == DONE
    assert connection.ways == [False]


@pytest.mark.parametrize(
    "become", [Become("sudo", "secret"), Become("su"), Become("community.general.doas"), Become("pseudo")]
)
def test_other_ways_to_become_root_are_left_to_ansible(monkeypatch: pytest.MonkeyPatch, become: Become) -> None:
    connection = Connection(DONE, become=become)
    assert run(monkeypatch, connection) == DONE
    assert connection.ways == [False]


def test_a_connection_that_cannot_do_it_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection(DONE)
    connection.has_pipelining = False
    assert run(monkeypatch, connection) == DONE
    assert connection.ways == [False]


def test_where_sudo_wants_a_terminal_it_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection(NO_TERMINAL, DONE, become=Become("sudo"))
    assert run(monkeypatch, connection) == DONE
    assert connection.ways == [True, False]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"failed": True, "msg": "the kernel rejected it"}, id="the module failed"),
        pytest.param(dict(NO_TERMINAL, module_stderr="Killed\n", rc=137), id="the module was killed"),
        pytest.param(
            dict(NO_TERMINAL, module_stderr="sudo: unable to resolve host web1: Name or service not known\n", rc=137),
            id="sudo warned, and the module was killed",
        ),
        pytest.param(dict(NO_TERMINAL, module_stdout="{"), id="the module has said something"),
        pytest.param(dict(NO_TERMINAL, failed=False), id="it did not fail"),
    ],
)
def test_what_may_have_run_is_not_run_again(monkeypatch: pytest.MonkeyPatch, answer: dict[str, t.Any]) -> None:
    connection = Connection(answer, become=Become("sudo"))
    assert run(monkeypatch, connection) == answer
    assert connection.ways == [True]


MODULES = sorted(
    path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if "import AnsibleModule" in path.read_text()
)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_that_runs_on_a_host_goes_this_way(module: str) -> None:
    action = importlib.import_module(f"ansible_collections.tunefleet.linux.plugins.action.{module}")
    assert action.ActionModule is _action.ActionModule
