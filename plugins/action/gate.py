# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action tunefleet.linux.gate. Its documentation is that of the module of this name."""

# Ansible's base classes are not typed throughout.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Mapping

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.tunefleet.linux.plugins.plugin_utils import _rollout
from ansible_collections.tunefleet.linux.plugins.plugin_utils._console import summary

ARGUMENT_SPEC: t.Final = {
    "stage": {"type": "str", "required": True, "choices": ["baseline", "before", "settle", "after", "end"]},
    "seconds": {"type": "float", "default": 0},
}
Data = dict[str, t.Any]
Hosts = Mapping[str, _rollout.Answers]


class ActionModule(ActionBase):
    """Runs on the controller, once for a whole batch."""

    # What is decided is decided for all hosts together. The strategy "free", where there is no such moment, refuses it.
    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: Data | None = None) -> Data:
        result: Data = super().run(tmp, task_vars)
        wanted = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)[1]
        hosts = _answers(task_vars or {})
        result.update(changed=False)
        stages: dict[str, Callable[[], Data]] = {
            "baseline": lambda: _wait(_problems(hosts, _rollout.before_problem), wanted["seconds"]),
            "before": lambda: _before(hosts),
            "settle": lambda: _wait(_problems(hosts, _rollout.apply_problem), wanted["seconds"]),
            "after": lambda: _after(hosts),
            "end": lambda: _end(hosts),
        }
        result.update(stages[wanted["stage"]]())
        return result


def _answers(variables: Mapping[str, t.Any]) -> Hosts:
    """What was registered of each host of the batch."""
    hostvars = variables.get("hostvars") or {}
    found = {}
    for host in variables.get("ansible_play_batch") or ():
        known = hostvars[host]  # once, for all variables of the host are put together for it
        found[host] = {name: known[name] for name in _rollout.ANSWERS if name in known}
    return found


def _wait(problems: Mapping[str, str], seconds: float) -> Data:
    """Wait, unless something went wrong already."""
    if not problems:
        time.sleep(seconds)
    return {"good": not problems}


def _before(hosts: Hosts) -> Data:
    problems = _problems(hosts, _rollout.before_problem)
    if not problems:
        return {"good": True}
    endings = dict.fromkeys(hosts, summary.UNTOUCHED)
    return {**_told(endings, problems), "failed": True, "msg": _message(endings, problems)}


def _after(hosts: Hosts) -> Data:
    problems = _problems(hosts, _rollout.after_problem)
    return {"good": not problems, "problems": problems}


def _end(hosts: Hosts) -> Data:
    problems = _problems(hosts, _rollout.after_problem)
    for text, members in _rollout.unseen(hosts).items():
        Display().warning(f"{summary.named(members)}: {text}, so it was not held against what it was before.")
    endings = {}
    for host, answers in hosts.items():
        endings[host], note = _rollout.ending(answers, not problems)
        if note:
            problems[host] = f"{problems[host].rstrip('.')}; {note}" if host in problems else note
    data = _told(endings, problems)
    return {**data, "failed": True, "msg": _message(endings, problems)} if problems else data


def _problems(hosts: Hosts, judge: Callable[[_rollout.Answers], str]) -> dict[str, str]:
    found = {host: judge(answers) for host, answers in hosts.items()}
    return {host: problem for host, problem in found.items() if problem}


def _told(endings: Mapping[str, str], problems: Mapping[str, str]) -> Data:
    """What the summary is made of."""
    return {
        "good": not problems,
        "batch": [{"host": host, "ended": ended, "problem": problems.get(host)} for host, ended in endings.items()],
    }


def _message(endings: Mapping[str, str], problems: Mapping[str, str]) -> str:
    said = " ".join(f"{host}: {problem.rstrip('.')}." for host, problem in problems.items())
    return f"The batch is not well, and the roll-out ends with it. {_rollout.described(list(endings), endings)}. {said}"
