# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options of the module ``sysctl`` -> a request. Pure; private to ``tunefleet.linux``."""

import typing as t

from .. import _errors
from .._core import bound as bounds
from .._core import request as requests
from .._core import shape as shapes
from .._sysctl import catalog
from .._sysctl import names as sysctl_names
from .._sysctl import settings as sysctl_settings
from . import messages

Options = t.Mapping[str, t.Any]


def _takes_numbers(name: str) -> bool:
    facts = catalog.find(sysctl_names.canonical_pattern(name))
    return facts is not None and facts.shape.kind == shapes.INTEGERS


def _single_setting(options: Options) -> t.Mapping[str, t.Any]:
    """The entry of O(name) and O(value). The texts of its refusals are those of ansible.posix.sysctl."""
    name = str(options["name"]).strip()
    if not name:
        raise _errors.TuneError("name cannot be blank")
    if options["state"] == "present":
        if options["value"] is None:
            raise _errors.TuneError("value cannot be None")
        if options["value"] == "" and _takes_numbers(name):
            raise _errors.TuneError("value cannot be blank")
    return {name: options["value"]}


def _live(options: Options) -> bool:
    """Whether kernel values are set: by O(live), or as ansible.posix.sysctl does with O(reload) and O(sysctl_set)."""
    if options["live"] is not None:
        return bool(options["live"])
    return options["name"] is None or bool(options["reload"] or options["sysctl_set"])


def _absent_settings(entries: t.Iterable[str]) -> t.List[requests.SettingRequest]:
    """The desired_settings that entries disappear, one for a key that is there under two spellings."""
    found: t.Dict[str, requests.SettingRequest] = {}
    problems: t.List[str] = []
    for name in entries:
        try:
            key = sysctl_names.canonical(name)
            found[key] = requests.SettingRequest(key, bounds.ABSENT)
        except _errors.NameProblem as problem:
            problems.append(str(problem))
    if problems:
        raise _errors.EntryProblems(problems)
    return list(found.values())


def parse(options: Options) -> requests.Request:
    """The request of the module ``sysctl``.

    :raises TuneError: when an option or an entry cannot be meant.
    """
    if not _live(options) and not options["persist"]:
        raise _errors.TuneError(messages.NOTHING_TO_DO())
    single = options["name"] is not None
    if not single and options["settings"] is None:
        # An explicit null passes for given in Ansible's own check of the options.
        raise _errors.TuneError("name cannot be blank")
    entries = _single_setting(options) if single else options["settings"]
    if options["state"] == "absent":
        desired_settings = _absent_settings(entries)
    else:
        desired_settings = sysctl_settings.parse(entries)
    policy = requests.Policy(
        sysctl_file=options["sysctl_file"],
        live=_live(options) and options["state"] == "present",
        persist=options["persist"],
        on_unavailable=requests.SKIP if options["ignoreerrors"] else options["on_unavailable"],
        on_shadowed=options["on_shadowed"],
        # A playbook that sets key after key breaks rules in between, as ansible.posix.sysctl lets it.
        strict=not single,
    )
    return requests.Request(settings=desired_settings, policy=policy, what="the module sysctl")
