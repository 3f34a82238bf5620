# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The stdout callback tunefleet.linux.summary."""

# Ansible's base classes are not typed throughout, and its constants come into being at run time.
# mypy: disable-error-code="no-untyped-call,attr-defined"

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
type: stdout
author:
  - The tunefleet.linux authors (@tunefleet)
short_description: Say what profiles did to which host, in words for people
version_added: 0.1.0
description:
  - Prints one line for each host as soon as its profile is through, and at the end a summary of what changed, what could not be
    set and why, what is needed before all of it holds, and how to look closer. Hosts that say the same share a line.
  - Of M(tunefleet.linux.diagnose) it prints the advice, once for all hosts that get the same, and one line when all is calm.
  - Of the task that writes the report of an audit it says where the files are.
  - Of a play with C(serial) it says what happened to which batch, and which hosts were not begun.
  - Of other tasks it shows changes and failures, as P(ansible.builtin.default#callback) does.
  - From C(-v) on it prints everything that P(ansible.builtin.default#callback) prints, and the summary after that.
  - Nothing is needed on the hosts.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - Set as stdout callback, for example with C(ANSIBLE_STDOUT_CALLBACK=tunefleet.linux.summary).
seealso:
  - plugin: tunefleet.linux.profile
    plugin_type: module
  - plugin: tunefleet.linux.diagnose
    plugin_type: module
"""

import os
import shlex
import shutil
import typing as t
from dataclasses import replace

from ansible import constants as C
from ansible import context
from ansible.plugins.callback.default import CallbackModule as DefaultCallback

from ansible_collections.tunefleet.linux.plugins.plugin_utils._console import diagnosis, summary

MODULE = "tunefleet.linux.profile"
DIAGNOSE = "tunefleet.linux.diagnose"
REPORT = "tunefleet.linux.report"
GATE = "tunefleet.linux.gate"
OUR_ROLES = "tunefleet.linux."

COLORS: t.Final = {
    summary.PLAIN: None,
    summary.HEAD: C.COLOR_HIGHLIGHT,
    summary.GOOD: C.COLOR_OK,
    summary.CHANGE: C.COLOR_CHANGED,
    summary.WARN: C.COLOR_WARN,
    summary.BAD: C.COLOR_ERROR,
}


class CallbackModule(DefaultCallback):
    """The default callback, quiet about tasks, with a summary about settings."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "tunefleet.linux.summary"

    def __init__(self) -> None:
        super().__init__()
        self._outcomes: list[summary.Outcome] = []
        self._diagnoses: list[summary.Outcome] = []
        # What befell hosts elsewhere; told only of those whose profile never got its turn.
        self._elsewhere: dict[str, summary.Outcome] = {}
        # Hosts that have a line. That of the first waits for a second host: alone it would repeat the summary.
        self._told: set[str] = set()
        self._waiting: list[summary.Line] = []
        # Whether a task printed text of its own, as that of the playbook "explain" does.
        self._spoken = False
        # Those that a play with "serial" has begun.
        self._batches: list[summary.Batch] = []
        # What the task that writes the report files returned.
        self._report: dict[str, t.Any] = {}

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        if self._quiet:
            # The default callback then prints the banner of a task no sooner than it has something to say about it.
            self.set_option("display_ok_hosts", False)
            self.set_option("display_skipped_hosts", False)

    @property
    def _quiet(self) -> bool:
        return bool(self._display.verbosity == 0)

    # Results

    def v2_runner_on_ok(self, result: t.Any) -> None:
        if self._quiet and _speaks(result):
            self._say(_data(result).get("msg"))
            return
        if self._keep(result, summary.DONE) or (self._quiet and not _data(result).get("changed")):
            return
        super().v2_runner_on_ok(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        if self._quiet and _speaks(result):
            if not ignore_errors:
                self._show(summary.Line(summary.plain_message(_data(result)), summary.BAD))
                self._spoken = True
            return
        if not self._keep(result, summary.FAILED, forgiven=ignore_errors):
            super().v2_runner_on_failed(result, ignore_errors=ignore_errors)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        if self._quiet and _speaks(result):
            return
        forgiven = bool(getattr(_task(result), "ignore_unreachable", False))
        if not self._keep(result, summary.UNREACHABLE, forgiven=forgiven):
            super().v2_runner_on_unreachable(result)

    def v2_on_file_diff(self, result: t.Any) -> None:
        if not (self._quiet and _runs_profile(result)):
            super().v2_on_file_diff(result)
            return
        for part in _parts(result):
            if part.get("changed") and part.get("diff"):
                self._show(summary.Line(f"{_host(result)}:", summary.HEAD))
                self._display.display(self._get_diff(part["diff"]))

    def _keep(self, result: t.Any, state: str, forgiven: bool = False) -> bool:
        """Take note of a result; True when nothing else needs to be printed about it."""
        if self._quiet and _runs(result, REPORT):
            self._report = dict(_data(result), failed=state != summary.DONE)
            return True
        if _runs(result, GATE):
            self._end_batch(_data(result), bool(_task(result).check_mode))
            return self._quiet
        if _is_of_our_roles(result) and (_ends_trial(result) or (forgiven and not _runs_profile(result))):
            return self._quiet  # what comes of it is told by the end of the batch
        diagnoses = _runs(result, DIAGNOSE)
        ours = diagnoses or _runs_profile(result) or (state != summary.DONE and _is_of_our_roles(result))
        # A copy, for the default callback takes out of a result what it has printed.
        outcomes = [
            summary.Outcome(_host(result), state, bool(_task(result).check_mode), dict(part)) for part in _parts(result)
        ]
        if ours:
            (self._diagnoses if diagnoses else self._outcomes).extend(outcomes)
        elif state != summary.DONE and not forgiven:
            self._elsewhere[_host(result)] = outcomes[0]
        if not (ours and self._quiet):
            return False
        for outcome in outcomes:
            again = outcome.host in self._told
            self._told.add(outcome.host)
            self._tell(
                diagnosis.progress(outcome, _width()) if diagnoses else summary.progress(outcome, _width(), again)
            )
        return True

    def _end_batch(self, data: t.Mapping[str, t.Any], check: bool) -> None:
        """Take note of how the hosts of a batch ended, once that is told."""
        payload = data.get("batch") or ()
        if not (payload and self._batches):
            return
        ended = {str(entry["host"]): str(entry["ended"]) for entry in payload}
        problems = {str(entry["host"]): str(entry["problem"]) for entry in payload if entry["problem"]}
        self._batches[-1] = replace(self._batches[-1], ended=ended, problems=problems)
        if self._quiet:
            self._tell(summary.batch_progress(self._batches[-1], len(self._batches), _width(), check))

    def _tell(self, line: summary.Line) -> None:
        self._waiting.append(line)
        if len(self._told) > 1:
            for waiting in self._waiting:
                self._show(waiting)
            self._waiting.clear()

    # The course of the run

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        if getattr(play, "serial", None):
            known = play.get_variable_manager().get_vars(play=play)
            self._batches.append(summary.Batch(known["ansible_play_batch"], known["ansible_play_hosts_all"]))
        if self._quiet:
            self._play = play
        else:
            super().v2_playbook_on_play_start(play)

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        if not self._quiet:
            super().v2_playbook_on_no_hosts_remaining()

    def v2_playbook_on_include(self, included_file: t.Any) -> None:
        if not self._quiet:
            super().v2_playbook_on_include(included_file)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        reached = {outcome.host for outcome in self._outcomes}
        outcomes = [*self._outcomes, *(outcome for host, outcome in self._elsewhere.items() if host not in reached)]
        outcomes = summary.rolled_out(outcomes, self._batches)
        gated = any(batch.ended for batch in self._batches)
        if not (self._quiet and (self._outcomes or self._diagnoses or self._report or self._spoken or gated)):
            super().v2_playbook_on_stats(stats)
        if self._outcomes or gated:
            commands = [*_left_on_trial(self._batches), *_commands(outcomes)]
            self._page(summary.render(outcomes, _width(), commands, self._batches))
        if self._diagnoses:
            self._page(diagnosis.render(self._diagnoses, _width()))
        if self._report:
            self._page(summary.report_files(self._report, _width(), payload=bool(self._outcomes)))

    def _page(self, lines: t.Iterable[summary.Line]) -> None:
        self._show(summary.Line(""))
        for line in lines:
            self._show(line)

    def _say(self, message: t.Any) -> None:
        """Print the lines of a task that speaks for itself; nothing when it only looked at something."""
        before = ""
        for line in map(str, message if isinstance(message, list) else []):
            hazard = line.lstrip().startswith("HAZARD: ")
            self._show(summary.Line(line, summary.HEAD if not before else summary.WARN if hazard else summary.PLAIN))
            self._spoken, before = True, line

    def _show(self, line: summary.Line) -> None:
        self._display.display(line.text, color=COLORS[line.tone])


def _task(result: t.Any) -> t.Any:
    return getattr(result, "task", None) or result._task  # ansible-core before 2.19 knows the second alone


def _host(result: t.Any) -> str:
    host = getattr(result, "host", None) or result._host
    return str(host.get_name())


def _data(result: t.Any) -> dict[str, t.Any]:
    data: dict[str, t.Any] = result.result if hasattr(result, "result") else result._result
    return data


def _parts(result: t.Any) -> list[dict[str, t.Any]]:
    """What the module returned: once, or once for each round of a loop."""
    data = _data(result)
    rounds = data.get("results") if _task(result).loop else None
    return list(rounds) if rounds else [data]


def _runs_profile(result: t.Any) -> bool:
    return _runs(result, MODULE)


def _ends_trial(result: t.Any) -> bool:
    """Whether a task of the role "tune" ends a trial as a part of a roll-out; the playbook "revert" may ask for nothing else."""
    return (
        _runs_profile(result)
        and bool(getattr(_task(result), "ignore_errors", False))
        and ((getattr(_task(result), "args", None) or {}).get("state") in ("confirmed", "withdrawn"))
    )


def _runs(result: t.Any, module: str) -> bool:
    task = _task(result)
    return module in (task.action, getattr(task, "resolved_action", None))


def _speaks(result: t.Any) -> bool:
    """Whether the task is one of the playbook "explain", which says all there is to say in its own words."""
    return bool((getattr(_task(result), "vars", None) or {}).get("__tune_prints_itself"))


def _is_of_our_roles(result: t.Any) -> bool:
    """Whether the task belongs to a role of this collection, as the check of its variables does."""
    role = _task(result)._role
    return role is not None and str(role.get_name()).startswith(OUR_ROLES)


def _width() -> int:
    columns = shutil.get_terminal_size(fallback=(100, 24)).columns
    return min(max(columns, 60), 140)


def _commands(outcomes: t.Sequence[summary.Outcome]) -> list[tuple[str, str]]:
    """What to type to see more about this run."""
    if "MAKELEVEL" in os.environ:  # Only who came through make has the Makefile; it hands on what was typed.
        typed = [f"{name}={os.environ[name]}" for name in ("INVENTORY", "LIMIT", "PROFILES") if os.environ.get(name)]
        command = "audit" if all(outcome.check for outcome in outcomes) else "apply"
        compare = ["make", "audit", "DIFF=1", *typed]
        if any(outcome.reverted for outcome in outcomes):
            command = "revert"
            compare = ["make", "revert", "DIFF=1", *typed, "ARGS=--check"]
        commands = [
            ("compare, with each line of the files", compare),
            ("all about each setting", ["make", command, "VERBOSE=1", *typed]),
        ]
    else:
        commands = [("compare, with each line of the files", _playbook(outcomes))]
    return [*_way_back(outcomes), *((what, shlex.join(words)) for what, words in commands)]


def _left_on_trial(batches: t.Iterable[summary.Batch]) -> list[tuple[str, str]]:
    """The command for hosts where a trial could not be ended; the next run of a profile there does it as well."""
    ends = (summary.NOT_REVERTED, summary.NOT_CONFIRMED)
    hosts = ",".join(host for batch in batches for host, ended in batch.ended.items() if ended in ends)
    if not hosts:
        return []
    if "MAKELEVEL" in os.environ:
        typed = [f"INVENTORY={os.environ['INVENTORY']}"] if os.environ.get("INVENTORY") else []
        return [("take back what is on trial", shlex.join(["make", "revert", *typed, f"LIMIT={hosts}", "TRIAL=1"]))]
    command = [*_on_hosts(hosts), "-e", "tune_state=withdrawn", "tunefleet.linux.revert"]
    return [("take back what is on trial", shlex.join(command))]


def _way_back(outcomes: t.Sequence[summary.Outcome]) -> list[tuple[str, str]]:
    """The command that takes back what was changed, when something was."""
    changed = [outcome for outcome in outcomes if outcome.differs and not (outcome.check or outcome.reverted)]
    if not changed:
        return []
    profiles = {outcome.profile for outcome in changed}
    name = profiles.pop() if len(profiles) == 1 else ""
    if "MAKELEVEL" in os.environ:
        typed = [f"{entry}={os.environ[entry]}" for entry in ("INVENTORY", "LIMIT") if os.environ.get(entry)]
        return [("take it back", shlex.join(["make", "revert", *typed, *([f"PROFILES={name}"] if name else [])]))]
    command = [*_on_hosts(), *(["-e", f"tune_profiles={name}"] if name else []), "tunefleet.linux.revert"]
    return [("take it back", shlex.join(command))]


def _on_hosts(only: str = "") -> list[str]:
    """The command with the hosts that this run was for, or some of them."""
    command = ["ansible-playbook"]
    for inventory in context.CLIARGS.get("inventory") or ():
        command += ["-i", str(inventory)]
    if only or context.CLIARGS.get("subset"):
        command += ["--limit", only or str(context.CLIARGS["subset"])]
    return command


def _playbook(outcomes: t.Iterable[summary.Outcome]) -> list[str]:
    """The command that would run this playbook once more, writing nothing."""
    arguments = context.CLIARGS
    command = _on_hosts()
    profiles = {outcome.profile for outcome in outcomes if outcome.profile}
    # Variables given on the command line may be secrets; the names of profiles are not.
    if len(profiles) == 1 and any("tune_profiles" in str(given) for given in arguments.get("extra_vars") or ()):
        command += ["-e", f"tune_profiles={profiles.pop()}"]
    return [*command, *map(str, arguments.get("args") or ()), "--check", "--diff"]
