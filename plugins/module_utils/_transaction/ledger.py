# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What profiles changed on a host, so that it can be reverted. Pure; private to ``tunefleet.linux``.

The ledger keeps the options of each applied profile. It also keeps two states of each kernel parameter, file and process limit that
profiles changed: the state before the first profile (*original*) and the one that the last profile wrote (*applied*). To revert a
profile, the remaining profiles are planned again on the original state, and the result is restored. Values that differ from what was
applied were changed externally and are kept.
"""

import binascii
import hashlib
import json
import typing as t

from .. import _errors
from .._core import plan as plans
from .._core import steps as step_types
from .._sysctl import names as sysctl_names
from . import messages

PATH = "/var/lib/tunefleet/ledger.json"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
_FORMAT = 2
# More than any host needs; it only keeps generated names from filling the disk.
_MOST_PROFILES = 50
Options = t.Mapping[str, t.Any]


class LiveRecord(t.NamedTuple):
    """Texts of a kernel parameter: before the first profile changed it, and as the last one applied it."""

    original: str
    applied: str


class FileRecord(t.NamedTuple):
    """Bytes of a file (None: no file), and the directories that were made for it."""

    path: str
    original: t.Optional[bytes]
    applied: t.Optional[bytes]
    directories: t.Tuple[str, ...] = ()


class ProcessRecord(t.NamedTuple):
    """One limit of a running process. ``boot`` and ``started`` distinguish the process from others with its id; see SetRlimit."""

    boot: str
    pid: int
    started: str
    name: str
    number: int
    original: t.Tuple[int, int]
    applied: t.Tuple[int, int]

    @property
    def step(self) -> step_types.SetRlimit:
        """The step that restores the original limit."""
        return step_types.SetRlimit(self.pid, self.started, self.name, self.number, self.applied, self.original)


class ProfileRecord(t.NamedTuple):
    """An applied profile, or the part of it that was last requested at one time: a name may have several records.

    ``options`` is what was requested, without what was requested again later. ``keys`` are the kernel parameters that it changed, or
    shares with another profile, ``files`` the files that it changed, and ``processes`` the limits of running processes.
    """

    name: str
    options: Options
    keys: t.Tuple[str, ...] = ()
    files: t.Tuple[str, ...] = ()
    processes: t.Tuple[str, ...] = ()


class PendingSysctl(t.NamedTuple):
    """A kernel parameter of an unfinished run: the text to restore, and the one that the run wrote, or meant to.

    ``beside`` holds the texts of the keys that the kernel changes with it.
    """

    key: str
    restore_to: str
    attempted: str
    beside: t.Tuple[t.Tuple[str, str], ...] = ()


class PendingFile(t.NamedTuple):
    """A file of an unfinished run: the content to restore (None: no file), and the one that the run wrote, or meant to."""

    path: str
    real: str
    restore_to: t.Optional[bytes]
    attempted: t.Optional[bytes]
    directories: t.Tuple[str, ...] = ()

    def step(self, current: t.Optional[bytes], desired: t.Optional[bytes]) -> step_types.WriteFile:
        """The step that replaces the current content by the desired one."""
        return step_types.WriteFile(self.path, self.real, current, desired, self.directories)


class PendingLimit(t.NamedTuple):
    """A limit of a running process of an unfinished run: the pair to restore, and the one that the run set, or meant to."""

    pid: int
    started: str
    name: str
    number: int
    restore_to: t.Tuple[int, int]
    attempted: t.Tuple[int, int]

    @property
    def step(self) -> step_types.SetRlimit:
        """The step that restores the limit."""
        return step_types.SetRlimit(self.pid, self.started, self.name, self.number, self.attempted, self.restore_to)


class Unfinished(t.NamedTuple):
    """A run that has begun. If the next run finds it, it was killed, and everything pending is restored.

    A run that applies a profile is undone: the former values are restored. A run that reverts is completed.

    A trial is complete and waits for a confirmation: ``trial`` is its id, and ``confirmed_ledger`` the ledger after that.
    """

    description: str
    boot: str
    live: t.Tuple[PendingSysctl, ...] = ()
    files: t.Tuple[PendingFile, ...] = ()
    processes: t.Tuple[PendingLimit, ...] = ()
    trial: str = ""
    confirmed_ledger: t.Optional["Ledger"] = None


class Ledger(t.NamedTuple):
    """Everything that the ledger holds. If a run is unfinished, the rest is the state after its recovery."""

    profiles: t.Tuple[ProfileRecord, ...] = ()
    live: t.Mapping[str, LiveRecord] = {}
    files: t.Mapping[str, FileRecord] = {}
    processes: t.Mapping[str, ProcessRecord] = {}
    unfinished: t.Optional[Unfinished] = None


EMPTY = Ledger()


def parse(data: t.Optional[bytes]) -> Ledger:
    """The ledger in a file; the empty one for no file.

    :raises TuneError: if it is damaged, or written by a newer release.
    """
    if data is None:
        return EMPTY
    try:
        content = json.loads(data.decode("utf-8"))
        version = content["format"]
        if isinstance(version, int) and version > _FORMAT:
            raise _errors.TuneError(messages.LEDGER_TOO_NEW(path=PATH, version=version, known=_FORMAT))
        if version != _FORMAT or content.pop("checksum") != _checksum(content):
            raise _errors.TuneError(messages.LEDGER_DAMAGED(path=PATH, reason=messages.CHECKSUM_DIFFERS()))
        return _parsed(content)
    except KeyError as error:
        raise _errors.TuneError(messages.LEDGER_DAMAGED(path=PATH, reason=messages.FIELD_MISSING(field=str(error))))
    except (ValueError, TypeError, AttributeError) as error:
        raise _errors.TuneError(messages.LEDGER_DAMAGED(path=PATH, reason=str(error)))


def _checksum(content: t.Mapping[str, t.Any]) -> str:
    plain = {name: value for name, value in content.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode("utf-8")).hexdigest()


def _parsed(content: t.Mapping[str, t.Any]) -> Ledger:
    pending = content["unfinished"]
    return Ledger(
        tuple(
            ProfileRecord(
                profile["name"],
                profile["options"],
                tuple(profile["keys"]),
                tuple(profile["files"]),
                tuple(profile.get("processes", ())),
            )
            for profile in content["profiles"]
        ),
        {key: LiveRecord(item["original"], item["applied"]) for key, item in content["live"].items()},
        {
            real: FileRecord(
                item["path"], _bytes(item["original"]), _bytes(item["applied"]), tuple(item["directories"])
            )
            for real, item in content["files"].items()
        },
        {
            key: ProcessRecord(**dict(item, original=tuple(item["original"]), applied=tuple(item["applied"])))
            for key, item in content.get("processes", {}).items()
        },
        Unfinished(
            pending["description"],
            pending["boot"],
            tuple(
                PendingSysctl(
                    entry["key"],
                    entry["restore_to"],
                    entry["attempted"],
                    tuple((key, text) for key, text in entry["beside"]),
                )
                for entry in pending["live"]
            ),
            tuple(
                PendingFile(
                    file["path"],
                    file["real"],
                    _bytes(file["restore_to"]),
                    _bytes(file["attempted"]),
                    tuple(file["directories"]),
                )
                for file in pending["files"]
            ),
            tuple(_process(entry) for entry in pending.get("processes", ())),
            pending.get("trial", ""),
            _parsed(pending["confirmed_ledger"]) if pending.get("confirmed_ledger") else None,
        )
        if pending
        else None,
    )


def _process(entry: t.Dict[str, t.Any]) -> PendingLimit:
    pairs = {field: tuple(entry[field]) for field in ("restore_to", "attempted")}
    return PendingLimit(**dict(entry, **pairs))


def _bytes(text: t.Optional[str]) -> t.Optional[bytes]:
    return None if text is None else binascii.a2b_base64(text)


def _text(data: t.Optional[bytes]) -> t.Optional[str]:
    return None if data is None else binascii.b2a_base64(data, newline=False).decode("ascii")


def render(ledger: Ledger) -> t.Optional[bytes]:
    """The bytes of the file; None if there is nothing to keep."""
    if ledger == EMPTY:
        return None
    # Through JSON, so that the checksum is that of the content as it will be parsed.
    content = json.loads(json.dumps(dict(_content(ledger), format=_FORMAT)))
    content["checksum"] = _checksum(content)
    return json.dumps(content, sort_keys=True, indent=1).encode("utf-8") + b"\n"


def _content(ledger: Ledger) -> t.Dict[str, t.Any]:
    pending = ledger.unfinished
    return {
        "profiles": [dict(profile._asdict()) for profile in ledger.profiles],
        "live": {key: dict(item._asdict()) for key, item in ledger.live.items()},
        "files": {
            real: dict(item._asdict(), original=_text(item.original), applied=_text(item.applied))
            for real, item in ledger.files.items()
        },
        "processes": {key: dict(item._asdict()) for key, item in ledger.processes.items()},
        "unfinished": None
        if pending is None
        else {
            "description": pending.description,
            "boot": pending.boot,
            "live": [dict(entry._asdict()) for entry in pending.live],
            "files": [
                dict(file._asdict(), restore_to=_text(file.restore_to), attempted=_text(file.attempted))
                for file in pending.files
            ],
            "processes": [dict(process._asdict()) for process in pending.processes],
            "trial": pending.trial,
            "confirmed_ledger": None if pending.confirmed_ledger is None else _content(pending.confirmed_ledger),
        },
    }


def with_pending(ledger: Ledger, description: str, boot: str, steps: t.Sequence[step_types.Step]) -> Ledger:
    """The ledger while steps are applied. If the run is killed, the next one undoes them, last one first.

    A revert must be completed instead, so it passes the inverse of its steps.
    """
    changes = step_types.Changes(reversed(steps))
    live = [
        PendingSysctl(
            key=step.key,
            restore_to=t.cast(str, step.before),
            attempted=step.after,
            beside=tuple((key, text) for key, text, _shape in step.beside),
        )
        for step in changes.sysctls
    ]
    files = [
        PendingFile(
            path=step.path,
            real=step.real,
            restore_to=step.before,
            attempted=step.after,
            directories=step.directories,
        )
        for step in changes.files
    ]
    processes = [
        PendingLimit(
            pid=step.pid,
            started=step.started,
            name=step.name,
            number=step.number,
            restore_to=step.before,
            attempted=step.after,
        )
        for step in changes.rlimits
    ]
    return ledger._replace(unfinished=Unfinished(description, boot, tuple(live), tuple(files), tuple(processes)))


def process_key(step: step_types.SetRlimit) -> str:
    """The key of a limit of a running process in the ledger."""
    return "{0} {1} {2}".format(step.pid, step.started, step.number)


def with_trial(pending: Ledger, confirmed: Ledger, trial: str) -> Ledger:
    """The ledger of a trial until it is confirmed.

    :param pending: the ledger during the run. :param confirmed: the ledger after a confirmation. :param trial: the id.
    """
    unfinished = t.cast(Unfinished, pending.unfinished)
    return pending._replace(unfinished=unfinished._replace(trial=trial, confirmed_ledger=confirmed))


def original_values(steps: t.Sequence[step_types.Step]) -> t.Dict[str, str]:
    """The text that each kernel parameter had before steps that change it, or make the kernel change it."""
    values: t.Dict[str, str] = {}
    for step in step_types.Changes(steps).sysctls:
        for key, text in [(step.key, t.cast(str, step.before))] + [(key, text) for key, text, _shape in step.beside]:
            values.setdefault(key, text)
    return values


def with_applied(
    ledger: Ledger, name: str, options: Options, plan: plans.Plan, live: t.Mapping[str, str], boot: str = ""
) -> Ledger:
    """The ledger once a plan has been applied for a profile.

    The profile is on top of the others from then on. A profile that changed nothing is recorded if others are applied: what it
    shares with them must stay when they are reverted.

    :param live: the present texts of the changed kernel parameters. :param boot: what distinguishes this boot from others.
    :raises TuneError: if there are too many profiles.
    """
    if not plan.steps and not ledger.profiles:
        return ledger
    options = normalize(options)
    earlier = [profile for profile in ledger.profiles if profile.name == name]
    earlier_options = [profile.options for profile in earlier]
    if not plan.steps and merged_settings(earlier_options + [options]) == merged_settings(earlier_options):
        return ledger
    changes = step_types.Changes(plan.steps)
    records = _live_records(ledger, plan.steps, live)
    shared = [
        setting.key
        for setting in plan.settings
        if setting.status in ("ok", "changed", "kept") and setting.key in records
    ]
    record = ProfileRecord(
        name,
        options,
        keys=union([key for profile in earlier for key in profile.keys], list(original_values(plan.steps)) + shared),
        files=union([real for profile in earlier for real in profile.files], [step.real for step in changes.files]),
        processes=union([key for profile in earlier for key in profile.processes], map(process_key, changes.rlimits)),
    )
    rest = [
        profile._replace(options=subtract(profile.options, options)) if profile.name == name else profile
        for profile in ledger.profiles
    ]
    others = {profile.name for profile in rest if profile.name != name}
    if len(others) >= _MOST_PROFILES:
        raise _errors.TuneError(messages.TOO_MANY_PROFILES(path=PATH, count=len(others), profile=name))
    kept = tuple(
        profile for profile in rest if profile.name != name or profile.options["sysctl"] or profile.options["limits"]
    )
    files = dict(ledger.files)
    for step in changes.files:
        files[step.real] = _file_record(files.get(step.real), step)
    return Ledger(kept + (record,), records, files, _process_records(ledger, changes.rlimits, boot))


def _live_records(
    ledger: Ledger, steps: t.Sequence[step_types.Step], live: t.Mapping[str, str]
) -> t.Dict[str, LiveRecord]:
    records = dict(ledger.live)
    for key, text in original_values(steps).items():
        original = records[key].original if key in records else text
        records[key] = LiveRecord(original, applied=live.get(key, text))
    return records


def union(old: t.Iterable[str], new: t.Iterable[str]) -> t.Tuple[str, ...]:
    """Both together, each once."""
    return tuple(sorted(set(old) | set(new)))


def _process_records(ledger: Ledger, steps: t.Sequence[step_types.SetRlimit], boot: str) -> t.Dict[str, ProcessRecord]:
    records = dict(ledger.processes)
    for step in steps:
        old = records.get(process_key(step))
        original = old.original if old is not None and old.boot == boot else step.before
        records[process_key(step)] = ProcessRecord(
            boot, step.pid, step.started, step.name, step.number, original, applied=step.after
        )
    return records


def without_processes(ledger: Ledger, ended: t.Container[str]) -> Ledger:
    """The ledger without processes that have ended: nothing can be restored there."""
    return ledger._replace(
        profiles=tuple(
            profile._replace(processes=tuple(key for key in profile.processes if key not in ended))
            for profile in ledger.profiles
        ),
        processes={key: process for key, process in ledger.processes.items() if key not in ended},
    )


def _file_record(old: t.Optional[FileRecord], step: step_types.WriteFile) -> FileRecord:
    if old is None:
        return FileRecord(step.path, step.before, step.after, step.directories)
    # External changes to the file since then belong to the state that a revert restores.
    from . import merge3

    original = merge3.merge(old.applied, step.before, old.original)[0]
    return old._replace(original=original, applied=step.after, directories=old.directories or step.directories)


def normalize(options: Options) -> Options:
    """The options of a profile as they are kept: keys in one spelling."""
    return {
        "sysctl": {_spelled(name): setting for name, setting in (options.get("sysctl") or {}).items()},
        "limits": [
            {field: value for field, value in entry.items() if value is not None}
            for entry in options.get("limits") or []
        ],
        "guard": options.get("guard"),
    }


def _spelled(name: str) -> str:
    try:
        return sysctl_names.canonical_pattern(name)
    except _errors.NameProblem:
        return name


def subtract(old: Options, new: Options) -> Options:
    """What was requested under a name and is no longer requested. It is still applied, and must be reverted."""
    named = {(_limit_name(entry), half) for entry in new["limits"] for half in _HALVES if half in entry}
    kept = []
    for entry in old["limits"]:
        rest = {
            field: value
            for field, value in entry.items()
            if field not in _HALVES or (_limit_name(entry), field) not in named
        }
        kept.extend([rest] if any(half in rest for half in _HALVES) else [])
    settings = {key: setting for key, setting in old["sysctl"].items() if key not in new["sysctl"]}
    return dict(old, sysctl=settings, limits=kept)


def merged_settings(options: t.Iterable[Options]) -> t.Dict[t.Any, t.Any]:
    """All that options request, later ones over earlier ones, for a comparison."""
    merged: t.Dict[t.Any, t.Any] = {}
    for option in options:
        merged.update(option["sysctl"])
        merged.update(
            {(_limit_name(entry), half): entry[half] for entry in option["limits"] for half in _HALVES if half in entry}
        )
    return merged


_HALVES = ("soft", "hard")
_TARGETS = ("domain", "unit", "manager", "process", "item")


def _limit_name(entry: t.Mapping[str, t.Any]) -> t.Tuple[t.Any, ...]:
    return tuple(entry.get(field) for field in _TARGETS)


def select(ledger: Ledger, name: str) -> t.Tuple[ProfileRecord, ...]:
    """The records of profiles.

    :param name: names of profiles, separated by commas; empty for all profiles.
    :raises TuneError: if one of them was applied together with others that are not named.
    """
    if not name:
        return ledger.profiles
    names = [part.strip() for part in name.split(",") if part.strip()]
    selected = [profile for profile in ledger.profiles if set(profile.name.split(",")) <= set(names)]
    complete = {part for profile in selected for part in profile.name.split(",")}
    for part in names:
        mixed = [profile for profile in ledger.profiles if part not in complete and part in profile.name.split(",")]
        if mixed:
            raise _errors.TuneError(messages.APPLIED_TOGETHER(profile=part, names=mixed[0].name))
    return tuple(selected)
