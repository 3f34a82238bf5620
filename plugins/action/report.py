# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action tunefleet.linux.report. Its documentation is that of the module of this name."""

# Ansible's base classes are not typed throughout.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.tunefleet.linux.plugins.plugin_utils._console import summary
from ansible_collections.tunefleet.linux.plugins.plugin_utils._console import text as console_text
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import library as profile_library
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import model as profile_model
from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import files as report_files
from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import fleet as fleet_report
from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import headline, html, junit

ARGUMENT_SPEC: t.Final = {
    "dest": {"type": "path", "default": "tunefleet-report"},
    "merge": {"type": "list", "elements": "path"},
    "result": {"type": "str", "default": "tune_result"},
    "time": {"type": "str"},
    "fail_on_drift": {"type": "bool", "default": False},
    "profile_paths": {"type": "list", "elements": "path", "default": []},
}


class ActionModule(ActionBase):
    """Runs on the controller, and there alone: no connection is opened."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        wanted = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)[1]
        variables = task_vars or {}
        try:
            document = _audited(wanted, variables) if wanted["merge"] is None else _merged(wanted["merge"])
            result.update(self._report(document, Path(wanted["dest"])))
        except fleet_report.FleetProblem as problem:
            # Without its cause, for newer releases of ansible-core print that sentence once more.
            raise AnsibleActionFail(str(problem)) from None
        complaint = headline.failure_message(document, wanted["fail_on_drift"], fail_on_lost=wanted["merge"] is None)
        # Only what a person should read is printed without being asked for.
        result["_ansible_verbose_always"] = True
        if complaint:
            result.update(failed=True, msg=f"{complaint}: see {result['files'][0]}.")
        return result

    def _report(self, document: fleet_report.Data, folder: Path) -> dict[str, t.Any]:
        """Write the files, unless in check mode, and say what they say."""
        texts = {
            "fleet.html": html.to_html(document),
            "fleet.json": fleet_report.to_json(document),
            "junit.xml": junit.to_junit(document),
        }
        check_mode = bool(self._task.check_mode)
        files = [folder / name for name in texts] if check_mode else report_files.write(folder.absolute(), texts)
        lines = headline.lines(document)
        return {
            "changed": False,
            "msg": lines[0],
            "report": lines,
            "files": [str(path) for path in files],
            # What Automation Controller keeps of a job, for the workflow that the job is part of.
            "ansible_stats": {"data": {"tunefleet_audit": document["summary"]}, "per_host": False, "aggregate": False},
        }


def _merged(paths: list[str]) -> fleet_report.Data:
    return fleet_report.merge([(console_text.one_line(path), report_files.load(Path(path))) for path in paths])


def _audited(wanted: Mapping[str, t.Any], variables: Mapping[str, t.Any]) -> fleet_report.Data:
    """The document about every host of the play, also those that are gone from it."""
    hostvars = variables["hostvars"]
    outcomes = [
        _outcome(host, hostvars[host], wanted["result"])
        for host in dict.fromkeys(variables.get("ansible_play_hosts_all") or ())
    ]
    folders = [Path(variables.get("playbook_dir") or ".") / entry for entry in ("profiles", *wanted["profile_paths"])]
    return fleet_report.build(outcomes, _sources(folders, outcomes), _time(wanted["time"]))


def _outcome(host: str, known: Mapping[str, t.Any], name: str) -> summary.Outcome:
    """What came of a host: what was registered, or what failed before anything could be."""
    answer = known.get(name)
    answer = answer if isinstance(answer, Mapping) else {}
    if answer.get("unreachable"):
        return summary.Outcome(host, summary.UNREACHABLE, True, answer)
    failed = known.get("ansible_failed_result")
    if isinstance(failed, Mapping) and not (answer.get("failed") and "settings" in answer):
        return summary.Outcome(host, summary.FAILED, True, failed)
    if answer.get("failed"):
        return summary.Outcome(host, summary.FAILED, True, answer)
    if "settings" not in answer:
        return summary.Outcome(host, summary.FAILED, True, {"msg": "The audit did not come to this host."})
    return summary.Outcome(host, summary.DONE, True, answer)


def _sources(folders: list[Path], outcomes: list[summary.Outcome]) -> dict[str, profile_model.Source]:
    """Titles and addresses of what settings name as their source, as far as the profiles can be found here."""
    library = profile_library.Library(folders)
    found = dict(library.shared_sources)
    for name in sorted({name for outcome in outcomes for name in outcome.profile.split(",") if name}):
        try:
            for profile in library.load([name]).values():
                found.update(profile.sources)
        except profile_model.ProfileProblem:
            continue  # A report without a title is better than none.
    return found


def _time(given: str | None) -> str | None:
    """The time as it was given.

    :raises FleetProblem: when it is not ISO 8601.
    """
    if not given:
        return None
    try:
        # Python before 3.11 does not know the letter for UTC.
        datetime.datetime.fromisoformat(given.replace("Z", "+00:00"))
    except ValueError as error:
        raise fleet_report.FleetProblem(
            f"The time of a report is ISO 8601, such as 2026-11-22T03:00:00Z, found {console_text.one_line(given)!r}."
        ) from error
    return given
