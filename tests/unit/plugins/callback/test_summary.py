# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import types
import typing as t

import pytest
from ansible import context
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible.utils.context_objects import CLIArgs

from ansible_collections.tunefleet.linux.plugins.callback.summary import COLORS, CallbackModule
from ansible_collections.tunefleet.linux.plugins.plugin_utils._console import summary

OURS = "tunefleet.linux.profile"
DONE = {"changed": True, "name": "web_server", "settings": [{"key": "k.k", "status": "changed"}], "limits": []}


class Screen:
    """Stands for Ansible's Display."""

    columns = 79

    def __init__(self, verbosity: int = 0) -> None:
        self.verbosity = verbosity
        self.lines: list[str] = []
        self.colors: list[str | None] = []

    def display(self, text: str, color: str | None = None, **_options: t.Any) -> None:
        self.lines.append(text)
        self.colors.append(color)


class Callback(CallbackModule):
    """The callback with its options at hand: reading them from its documentation takes a whole Ansible."""

    def set_option(self, k: str, v: t.Any) -> None:
        self._plugin_options[k] = v

    def show(self) -> Screen:
        return t.cast(Screen, self._display)


@pytest.fixture
def inherited(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which methods of the default callback were called."""
    called: list[str] = []
    for name in [name for name in vars(DefaultCallback) if name.startswith("v2_")] + ["set_options"]:
        monkeypatch.setattr(DefaultCallback, name, lambda *_args, _name=name, **_kwargs: called.append(_name))
    return called


def callback(verbosity: int = 0) -> Callback:
    plugin = Callback()
    plugin._display = Screen(verbosity)
    plugin.set_options()
    return plugin


def result(host: str, data: dict[str, t.Any], old: bool = False, **fields: t.Any) -> t.Any:
    """A task's result, as ansible-core 2.19 and later hand it out, or as the older ones do."""
    task = {"action": OURS, "resolved_action": OURS, "check_mode": False, "loop": None, "_role": None, **fields}
    parts = {
        "task": types.SimpleNamespace(**task),
        "host": types.SimpleNamespace(get_name=lambda: host),
        "result": data,
    }
    return types.SimpleNamespace(**{f"_{name}" if old else name: part for name, part in parts.items()})


@pytest.fixture(autouse=True)
def command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAKELEVEL", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    arguments = {"inventory": ("hosts.yml",), "subset": None, "args": ("site.yml",), "extra_vars": ()}
    monkeypatch.setattr(context, "CLIARGS", CLIArgs(arguments))


@pytest.mark.parametrize("old", [False, True])
def test_each_host_has_a_line_and_a_summary_follows(inherited: list[str], old: bool) -> None:
    plugin = callback()
    plugin.v2_runner_on_ok(result("one", DONE, old))
    assert plugin.show().lines == [], "a single host is told by the summary alone"
    plugin.v2_runner_on_failed(result("two", {"msg": "Refused."}, old))
    plugin.v2_runner_on_unreachable(result("three", {"msg": "Gone."}, old))
    assert plugin.show().lines == ["one: 1 changed", "two: failed: Refused.", "three: unreachable: Gone."]
    plugin.v2_playbook_on_stats(None)
    assert "Apply of web_server on 3 hosts: 1 changed, 1 failed, 1 unreachable." in plugin.show().lines
    assert inherited == ["set_options"]


def test_one_host(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_runner_on_ok(result("one", DONE))
    plugin.v2_playbook_on_stats(None)
    assert plugin.show().lines[:2] == ["", "Apply of web_server on 1 host: 1 changed."]


def test_check_mode_is_an_audit(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_runner_on_ok(result("one", DONE, check_mode=True))
    plugin.v2_playbook_on_stats(None)
    assert "Audit of web_server on 1 host (nothing was written): 1 not as wanted." in plugin.show().lines


WRITTEN = {
    "msg": "1 of 1 host drifted: see /r/a.",
    "report": ["Audit of 1 host: 1 drifted."],
    "files": ["/r/a", "/r/b"],
}


def report(host: str, data: dict[str, t.Any]) -> t.Any:
    return result(host, data, action="tunefleet.linux.report", resolved_action="tunefleet.linux.report")


def test_the_files_of_a_report_are_named_at_the_end(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_runner_on_ok(result("one", DONE, check_mode=True))
    plugin.v2_runner_on_ok(report("one", WRITTEN))
    plugin.v2_playbook_on_stats(None)
    assert plugin.show().lines[-4:] == ["", "Report", "  /r/a", "  /r/b"]
    assert inherited == ["set_options"]


def test_a_report_alone_says_what_is_in_it(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_runner_on_failed(report("localhost", WRITTEN))
    plugin.v2_playbook_on_stats(None)
    assert plugin.show().lines == [
        *("", "Report", "  Audit of 1 host: 1 drifted.", "  /r/a", "  /r/b"),
        "  1 of 1 host drifted: see /r/a.",
    ]
    assert inherited == ["set_options"]


def test_a_short_name_of_the_module_is_known_too(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_runner_on_ok(result("one", DONE, action="profile"))
    plugin.v2_playbook_on_stats(None)
    assert "Apply of web_server on 1 host: 1 changed." in plugin.show().lines


def test_each_round_of_a_loop_counts(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_runner_on_ok(result("one", {"results": [DONE, {**DONE, "name": "open_files"}]}, loop=["a", "b"]))
    plugin.v2_playbook_on_stats(None)
    lines = plugin.show().lines
    assert {"Apply of web_server on 1 host: 1 changed.", "Apply of open_files on 1 host: 1 changed."} <= set(lines)
    assert [line.split()[0] for line in lines if line.startswith("one")] == ["one"]


def test_the_lines_of_one_host_name_their_profiles(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_runner_on_ok(result("one", DONE))
    plugin.v2_runner_on_ok(result("one", {**DONE, "name": "open_files"}))
    plugin.v2_runner_on_ok(result("two", DONE))
    assert plugin.show().lines == ["one: 1 changed", "one (open_files): 1 changed", "two: 1 changed"]


OTHER = {"action": "ansible.builtin.command", "resolved_action": "ansible.builtin.command"}


@pytest.mark.parametrize(
    ("method", "data", "expected"),
    [
        ("v2_runner_on_ok", {"changed": False}, []),
        ("v2_runner_on_ok", {"changed": True}, ["v2_runner_on_ok"]),
        ("v2_runner_on_failed", {"msg": "m"}, ["v2_runner_on_failed"]),
        ("v2_runner_on_unreachable", {"msg": "m"}, ["v2_runner_on_unreachable"]),
    ],
)
def test_other_tasks_speak_when_they_change_or_fail(
    inherited: list[str], method: str, data: dict[str, t.Any], expected: list[str]
) -> None:
    plugin = callback()
    getattr(plugin, method)(result("one", data, **OTHER))
    assert inherited == ["set_options", *expected]


def test_who_fell_before_the_profile_is_in_the_summary(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_runner_on_failed(result("early", {"msg": "No disk."}, **OTHER))
    plugin.v2_runner_on_failed(result("forgiven", {"msg": "m"}, **OTHER), ignore_errors=True)
    plugin.v2_runner_on_ok(result("late", DONE))
    plugin.v2_runner_on_failed(result("late", {"msg": "Afterwards."}, **OTHER))
    plugin.v2_playbook_on_stats(None)
    lines = plugin.show().lines
    assert "Apply of web_server on 2 hosts: 1 changed, 1 failed." in lines
    assert "Failed: early" in lines
    assert not [line for line in lines if "Afterwards" in line or "forgiven" in line]


def test_a_refused_variable_of_our_role_is_no_wall_of_text(inherited: list[str]) -> None:
    role = types.SimpleNamespace(get_name=lambda: "tunefleet.linux.tune")
    plugin = callback()
    plugin.v2_runner_on_failed(result("one", {"msg": "Bad tune_guard."}, **OTHER, _role=role))
    plugin.v2_playbook_on_stats(None)
    assert inherited == ["set_options"]
    assert "  Bad tune_guard." in plugin.show().lines


def test_without_a_profile_it_is_the_default_callback(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_runner_on_ok(result("one", {"changed": True}, **OTHER))
    plugin.v2_playbook_on_stats(None)
    assert inherited[-1] == "v2_playbook_on_stats"
    assert plugin.show().lines == []


def test_verbose_is_the_default_callback_and_the_summary(inherited: list[str]) -> None:
    plugin = callback(verbosity=1)
    plugin.v2_playbook_on_play_start(None)
    plugin.v2_playbook_on_include(None)
    # The default callback takes warnings out of a result when it has printed them.
    data = {**DONE, "warnings": ["Mind the gap."]}
    plugin.v2_runner_on_ok(result("one", data))
    data.clear()
    plugin.v2_on_file_diff(result("one", DONE))
    plugin.v2_playbook_on_stats(None)
    assert inherited == [
        "set_options",
        "v2_playbook_on_play_start",
        "v2_playbook_on_include",
        "v2_runner_on_ok",
        "v2_on_file_diff",
        "v2_playbook_on_stats",
    ]
    assert "Apply of web_server on 1 host: 1 changed." in plugin.show().lines
    assert "  Mind the gap." in plugin.show().lines


def test_quiet_about_plays_and_tasks(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_playbook_on_play_start("the play")
    plugin.v2_playbook_on_include(None)
    assert inherited == ["set_options"]
    assert plugin._plugin_options == {"display_ok_hosts": False, "display_skipped_hosts": False}


def test_diffs_say_whose_they_are(inherited: list[str]) -> None:
    plugin = callback()
    diff = [{"before_header": "f", "after_header": "f", "before": "a\n", "after": "b\n"}]
    plugin.v2_on_file_diff(result("one", {**DONE, "diff": diff}))
    plugin.v2_on_file_diff(result("two", {"changed": False, "diff": diff}))
    assert plugin.show().lines[0] == "one:"
    assert "+b" in plugin.show().lines[1]
    assert len(plugin.show().lines) == 2


def test_a_revert_is_told_as_one(inherited: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKELEVEL", "1")
    plugin = callback()
    taken = {"key": "k.k", "status": "changed", "wanted": "as before", "live": {"before": "8", "after": "4"}}
    plugin.v2_runner_on_ok(
        result("one", {**DONE, "name": None, "state": "reverted", "settings": [taken]}, check_mode=True)
    )
    plugin.v2_playbook_on_stats(None)
    lines = plugin.show().lines
    assert "Revert of every profile on 1 host (nothing was written): 1 would be put back." in lines
    assert "  k.k  8 -> 4" in lines
    assert [line.split("  ")[-1].strip() for line in lines[lines.index("To look closer") + 1 :]] == [
        "make revert DIFF=1 ARGS=--check",
        "make revert VERBOSE=1",
    ]


SPEAKS = {
    "action": "ansible.builtin.debug",
    "resolved_action": "ansible.builtin.debug",
    "vars": {"__tune_prints_itself": True},
}


def test_a_task_that_speaks_for_itself(inherited: list[str]) -> None:
    """As those of the playbook "explain": lines as they are, headings and hazards in their colours, and nothing else."""
    plugin = callback()
    plugin.v2_runner_on_ok(result("one", {"settings": []}, **SPEAKS))
    plugin.v2_runner_on_failed(result("one", {"msg": "Could not look."}, **SPEAKS), ignore_errors=True)
    plugin.v2_runner_on_unreachable(result("two", {"msg": "Gone."}, **SPEAKS))
    assert plugin.show().lines == []
    lines = ["k.k", "  What it does.", "", "What the profiles want", "  a: 1", "    HAZARD: Harm."]
    plugin.v2_runner_on_ok(result("one", {"msg": lines}, **SPEAKS))
    plugin.v2_playbook_on_stats(None)
    assert plugin.show().lines == lines and inherited == ["set_options"]
    head, plain, warning = COLORS[summary.HEAD], COLORS[summary.PLAIN], COLORS[summary.WARN]
    assert plugin.show().colors == [head, plain, plain, head, plain, warning]


def test_a_task_that_speaks_for_itself_fails_in_one_sentence(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_runner_on_failed(result("one", {"msg": "Task failed: 'typo' is no key."}, **SPEAKS))
    plugin.v2_playbook_on_stats(None)
    assert plugin.show().lines == ["'typo' is no key."] and inherited == ["set_options"]


def test_a_task_that_speaks_is_an_ordinary_one_when_more_is_asked_for(inherited: list[str]) -> None:
    plugin = callback(verbosity=1)
    plugin.v2_runner_on_ok(result("one", {"msg": ["line"]}, **SPEAKS))
    assert plugin.show().lines == [] and inherited[-1] == "v2_runner_on_ok"


CALM = {"advice": [], "seconds": 5.0, "unseen": []}
DIAGNOSE = {"action": "tunefleet.linux.diagnose", "resolved_action": "tunefleet.linux.diagnose"}


def test_a_diagnosis_is_told_in_its_own_words(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_runner_on_ok(result("one", CALM, **DIAGNOSE))
    assert plugin.show().lines == []
    plugin.v2_runner_on_unreachable(result("two", {"msg": "Gone."}, **DIAGNOSE))
    assert plugin.show().lines == ["one: calm", "two: unreachable: Gone."]
    plugin.v2_playbook_on_stats(None)
    assert plugin.show().lines[2:4] == ["", "Diagnosis of 2 hosts over 5 s: 1 calm, 1 unreachable."]
    assert inherited == ["set_options"]


def test_a_diagnosis_beside_a_profile(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_runner_on_ok(result("one", DONE))
    plugin.v2_runner_on_ok(result("one", CALM, **DIAGNOSE))
    plugin.v2_playbook_on_stats(None)
    said = [line for line in plugin.show().lines if line.startswith(("Apply", "Diagnosis"))]
    assert [line.split(" ")[0] for line in said] == ["Apply", "Diagnosis"]


@pytest.mark.parametrize(
    ("made", "arguments", "expected"),
    [
        (
            {},
            {},
            [
                "ansible-playbook -i hosts.yml -e tune_profiles=web_server tunefleet.linux.revert",
                "ansible-playbook -i hosts.yml site.yml --check --diff",
            ],
        ),
        (
            {},
            {"subset": "web*", "extra_vars": ("tune_profiles=web_server password=secret",)},
            [
                "ansible-playbook -i hosts.yml --limit 'web*' -e tune_profiles=web_server tunefleet.linux.revert",
                "ansible-playbook -i hosts.yml --limit 'web*' -e tune_profiles=web_server site.yml --check --diff",
            ],
        ),
        (
            {"MAKELEVEL": "1", "LIMIT": "a b", "PROFILES": "x,y", "INVENTORY": ""},
            {},
            [
                "make revert 'LIMIT=a b' PROFILES=web_server",
                "make audit DIFF=1 'LIMIT=a b' PROFILES=x,y",
                "make apply VERBOSE=1 'LIMIT=a b' PROFILES=x,y",
            ],
        ),
    ],
)
def test_how_to_look_closer(
    inherited: list[str],
    monkeypatch: pytest.MonkeyPatch,
    made: dict[str, str],
    arguments: dict[str, t.Any],
    expected: list[str],
) -> None:
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(context, "CLIARGS", CLIArgs({**context.CLIARGS, **arguments}))
    plugin = callback()
    plugin.v2_runner_on_ok(result("one", DONE))
    plugin.v2_playbook_on_stats(None)
    lines = plugin.show().lines
    assert [line.split("  ")[-1].strip() for line in lines[lines.index("To look closer") + 1 :]] == expected


# -- batches ----------------------------------------------------------------------------------------------------------------

GATE = {"action": "tunefleet.linux.gate", "resolved_action": "tunefleet.linux.gate"}
TUNE = types.SimpleNamespace(get_name=lambda: "tunefleet.linux.tune")


def play(*batch: str) -> t.Any:
    known = {"ansible_play_batch": list(batch), "ansible_play_hosts_all": ["one", "two", "three"]}
    return types.SimpleNamespace(
        serial=[1], get_variable_manager=lambda: types.SimpleNamespace(get_vars=lambda play: known)
    )


def gate_says(**ended: str | None) -> dict[str, t.Any]:
    """The end of a batch: for each host what is wrong with it."""
    hosts = [
        {"host": host, "ended": "reverted" if any(ended.values()) else "applied", "problem": problem}
        for host, problem in ended.items()
    ]
    return {"changed": False, "batch": hosts}


def test_a_roll_out_is_told_batch_by_batch(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_playbook_on_play_start(play("one"))
    plugin.v2_runner_on_ok(result("one", DONE, _role=TUNE))
    confirmed = {"ignore_errors": True, "args": {"state": "confirmed"}, "_role": TUNE}
    plugin.v2_runner_on_ok(result("one", {**DONE, "changed": False, "state": "confirmed"}, **confirmed))
    plugin.v2_runner_on_ok(result("one", gate_says(one=None), **GATE))
    plugin.v2_playbook_on_play_start(play("two"))
    plugin.v2_runner_on_ok(result("two", DONE, _role=TUNE))
    # A check that fails, and what is forgiven, is told by the end of the batch.
    plugin.v2_runner_on_failed(result("two", {"msg": "m", "rc": 1}, **OTHER, _role=TUNE), ignore_errors=True)
    plugin.v2_runner_on_unreachable(result("two", {"msg": "m"}, **OTHER, _role=TUNE, ignore_unreachable=True))
    withdrawn = {"ignore_errors": True, "args": {"state": "withdrawn"}, "_role": TUNE}
    plugin.v2_runner_on_ok(result("two", {"changed": True, "state": "withdrawn"}, **withdrawn))
    plugin.v2_runner_on_failed(result("two", {"msg": "Stop.", **gate_says(two="worse")}, **GATE))
    assert plugin.show().lines == [
        "one: 1 changed",
        "Batch 1: applied: one",
        "two: 1 changed",
        "Batch 2: reverted: two",
    ]
    plugin.v2_playbook_on_stats(None)
    lines = plugin.show().lines
    assert "Apply of web_server on 3 hosts: 1 changed, 1 failed, 1 not begun." in lines
    start = lines.index("Batches")
    assert lines[start + 1 : start + 4] == ["  1  applied: one", "  2  reverted: two", "  -  not begun: three"]
    assert "  Worse" in lines and inherited == ["set_options"]


def test_a_batch_that_was_not_touched_is_told_too(inherited: list[str]) -> None:
    plugin = callback()
    plugin.v2_playbook_on_play_start(play("one"))
    told = {"batch": [{"host": "one", "ended": "not touched", "problem": "the check fails already"}]}
    plugin.v2_runner_on_failed(result("one", {"msg": "Stop.", **told}, **GATE))
    plugin.v2_playbook_on_stats(None)
    lines = plugin.show().lines
    assert "  1  not touched: one" in lines and "  -  not begun: two, three" in lines
    assert "  The check fails already" in lines and inherited == ["set_options"]


@pytest.mark.parametrize("through_make", [True, False])
def test_the_command_for_a_trial_that_could_not_be_ended(
    inherited: list[str], monkeypatch: pytest.MonkeyPatch, through_make: bool
) -> None:
    if through_make:
        monkeypatch.setenv("MAKELEVEL", "1")
        monkeypatch.setenv("INVENTORY", "hosts.ini")
    plugin = callback()
    plugin.v2_playbook_on_play_start(play("one", "two"))
    plugin.v2_runner_on_ok(result("one", DONE))
    told = {"batch": [{"host": host, "ended": "NOT reverted", "problem": "gone"} for host in ("one", "two")]}
    plugin.v2_runner_on_failed(result("one", {"msg": "Stop.", **told}, **GATE))
    plugin.v2_playbook_on_stats(None)
    commands = {
        True: "make revert INVENTORY=hosts.ini LIMIT=one,two TRIAL=1",
        False: "ansible-playbook -i hosts.yml --limit one,two -e tune_state=withdrawn tunefleet.linux.revert",
    }
    said = [line for line in plugin.show().lines if "take back what is on trial" in line]
    assert [line.split("on trial  ", 1)[1].strip() for line in said] == [commands[through_make]]
