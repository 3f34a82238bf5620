# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A playbook changes the name of the module and nothing else: ansible.posix.sysctl and ours do the same, task by task.

Both run the same tasks on equal machines. Whatever a playbook can see of it is compared; where we mean to differ, a table
says in what and why, and nothing else may differ there either.
"""

from __future__ import annotations

import contextlib
import re
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import dropin as sysctl_dropin
from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    SYSCTL_FILE,
    ModuleRunner,
    Namespace,
    NotPossible,
    Outcome,
    path_of,
)
from ansible_collections.tunefleet.linux.tests.environments.peer import DEFAULT_FILE, Peer, why_absent

FIN = "net.ipv4.tcp_fin_timeout"
KEEPALIVE = "net.ipv4.tcp_keepalive_time"
SYNCOOKIES = "net.ipv4.tcp_syncookies"
SACK = "net.ipv4.tcp_sack"
ECN = "net.ipv4.tcp_ecn"
RMEM = "net.ipv4.tcp_rmem"
PORTS = "net.ipv4.ip_local_reserved_ports"
FLUSH = "net.ipv4.route.flush"
NOWHERE = "net.ipv4.no_such_key"
HOST_ONLY = "vm.swappiness"
FRESH = {FIN: "60", KEEPALIVE: "7200", SYNCOOKIES: "1", SACK: "1", ECN: "2", RMEM: "4096 131072 6291456", PORTS: ""}
WATCHED = [*FRESH, HOST_ONLY]
FILE = "/etc/sysctl.d/50-site.conf"
CONTENT = f"# ours\n{KEEPALIVE}=7200\n\n; {FIN}=9\n{SYNCOOKIES}=1\n"
EXACT = ("name cannot be blank", "value cannot be None", "value cannot be blank")
BEGINNINGS = (r"setting \S+ failed: ", "Failed to reload sysctl: ", "Failed to open ")
KINDS = (
    ("read-only", r"Read-only file system|permission denied on key|/proc/sys is read-only here"),
    ("unknown key", r"cannot stat /proc/sys|no such key on this kernel"),
    ("refused value", r'setting key "|the kernel refused|\(legal: '),
    ("options", r"^missing required arguments|^one of the following is required|^value of \w+ must be one of"),
    ("options", r"^state is present but all of the following are missing|is not a valid boolean"),
)
Facts = dict[str, Any]


class Case(NamedTuple):
    """Tasks that are run one after the other on a machine with these files and live values.

    ``link`` is where FILE leads as a link. ``unlike`` names what is meant to differ, each with the reason.
    """

    name: str
    tasks: list[dict[str, Any]]
    content: str | None = None
    live: Mapping[str, str] = {}
    link: str | None = None
    mode: int | None = None
    unlike: Mapping[str, str] = {}


def present(value: Any = 30, name: Any = FIN, **options: Any) -> dict[str, Any]:
    return dict(options, name=name, value=value)


def absent(name: str = FIN, **options: Any) -> dict[str, Any]:
    return dict(options, name=name, state="absent")


def twice(task: dict[str, Any]) -> list[dict[str, Any]]:
    return [task, task]


def checked(task: dict[str, Any]) -> dict[str, Any]:
    """The task in check mode."""
    return dict(task, check_mode=True)


def _options() -> Iterator[Case]:
    """Every setting of reload and sysctl_set, on a host whose live value or entry is there, differs, or is missing."""
    for reload in (True, False):
        for sysctl_set in (True, False):
            for live in ("30", "60"):
                for entry in (None, "30", "60"):
                    task = present(reload=reload, sysctl_set=sysctl_set)
                    name = f"reload_{reload}-sysctl_set_{sysctl_set}-live_{live}-entry_{entry}".lower()
                    content = None if entry is None else f"{FIN}={entry}\n"
                    yield Case(name, [checked(task), task, task], content, {FIN: live})


def _words() -> Iterator[Case]:
    """Words that mean a switch, in any case, and the booleans of YAML."""
    for value in ("yes", "on", "true", "y", "t", "1", "Yes", "ON", True, 1):
        yield Case(f"word_{value!r}", [present(value, SACK)], live={SACK: "0"})
    for value in ("no", "off", "false", "n", "f", "0", "No", "OFF", False, 0):
        yield Case(f"word_{value!r}", [present(value, SACK)])


SAME = [
    *_options(),
    *_words(),
    Case("text", twice(present("30"))),
    Case("blanks_around_the_value", twice(present("  30 "))),
    Case("blanks_around_the_name", twice(present(name=f"  {FIN} "))),
    Case("aliases", twice({"key": FIN, "val": 30})),
    Case("switches_as_text", twice(present(reload="no", sysctl_set="yes", ignoreerrors="off"))),
    Case("state_said_outright", twice(present(state="present"))),
    Case("several_numbers", twice(present("4096 87380 16777216", RMEM))),
    Case("several_numbers_are_there", [present("4096 131072 6291456", RMEM)] * 2),
    Case("one_number_of_several_differs", [present("4096 131072 6291456", RMEM), present("4096 131072 7291456", RMEM)]),
    Case("port_list_as_the_kernel_writes_it", twice(present("8080-8081,9000", PORTS))),
    Case("one_value_after_the_other", [present(30), present(40), present(40), present(30)]),
    Case("one_key_after_the_other", [present(30), present(1200, KEEPALIVE), present(40), present(2, SYNCOOKIES)]),
    Case("ignoreerrors_on_a_key_that_is_there", twice(present(ignoreerrors=True))),
    Case("refused_value_set_at_once", [present(256, ECN, sysctl_set=True)], CONTENT),
    Case("refused_value_set_at_once_with_ignoreerrors", [present(256, ECN, sysctl_set=True, ignoreerrors=True)]),
    Case("unknown_key_set_at_once", [present(1, NOWHERE, sysctl_set=True)], CONTENT),
    Case("unknown_key_for_the_file_alone", twice(present(1, NOWHERE, reload=False))),
    Case("unknown_key_absent", twice(absent(NOWHERE)), f"{FIN}=60\n{NOWHERE}=1\n"),
    Case("key_that_cannot_be_written_set_at_once", [present(11, HOST_ONLY, sysctl_set=True)]),
    Case("key_that_cannot_be_written_for_the_file_alone", twice(present(11, HOST_ONLY, reload=False))),
    Case("key_that_cannot_be_written_absent", twice(absent(HOST_ONLY)), f"{FIN}=60\n{HOST_ONLY}=1\n"),
    Case("name_blank", [present(name="")], CONTENT),
    Case("name_null", [present(name=None)], CONTENT),
    Case("name_blank_and_absent", [absent("")], CONTENT),
    Case("name_missing", [{"value": 30}], CONTENT),
    Case("value_null", [present(None)], CONTENT),
    Case("value_blank", [present("")], CONTENT),
    Case("value_null_in_check_mode", [checked(present(None))], CONTENT),
    Case("value_blank_of_absent", twice(dict(absent(), value="")), f"{CONTENT}{FIN}=30\n"),
    Case("value_null_of_absent", twice(dict(absent(), value=None)), f"{CONTENT}{FIN}=30\n"),
    Case("state_unheard_of", [present(state="latest")], CONTENT),
    Case("switch_unheard_of", [present(reload="perhaps")], CONTENT),
    Case("absent", [checked(absent()), *twice(absent())], f"{CONTENT}{FIN}=30\n", {FIN: "30"}),
    Case("absent_with_a_value", twice(dict(absent(), value=99)), f"{CONTENT}{FIN}=30\n"),
    Case("absent_without_reload", twice(absent(reload=False)), f"{CONTENT}{FIN}=30\n", {FIN: "30"}),
    Case("absent_with_sysctl_set", twice(absent(sysctl_set=True)), f"{CONTENT}{FIN}=30\n", {FIN: "30"}),
    Case("absent_that_was_never_there", twice(absent()), CONTENT),
    Case("absent_without_a_file", twice(absent())),
    Case("absent_of_a_commented_line", twice(absent()), f"#{FIN}=30\n# {FIN} = 30\n"),
    Case("absent_of_two_lines", twice(absent()), f"{FIN}=30\n{KEEPALIVE}=7200\n{FIN}=40\n"),
    Case("there_and_gone_and_there", [present(), absent(), present(), absent()], CONTENT),
    Case("other_lines", twice(present()), CONTENT),
    Case("other_lines_and_ours_in_the_middle", twice(present()), f"{KEEPALIVE}=7200\n{FIN}=50\n# end\n"),
    Case("entry_twice_in_a_row", twice(present()), f"{KEEPALIVE}=7200\n{FIN}=50\n{FIN}=40\n# end\n"),
    Case("entry_with_blanks", [present(), present(31)], f"{FIN}  =  30\n", {FIN: "30"}),
    Case("entry_that_is_indented", twice(present(31)), f"  {FIN}=30\n"),
    Case("entry_with_a_comment_behind_it", twice(present()), f"{FIN}=30 # why\n", {FIN: "30"}),
    Case("commented_entry_stays", twice(present()), f"#{FIN}=30\n"),
    Case("line_that_is_no_assignment", twice(present(reload=False)), f"{FIN}\nnonsense\n"),
    Case("empty_file", twice(present()), "#\n"),
    Case("last_line_without_its_end", twice(present()), f"# x\n{KEEPALIVE}=7200"),
    Case("last_line_is_the_entry_without_its_end", twice(present()), f"# x\n{FIN}=60"),
    Case("file_that_boot_does_not_read", twice(present(sysctl_file="/etc/site.txt"))),
    Case("path_that_is_not_tidy", twice(present(sysctl_file="/etc//sysctl.d/../site.txt"))),
    Case("file_behind_a_link", [present(), *twice(absent())], CONTENT, link="/etc/real.conf"),
    Case("file_behind_a_relative_link", [present(), *twice(absent())], CONTENT, link="../real.conf"),
    Case("private_file_stays_private", twice(present()), CONTENT, mode=0o600),
    Case("file_that_others_may_write", twice(present()), CONTENT, mode=0o666),
]

# What is meant to differ. A facet that is not named here has to be the same for these as well.
DIFFERENT = [
    Case(
        "two_lines_with_others_between",
        twice(present()),
        f"{FIN}=50\n{KEEPALIVE}=7200\n{FIN}=40\n",
        unlike={"lines": "the last line decides at boot, so it is the one that is kept"},
    ),
    Case(
        "nothing_is_left_in_a_file_that_the_module_made",
        [present(), absent()],
        unlike={"exists": "a file that only we wrote goes with its last entry; the other one stays, empty"},
    ),
    Case(
        "duplicates_of_other_keys",
        twice(present()),
        f"{KEEPALIVE}=1000\n{KEEPALIVE}=7200\n",
        unlike={
            "lines": "the first of two lines of another key was kept, though the last one is in force",
            "live": "reloading then sets the value that was not in force",
        },
    ),
    Case(
        "layout_of_other_lines",
        twice(present()),
        f"  {KEEPALIVE} = 7200\n",
        unlike={"lines": "blanks of lines of others were taken out"},
    ),
    Case(
        "bad_line_of_another_key",
        twice(present()),
        f"{NOWHERE}=1\n",
        unlike={
            "failure": "the task failed for a line that is none of its business, after everything was changed",
            "changed": "and so did not say that it changed something",
        },
    ),
    Case(
        "other_lines_that_are_not_in_force",
        twice(present()),
        f"{KEEPALIVE}=1000\n",
        unlike={"live": "a task for one key set every other key of the file"},
    ),
    Case(
        "unknown_key",
        twice(present(1, NOWHERE)),
        unlike={"lines": "the entry was written although the task failed", "exists": "in a file made for it"},
    ),
    Case(
        "unknown_key_in_check_mode",
        [checked(present(1, NOWHERE))],
        unlike={"failure": "check mode did not foresee the failure", "changed": "and promised a change"},
    ),
    Case(
        "unknown_key_with_ignoreerrors",
        twice(present(1, NOWHERE, ignoreerrors=True)),
        unlike={
            "changed": "it was changed on every run",
            "lines": "and kept for a boot that cannot set it",
            "exists": "in a file made for it",
        },
    ),
    Case(
        "refused_value",
        twice(present(256, ECN)),
        unlike={"lines": "the entry was written although the task failed", "exists": "in a file made for it"},
    ),
    Case(
        "refused_value_in_check_mode",
        [checked(present(1 << 40))],
        unlike={"failure": "check mode did not foresee the failure", "changed": "and promised a change"},
    ),
    Case(
        "refused_value_for_the_file_alone",
        [present(1 << 40, reload=False)],
        unlike={
            "failure": "a value that no kernel takes was kept for the next boot without a word",
            "changed": "as a change",
            "lines": "with its line",
            "exists": "and its file",
        },
    ),
    Case(
        "key_that_cannot_be_written",
        twice(present(11, HOST_ONLY)),
        unlike={"lines": "the entry was written although the task failed", "exists": "in a file made for it"},
    ),
    Case(
        "tabs_in_the_entry",
        twice(present("4096 131072 6291456", RMEM)),
        f"{RMEM}=4096\t131072\t6291456\n",
        unlike={"changed": "the entry is the same value", "lines": "so its line stays as it is"},
    ),
    Case(
        "tabs_in_the_value",
        twice(present("4096\t131072  6291456", RMEM)),
        unlike={"lines": "we write one blank between numbers"},
    ),
    Case(
        "other_spelling_of_a_number",
        twice(present("0x1e")),
        unlike={"changed": "the kernel reads it as 30 and shows 30, changed on every run", "lines": "we write 30"},
    ),
    Case(
        "port_list_that_the_kernel_merges",
        twice(present("8080,8081", PORTS)),
        unlike={"changed": "changed on every run", "lines": "we write what the kernel makes of it"},
    ),
    Case(
        "number_of_the_entry_spelled_otherwise",
        twice(present("30")),
        f"{FIN}=0x1e\n",
        {FIN: "30"},
        unlike={"changed": "the entry is the same value", "lines": "so its line stays as it is"},
    ),
    Case(
        "write_only_key",
        twice(present(1, FLUSH)),
        unlike={
            "failure": "a write to it is an action, not a state, so there is nothing to keep",
            "changed": "it was changed on every run",
            "lines": "and triggered at every boot",
            "exists": "from a file made for it",
        },
    ),
    Case(
        "name_with_slashes",
        twice(present(name="net/ipv4/tcp_fin_timeout")),
        f"{FIN}=60\n",
        unlike={"lines": "it was added beside the same key with dots"},
    ),
    Case(
        "entry_with_a_dash",
        twice(present()),
        f"-{FIN}=60\n",
        unlike={
            "lines": "the dash of sysctl.d(5) was not understood, and a second line was added",
        },
    ),
    Case(
        "absent_of_an_empty_value",
        twice(absent(PORTS)),
        f"# x\n{PORTS}=\n",
        unlike={"changed": "the line stayed, and it said that nothing was to be done", "lines": "it is removed"},
    ),
    Case(
        "empty_value_of_a_key_that_takes_one",
        twice(present("", PORTS)),
        live={PORTS: "8080"},
        unlike={
            "failure": "there are keys whose value may be empty",
            "changed": "it is set",
            "live": "in the kernel",
            "lines": "and for the next boot",
            "exists": "in a file made for it",
        },
    ),
    Case(
        "blank_name_of_blanks",
        [present(name="  ")],
        unlike={
            "failure": "the name was not trimmed before it was looked at",
            "lines": "and a line without a name was written",
            "exists": "to a new file",
        },
    ),
    Case(
        "directory_that_is_missing",
        twice(present(sysctl_file="/etc/no/such/place.conf")),
        unlike={
            "failure": "the directory is made",
            "changed": "with the file",
            "lines": "and the entry",
            "exists": "where the other one ended with a traceback",
            "live": "before it set the value",
        },
    ),
    Case(
        "one_as_a_broken_number",
        twice(present("1.0", SACK)),
        live={SACK: "0"},
        unlike={
            "failure": "1.0 means 1, as its list of true values says; the kernel was given the text",
            "changed": "so it is set",
            "live": "in the kernel",
            "lines": "and for the next boot",
        },
    ),
]


class Machine:
    """One of the two machines: the tasks run on it, and what a playbook could see is read from it."""

    def __init__(self, ns: Namespace, peer: Peer | None) -> None:
        self.ns = ns
        self._peer = peer
        # One shell for all of it, as starting one for each value would take most of the time.
        self._shell = subprocess.Popen(
            ["nsenter", f"--target={ns.pid}", "--net", "--mount", "--ipc", "--", "sh", "-eu"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def close(self) -> None:
        self._shell.communicate(timeout=10)

    def _sh(self, script: str) -> list[str]:
        assert self._shell.stdin is not None and self._shell.stdout is not None
        self._shell.stdin.write(script + "\necho --end--\n")
        self._shell.stdin.flush()
        lines: list[str] = []
        for line in self._shell.stdout:
            if line == "--end--\n":
                return lines
            lines.append(line.rstrip("\n"))
        raise AssertionError(f"the shell ended within: {script}")

    def live(self) -> dict[str, str]:
        found = {}
        for line in self._sh("grep -H '' " + " ".join(path_of(key) for key in WATCHED)):
            path, _colon, value = line.partition(":")
            found[path] = " ".join(value.split())
        return {key: found[path_of(key)] for key in WATCHED}

    def lay_out(self, case: Case) -> None:
        values = {**FRESH, **case.live}
        self._sh(
            "rm -rf /etc/sysctl.d/* /etc/sysctl.conf /etc/site.txt /etc/real.conf /etc/no"
            + (f"\nln -s {case.link} {FILE}" if case.link else "")
            + "".join(f"\necho '{value}' >{path_of(key)}" for key, value in values.items())
        )
        target = "/etc/real.conf" if case.link else FILE
        if case.content is not None:
            self.ns.write(target, case.content)
        if case.mode is not None:
            self.ns.path(target).chmod(case.mode)

    def run(self, task: Mapping[str, Any]) -> Outcome:
        options = {"sysctl_file": FILE, **task}
        if options["sysctl_file"] is None:
            del options["sysctl_file"]
        check_mode = options.pop("check_mode", False)
        if self._peer is not None:
            return self._peer.sysctl(options, check_mode=check_mode)
        return self.ns.module("sysctl", options, check_mode=check_mode)

    def facts(self, outcome: Outcome, path: str) -> Facts:
        data = self.ns.read("/etc/real.conf" if self.ns.path(path).is_symlink() else path)
        lines = (data or b"").decode().splitlines()
        return {
            "changed": outcome.changed,
            "failure": failure(outcome),
            "exists": data is not None,
            # All of the file but the comment that a new one of ours begins with.
            "lines": [line for line in lines if line != sysctl_dropin.HEADER.decode().rstrip("\n")],
            "link": self.ns.path(path).is_symlink(),
            "mode": stat.S_IMODE(self.ns.path(path).lstat().st_mode) if data is not None else None,
            "live": self.live(),
        }


def failure(outcome: Outcome) -> str | None:
    """The kind of a failure, with the words that it begins with; a playbook may look for those, and for the exact texts of some."""
    if not outcome.failed:
        return None
    if outcome.msg in EXACT:
        return outcome.msg
    begins = next((words for words in BEGINNINGS if re.match(words, outcome.msg)), "")
    return begins + next((kind for kind, words in KINDS if re.search(words, outcome.msg)), outcome.msg)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory, runner: ModuleRunner) -> Iterator[tuple[Machine, Machine]]:
    reason = why_absent()
    if reason:
        pytest.skip(reason)
    folder: Path = tmp_path_factory.mktemp("machines")
    with contextlib.ExitStack() as stack:
        made: list[Machine] = []
        for name in ("theirs", "ours"):
            try:
                ns = Namespace(folder / name, runner)
            except NotPossible as problem:
                pytest.skip(str(problem))
            stack.callback(ns.close)
            made.append(Machine(ns, Peer(runner, ns) if name == "theirs" else None))
            stack.callback(made[-1].close)
        yield made[0], made[1]


def seen(machine: Machine, case: Case) -> list[Facts]:
    machine.lay_out(case)
    return [machine.facts(machine.run(task), task.get("sysctl_file", FILE)) for task in case.tasks]


@pytest.mark.parametrize("case", [pytest.param(one, id=one.name) for one in SAME])
def test_the_same_tasks_come_to_the_same(machines: tuple[Machine, Machine], case: Case) -> None:
    theirs, ours = (seen(machine, case) for machine in machines)
    assert ours == theirs


@pytest.mark.parametrize("case", [pytest.param(one, id=one.name) for one in DIFFERENT])
def test_only_what_is_meant_to_differ_differs(machines: tuple[Machine, Machine], case: Case) -> None:
    theirs, ours = (seen(machine, case) for machine in machines)
    differing = {name for a, b in zip(theirs, ours) for name in a if a[name] != b[name]}
    if "exists" in differing:
        differing.discard("mode")
    assert differing == set(case.unlike), f"theirs {theirs}, ours {ours}"


def test_the_default_file_is_one_that_every_boot_reads(machines: tuple[Machine, Machine]) -> None:
    """The one option whose default differs: systemd-sysctl reads /etc/sysctl.conf through a link only, which Debian 13 dropped."""
    theirs, ours = machines
    for machine, path, other in ((theirs, DEFAULT_FILE, SYSCTL_FILE), (ours, SYSCTL_FILE, DEFAULT_FILE)):
        machine.lay_out(SAME[0])
        outcome = machine.run({"name": FIN, "value": 30, "sysctl_file": None})
        assert outcome.changed
        assert machine.ns.text(path).splitlines()[-1] == FIN + "=30"
        assert machine.ns.read(other) is None
