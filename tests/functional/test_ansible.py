# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole way: roles, playbooks and modules through Ansible itself, against the real kernel."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    LIMITS_FILE,
    PROGRAMS,
    ROOT,
    SYSCTL_FILE,
    Namespace,
)

FIN = "net.ipv4.tcp_fin_timeout"
SUMMARY = {"ANSIBLE_STDOUT_CALLBACK": "tunefleet.linux.summary"}
ROLE = """
- hosts: all
  gather_facts: false
  roles:
    - {role}
"""

# For Python's sitecustomize: writes down which process compiles which file of the collection in an archive.
LISTENER = """
import os, sys
def heard(event, said):
    if event == "compile" and ".zip/ansible_collections/tunefleet" in str(said[1]):
        with open({heard!r}, "a") as stream:
            stream.write("{{0}} {{1}}\\n".format(os.getpid(), said[1]))
sys.addaudithook(heard)
"""
TO_ARCHIVE = ("module_utils/__init__.py", "__init__.py")


class Fleet:
    """One host, the namespace, worked on by Ansible; every start of its Python interpreter is written down."""

    def __init__(self, ns: Namespace, folder: Path) -> None:
        self.ns = ns
        self.folder = folder
        self._log = folder / "executions"
        self._python = folder / "counted-python"
        self._python.write_text(f'#!/bin/sh\necho run >>"{self._log}"\nexec "{sys.executable}" "$@"\n')
        self._python.chmod(0o755)
        (folder / "ansible.cfg").touch()

    def executions(self) -> int:
        """How many modules were run on the host so far."""
        return len(self._log.read_text().splitlines()) if self._log.exists() else 0

    def ansible(self, program: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        options = ["--inventory", "host,", "--connection", "local", "-e", f"ansible_python_interpreter={self._python}"]
        options += ["-e", f"tune_report_dir={self.folder / 'report'}"]
        env.setdefault("ANSIBLE_CONFIG", str(self.folder / "ansible.cfg"))
        env.setdefault("ANSIBLE_LOCAL_TEMP", str(self.folder / "local"))
        env.setdefault("ANSIBLE_REMOTE_TEMP", str(self.folder / "remote"))
        done = self.ns.run(str(PROGRAMS / program), *options, *arguments, env=env, check=False, timeout=180)
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return done

    def play(self, playbook: str, *arguments: str, **env: str) -> Run:
        """Run a playbook: one of the collection by its name, or a text."""
        if "\n" in playbook:
            path = self.folder / "play.yml"
            path.write_text(playbook)
            playbook = str(path)
        return Run(self.ansible("ansible-playbook", playbook, *arguments, **env))


class Run:
    """How a playbook ended."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.status = done.returncode
        self.text = done.stdout + done.stderr
        recap = re.search(r"^host +: (.*)$", done.stdout, re.MULTILINE)
        self.recap = {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", recap.group(1) if recap else "")}

    def ended(self, **recap: int) -> None:
        assert {name: self.recap.get(name) for name in recap} == recap, self.text


@pytest.fixture
def fleet(ns: Namespace, tmp_path: Path) -> Iterator[Fleet]:
    folder = tmp_path / "play"
    folder.mkdir()
    yield Fleet(ns, folder)


def test_the_counter_counts_module_executions(fleet: Fleet) -> None:
    play = "- hosts: all\n  gather_facts: true\n  tasks: [{ping: }, {ping: }]\n"
    fleet.play(play).ended(ok=3, failed=0)
    assert fleet.executions() == 3


@pytest.mark.parametrize("pipelining", ["false", "true"])
def test_a_profile_role_is_one_module_execution_and_the_second_run_changes_nothing(
    fleet: Fleet, pipelining: str
) -> None:
    play, ns = ROLE.format(role="tunefleet.linux.web_server"), fleet.ns
    first = fleet.play(play, ANSIBLE_PIPELINING=pipelining)
    first.ended(changed=1, failed=0, unreachable=0)
    assert fleet.executions() == 1
    keys = ("net.core.somaxconn", FIN, "net.ipv4.tcp_wmem", "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_keepalive_time")
    live = ns.live(*keys)
    assert int(live["net.core.somaxconn"]) >= 8192 and int(live["net.ipv4.tcp_wmem"].split()[2]) >= 16777216
    assert (live[FIN], live["net.ipv4.tcp_tw_reuse"], live["net.ipv4.tcp_keepalive_time"]) == ("30", "1", "1200")
    entries = dict(line.split("=", 1) for line in ns.text(SYSCTL_FILE).splitlines()[1:])
    assert {key: entries[key] for key in keys} == live
    stamp = ns.stamp(SYSCTL_FILE)
    second = fleet.play(play, ANSIBLE_PIPELINING=pipelining)
    second.ended(changed=0, failed=0)
    assert fleet.executions() == 2
    assert ns.stamp(SYSCTL_FILE) == stamp and ns.live(*keys) == live


@pytest.mark.parametrize("file", ["tasks", "vars"])
def test_what_each_host_works_out_names_no_filter_and_no_test(file: str) -> None:
    """For the first one that a template names, Ansible loads all it has, in the process of each host."""
    tree = jinja2.Environment().parse((ROOT / "roles" / "tune" / file / "main.yml").read_text())
    assert len(list(tree.find_all(jinja2.nodes.Name))) > 5
    assert list(tree.find_all((jinja2.nodes.Filter, jinja2.nodes.Test))) == []


@pytest.mark.parametrize("given", [0, "0", "", None])
def test_without_connections_nothing_is_worked_out(fleet: Fleet, given: object) -> None:
    play = ROLE.format(role="tunefleet.linux.web_server")
    fleet.play(play, "--check", "-e", json.dumps({"tune_connections": given})).ended(failed=0)


def test_check_mode_of_a_role_changes_nothing(fleet: Fleet) -> None:
    before = fleet.ns.snapshot()
    run = fleet.play(ROLE.format(role="tunefleet.linux.web_server"), "--check", "--diff")
    run.ended(changed=1, failed=0)
    assert f"+{FIN}=30" in run.text and f"+{FIN} = 30" in run.text
    assert fleet.ns.snapshot() == before and fleet.executions() == 1


def test_audit_is_clean_after_apply_and_names_what_was_altered_by_hand(fleet: Fleet) -> None:
    fleet.play("tunefleet.linux.apply").ended(changed=1, failed=0)
    assert fleet.executions() == 1
    fleet.play("tunefleet.linux.audit").ended(changed=0, failed=0)
    fleet.ns.set_live({FIN: "47"})
    before = fleet.ns.snapshot()
    audit = fleet.play("tunefleet.linux.audit", ANSIBLE_STDOUT_CALLBACK="tunefleet.linux.summary")
    assert audit.status == 0 and fleet.ns.snapshot() == before
    said = [line for line in audit.text.splitlines() if FIN in line]
    assert len(said) == 1 and "47" in said[0] and "30" in said[0], audit.text
    assert "net.ipv4.tcp_keepalive_time" not in audit.text
    fleet.play("tunefleet.linux.apply").ended(changed=1, failed=0)
    assert fleet.ns.live(FIN) == {FIN: "30"}


def test_the_summary_names_what_this_host_cannot_have(fleet: Fleet) -> None:
    run = fleet.play("tunefleet.linux.apply", ANSIBLE_STDOUT_CALLBACK="tunefleet.linux.summary")
    said = [line for line in run.text.splitlines() if "net.core.netdev_max_backlog" in line]
    assert run.status == 0 and said and "belongs to the host" in run.text, run.text


def test_overrides_replace_what_the_profile_says(fleet: Fleet) -> None:
    own = {"tune_sysctl": {FIN: 25, "net.core.somaxconn": {"value": 500}}}
    own["tune_limits"] = [{"domain": "*", "item": "nofile", "soft": 1500, "hard": 1600}]  # type: ignore[assignment]
    run = fleet.play("tunefleet.linux.apply", "-e", json.dumps(own))
    run.ended(changed=1, failed=0)
    assert fleet.ns.live(FIN, "net.core.somaxconn") == {FIN: "25", "net.core.somaxconn": "500"}
    assert fleet.ns.text(LIMITS_FILE).splitlines()[1:3] == ["*\tsoft\tnofile\t1500", "*\thard\tnofile\t1600"]


PROFILE = """---
title: Of a test
summary: Of a test.
sources:
  x: {{title: X, address: "https://example.com/"}}
{0}
"""
PROFILES = {
    "one": "sysctl:\n  net.ipv4.tcp_fin_timeout: {value: 11, why: first, source: [x]}",
    "two": "sysctl:\n  net.ipv4.tcp_fin_timeout: {value: 12, why: second, source: [x]}",
    "risky": "sysctl:\n  net.ipv4.tcp_sack: {value: 0, why: w, source: [x], hazard: slow recovery}",
    "circle": "extends: [round]",
    "round": "extends: [circle]",
    "typo": "sysctl:\n  net.ipv4.tcp_sack: {valeu: 0, why: w, source: [x]}",
}
# Variables of a host, and words of the message that it gets.
REFUSED: dict[str, tuple[dict[str, object], list[str]]] = {
    "unknown_profile": ({"tune_profiles": ["web_servr"]}, ["web_servr", "web_server"]),
    "contradiction": ({"tune_profiles": ["one", "two"]}, [FIN, "one", "two", "11", "12"]),
    "circle": ({"tune_profiles": ["round"]}, ["round", "circle"]),
    "unknown_field": ({"tune_profiles": ["typo"]}, ["net.ipv4.tcp_sack", "'valeu'"]),
    "hazard": ({"tune_profiles": ["risky"]}, ["net.ipv4.tcp_sack", "slow recovery", "accept_hazards"]),
    "malformed_key": ({"tune_sysctl": {"../x": 1}}, ["'../x'", "net.core.somaxconn"]),
    "no_number": ({"tune_sysctl": {FIN: "abc"}}, [FIN, "'abc' is not an integer"]),
    "wrong_length": ({"tune_sysctl": {"net.ipv4.tcp_rmem": [1, 2]}}, ["net.ipv4.tcp_rmem", "takes 3"]),
    "unknown_key": ({"tune_sysctl": {"net.ipv4.tcp_fin_timeou": 3}}, ["did you mean " + FIN]),
    "bad_option": ({"tune_guard": "perhaps"}, ["tune_guard", "perhaps"]),
    "bad_limit": ({"tune_limits": [{"domain": "*", "item": "nofile", "soft": "64k"}]}, ["limits", "64k"]),
}


@pytest.fixture(scope="module")
def refusals(shared: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of the playbook over a host for each kind of bad input."""
    fleet = Fleet(shared, tmp_path_factory.mktemp("refusals"))
    folder = fleet.folder / "profiles"
    folder.mkdir()
    for name, text in PROFILES.items():
        (folder / f"{name}.yml").write_text(PROFILE.format(text))
    hosts = {name: dict(variables, tune_profile_paths=[str(folder)]) for name, (variables, _words) in REFUSED.items()}
    inventory = fleet.folder / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    before = shared.snapshot()
    run = fleet.play("tunefleet.linux.apply", "--inventory", str(inventory), "--limit", "!host")
    assert shared.snapshot() == before, "something was written"
    return run


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_named_and_nothing_is_written(refusals: Run, name: str) -> None:
    said = [line for line in refusals.text.splitlines() if line.startswith(f"fatal: [{name}]: FAILED!")]
    assert len(said) == 1, refusals.text
    lacking = [word for word in REFUSED[name][1] if word not in said[0]]
    assert not lacking, f"{lacking} is not in: {said[0]}"


# Values that a variable of the engine cannot have, and words of the message; the roles of profiles have no check of their own.
MISTYPED: dict[str, tuple[object, list[str]]] = {
    "tune_state": ("gone", ["state", "gone", "applied, reverted"]),
    "tune_sysctl": ("a=1", ["sysctl", "a=1"]),
    "tune_limits": ([5], ["limits", "5"]),
    "tune_prefer": ("nobody", ["prefer names", "nobody"]),
    "tune_profile_paths": ({"a": 1}, ["template"]),
    "tune_accept_hazards": ("perhaps", ["accept_hazards", "perhaps"]),
    "tune_on_unavailable": ("perhaps", ["on_unavailable", "perhaps", "fail, warn, skip"]),
    "tune_on_shadowed": ("perhaps", ["on_shadowed", "perhaps", "warn, fail"]),
    "tune_guard": ("perhaps", ["guard", "perhaps", "refuse, warn, off"]),
    "tune_connections": ("many", ["connections", "many"]),
    "tune_memory_warn": ("much", ["memory_warn", "much"]),
    "tune_memory_refuse": ([1], ["memory_refuse"]),
}


@pytest.fixture(scope="module")
def mistyped(shared: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of the role of a profile over a host for each variable with a value that it cannot have."""
    fleet = Fleet(shared, tmp_path_factory.mktemp("mistyped"))
    inventory = fleet.folder / "hosts.json"
    inventory.write_text(
        json.dumps({"all": {"hosts": {name: {name: value} for name, (value, _said) in MISTYPED.items()}}})
    )
    before = shared.snapshot()
    play = ROLE.format(role="tunefleet.linux.web_server")
    run = fleet.play(play, "--inventory", str(inventory), "--limit", "!host", "--forks", "2")
    assert shared.snapshot() == before, "something was written"
    return run


@pytest.mark.parametrize("name", MISTYPED)
def test_the_role_of_a_profile_refuses_a_variable_that_cannot_be_meant(mistyped: Run, name: str) -> None:
    said = [line.partition("=>") for line in mistyped.text.splitlines() if line.startswith(f"fatal: [{name}]: FAILED!")]
    assert len(said) == 1, mistyped.text
    lacking = [word for word in MISTYPED[name][1] if word not in said[0][2]]
    assert not lacking, f"{lacking} is not in: {said[0][2]}"


def test_a_diagnosis_is_one_module_execution_and_says_what_to_do(fleet: Fleet) -> None:
    calm = fleet.play("tunefleet.linux.diagnose", "-e", "tune_diagnose_seconds=0.5", **SUMMARY)
    assert calm.status == 0 and fleet.executions() == 1
    with fleet.ns.load() as load:
        load("listen", port=8080, backlog=5)
        load.repeat(0.02, "begin", port=8080, count=2)
        before = fleet.ns.snapshot()
        run = fleet.play("tunefleet.linux.diagnose", "-e", "tune_diagnose_seconds=0.5", **SUMMARY)
        assert fleet.ns.snapshot() == before and fleet.executions() == 2
    assert run.status == 0
    said = [line for line in run.text.splitlines() if line.startswith("Diagnosis")]
    assert said == ["Diagnosis of 1 host over 0.5 s: 1 under pressure."], run.text
    assert "A program's own listen queue overflows (accept_queue_backlog)" in run.text
    assert "  Limit     net.core.somaxconn is 4096" in run.text and "accept_queue" not in calm.text


def test_each_module_runs_as_ansible_ships_it(fleet: Fleet) -> None:
    """Packed with all that it imports, as it goes to a host, whose Python does not know the collection."""
    play = """
- hosts: all
  gather_facts: false
  tasks:
    - tunefleet.linux.sysctl: {settings: {net.ipv4.tcp_fin_timeout: 31}}
    - tunefleet.linux.limits: {limits: [{domain: "*", item: nofile, soft: 1500, hard: 1600}]}
    - tunefleet.linux.profile: {name: x, sysctl: {net.ipv4.tcp_keepalive_time: 1000}}
    - tunefleet.linux.sysctl_info: {names: [net.ipv4.tcp_fin_timeout]}
      register: kernel
    - tunefleet.linux.limits_info: {users: [nobody]}
    - tunefleet.linux.socket_info:
      register: sockets
    - tunefleet.linux.diagnose: {seconds: 0.1}
    - assert: {that: ["kernel.settings[0].live.after == '31'", "sockets.source == 'sock_diag'"]}
"""
    (fleet.folder / "sitecustomize.py").write_text(LISTENER.format(heard=str(fleet.folder / "compiled")))
    fleet.play(play, PYTHONPATH=str(fleet.folder)).ended(ok=8, changed=3, failed=0)
    assert fleet.executions() == 7
    # What a process compiles twice is the way to the part that puts an end to it, and the module, whose text runpy asks for again.
    compiled = Counter((fleet.folder / "compiled").read_text().splitlines())
    twice = {line.partition("/plugins/")[2] for line, times in compiled.items() if times > 1} - {""}
    assert "module_utils/_ansiballz.py" in {line.partition("/plugins/")[2] for line in compiled}
    assert {name for name in twice if not name.startswith("modules/")} <= {"module_utils/_ansiballz.py", *TO_ARCHIVE}


def test_the_way_back_through_ansible_when_the_profile_itself_is_gone(fleet: Fleet) -> None:
    path = fleet.folder / "profiles" / "one.yml"
    path.parent.mkdir()
    path.write_text(PROFILE.format(PROFILES["one"]))
    start = fleet.ns.snapshot(stamps=False)
    own = ("-e", json.dumps({"tune_profile_paths": [str(path.parent)]}))
    fleet.play("tunefleet.linux.apply", "-e", "tune_profiles=one", *own).ended(changed=1, failed=0)
    told = fleet.play("tunefleet.linux.apply", ANSIBLE_STDOUT_CALLBACK="tunefleet.linux.summary").text
    # Applied over the other: the way back that is named leads to where this run began.
    assert "ansible-playbook -i host, -e tune_profiles=web_server tunefleet.linux.revert" in told, told
    path.unlink()
    before = fleet.ns.snapshot()
    fleet.play("tunefleet.linux.revert", "--check", "--diff").ended(changed=1, failed=0)
    assert fleet.ns.snapshot() == before
    fleet.play("tunefleet.linux.revert", "-e", "tune_profiles=web_server").ended(changed=1, failed=0)
    assert fleet.ns.live(FIN) == {FIN: "11"}
    executions = fleet.executions()
    fleet.play("tunefleet.linux.revert").ended(changed=1, failed=0)
    assert fleet.executions() == executions + 1
    assert fleet.ns.snapshot(stamps=False) == start
    fleet.play("tunefleet.linux.revert").ended(changed=0, failed=0)


def test_explain_says_what_hosts_have_live_on_file_and_at_boot(fleet: Fleet) -> None:
    fleet.play("tunefleet.linux.apply").ended(failed=0)
    fleet.ns.set_live({FIN: "47"})
    fleet.ns.write("/etc/sysctl.d/zz.conf", f"{FIN} = 20\n")
    before, count = fleet.ns.snapshot(), fleet.executions()
    say = {"ANSIBLE_STDOUT_CALLBACK": "tunefleet.linux.summary", "COLUMNS": "80"}
    run = fleet.play("tunefleet.linux.explain", "-e", f"tune_key={FIN}", **say)
    assert run.status == 0 and fleet.executions() == count + 1 and fleet.ns.snapshot() == before, run.text
    lines = run.text.splitlines()
    assert lines[0] == FIN and "PLAY" not in run.text and "TASK" not in run.text, run.text
    place = next(number for number, line in enumerate(lines) if line.startswith("  memo_ko: "))
    assert lines[place + 1 : place + 4] == [
        f"    line 55   {FIN}=10",
        f"    line 101  {FIN}=30",
        "    line 138  /proc/sys/net/ipv4/tcp_fin_timeout: 180 -> 30",
    ], run.text
    assert "  web_server: 30" in lines
    seen = lines[lines.index("What host has") + 1 :]
    assert seen[:3] == [
        "  live      47",
        "  on file   30 in /etc/sysctl.d/99-tunefleet.conf",
        "  at boot   20, from /etc/sysctl.d/zz.conf:1",
    ], run.text
    assert max(map(len, lines)) <= 80


def test_explain_offers_near_names_and_knows_limits(fleet: Fleet) -> None:
    say = {"ANSIBLE_STDOUT_CALLBACK": "tunefleet.linux.summary"}
    for key in ("tcp_fin_timeuot", "net.ipv4.tcp_fin_timeuot"):
        run = fleet.play("tunefleet.linux.explain", "-e", f"tune_key={key}", **say)
        assert run.status != 0 and len(run.text.splitlines()) == 1, run.text
        assert run.text.startswith(f"'{key}' is n") and "did you mean" in run.text and "tcp_fin_timeout'" in run.text
    fleet.ns.write("/etc/security/limits.conf", "* soft nofile 7777\n")
    run = fleet.play("tunefleet.linux.explain", "-e", "tune_key=nofile", **say)
    assert "  open_files: soft and hard >= 65535 for *" in run.text.splitlines()
    assert "  sessions  *: soft 7777 (/etc/security/limits.conf:1)" in run.text, run.text
    fleet.ns.write("/etc/systemd/system/tf-mine.service", "[Service]\nLimitNOFILE=700:800\n")
    run = fleet.play("tunefleet.linux.explain", "-e", "tune_key=nofile", **say)
    assert "tf-mine.service: soft 700, hard 800" in run.text and "tf-mine.service:2)" in run.text, run.text


GOOD_ENTRY = "value: 1, why: W., source: [kernel_ip]"
HEAD = "title: T\nsummary: S\n"
BAD_PROFILES = {
    "field": (
        HEAD + f"sysctl:\n  a.b: {{{GOOD_ENTRY}, hazzard: H}}\n",
        ":4: a.b has no field 'hazzard'; did you mean 'hazard'",
    ),
    "type": (HEAD + "sysctl:\n  a.b: {value: yes, why: W., source: [kernel_ip]}\n", ":4: a.b must be a number"),
    "range": (
        HEAD + "sysctl:\n  net.ipv4.tcp_sack: {value: 300, why: W., source: [kernel_ip]}\n",
        ":4: net.ipv4.tcp_sack: 300 is outside the kernel's range 0 .. 255",
    ),
    "why": (HEAD + "sysctl:\n  a.b: {value: 1, source: [kernel_ip]}\n", ":4: a.b has no 'why'; every one needs it."),
    "source": (HEAD + "sysctl:\n  a.b: {value: 1, why: W.}\n", ":4: a.b has no 'source'; every one needs it."),
    "cycle": (
        HEAD + "extends: [cycle2]\n",
        "cycle2.yml:3: profiles extend each other in a circle: cycle -> cycle2 -> cycle. Remove one",
    ),
    "cycle2": (
        HEAD + "extends: [cycle]\n",
        "cycle.yml:3: profiles extend each other in a circle: cycle2 -> cycle -> cycle2. Remove one",
    ),
    "yaml": (HEAD + "sysctl: {\n", ": this is not YAML"),
    "latin": (HEAD + "# \udcff\n", ":3: the file is not UTF-8 (byte 0xff)."),
}


def test_a_bad_profile_gets_one_sentence_with_file_and_place_and_reaches_no_host(fleet: Fleet) -> None:
    folder = fleet.folder / "named"
    folder.mkdir()
    for name, (text, _sentence) in BAD_PROFILES.items():
        (folder / f"{name}.yml").write_text(text, errors="surrogateescape")
    (folder / "unreadable.yml").mkdir()
    cases = {name: sentence for name, (_text, sentence) in BAD_PROFILES.items()}
    cases["unreadable"] = "unreadable.yml: the file cannot be read: Is a directory."
    tasks = [
        {
            "name": name,
            "ansible.builtin.import_role": {"name": "tunefleet.linux.tune"},
            "vars": {"tune_profiles": [name], "tune_profile_paths": [str(folder)]},
            "ignore_errors": True,
        }
        for name in cases
    ]
    before = fleet.ns.snapshot()
    play = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
    run = fleet.play(
        "---\n" + json.dumps(play) + "\n", ANSIBLE_STDOUT_CALLBACK="tunefleet.linux.summary", COLUMNS="140"
    )
    said = " ".join(run.text.split())
    for name, sentence in cases.items():
        assert said.count(" ".join(sentence.split())) == 1, f"{name}: {run.text}"
        if sentence.startswith(":"):
            assert f"{folder}/{name}.yml{sentence.split(' ')[0]}" in said
    assert "Errno" not in said and "while parsing" not in said, run.text
    assert fleet.executions() == 0 and fleet.ns.snapshot() == before
