# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``make import`` and ``make export``: profiles from the files of other programs, and back to them.

Nothing that is there is ever overwritten, and nothing is written that the check of profiles refuses.
"""

from __future__ import annotations

import importlib
import re
import sys
import typing as t
from collections.abc import Sequence
from pathlib import Path

from run import COLLECTIONS, ROOT, Refusal, typed  # type: ignore[import-not-found]

UTILS = "ansible_collections.tunefleet.linux.plugins.plugin_utils."


def loaded(name: str) -> t.Any:
    """A part of the collection; it has its name only once tools/setup has made .cache."""
    if str(COLLECTIONS) not in sys.path:
        sys.path.append(str(COLLECTIONS))
    return importlib.import_module(UTILS + name)


def path_of(name: str, example: str) -> Path:
    if not typed(name):
        raise Refusal(f"{name} is missing: {example}.")
    return Path(typed(name)).expanduser()


def files_of(path: Path) -> list[Path]:
    """The files to read, in the order in which the programs read them: by name, those that end in .conf."""
    if not path.is_dir():
        return [path]
    found = sorted((one for one in path.iterdir() if one.suffix == ".conf"), key=lambda one: one.name.encode())
    if not found:
        raise Refusal(f"FROM={path} holds no file that ends in .conf.")
    return found


def text_of(path: Path) -> str:
    try:
        # Without the mark that editors of other systems begin a file with.
        return path.read_bytes().decode("utf-8").removeprefix("\ufeff")
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Refusal(f"{path}:{line}: the file is not UTF-8.") from error


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise Refusal(
            f"{path} is there already and is not overwritten: name another with TO=, or remove it."
        ) from error
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror}.") from error


def number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def tell(title: str, sentences: Sequence[str]) -> None:
    if sentences:
        print(f"{title}:")
        for sentence in sentences:
            print(f"  {sentence}")


def import_profile() -> None:
    source = path_of("FROM", "name a file or a directory, as in make import FROM=/etc/sysctl.conf")
    default = "imported_" + re.sub(r"[^a-z0-9]+", "_", source.name.lower()).strip("_")
    target = Path(typed("TO")).expanduser() if typed("TO") else ROOT / "profiles" / f"{default}.yml"
    profile_file = loaded("_profiles.validation")
    if target.suffix != ".yml" or not profile_file.is_profile_name(target.stem):
        raise Refusal(f"TO={target} is no file of a profile: letters, digits, '_' and '-', and .yml behind them.")
    if target.exists():
        raise Refusal(f"{target} is there already and is not overwritten: name another with TO=, or remove it.")
    importer = loaded("_profiles.import_")
    files = [importer.File(str(path), text_of(path)) for path in files_of(source)]
    found = importer.import_files(files, str(source))
    if not found.settings and not found.limits:
        tell("Left out", found.left_out)
        said = "says nothing that a profile could" if found.left_out else "sets nothing; all there is are comments"
        raise Refusal(f"FROM={source} {said}.")
    document = loaded("_profiles.yaml_lines").read_document(str(target), found.text)
    profile_file.check_profile(target.stem, document, loaded("_profiles.library").Library().shared_sources)
    write_new(target, found.text)
    print(f"Written: {target}, with {number(found.settings, 'setting')} and {number(found.limits, 'limit')}.")
    tell("Left out", found.left_out)


def export_profiles() -> None:
    target = path_of("TO", "name a directory, as in make export PROFILES=web_server TO=plain")
    profiles = loaded("_profiles.library")
    folders = [folder for folder in (ROOT / "profiles",) if folder.is_dir()]
    wanted = profiles.resolve(profiles.Library(folders), typed("PROFILES") or "web_server", allow_audit_only=False)
    found = loaded("_profiles.export").export(wanted)
    name = wanted["name"].replace(",", "-")
    texts = {f"sysctl.d/99-{name}.conf": found.sysctl, f"limits.d/99-{name}.conf": found.limits}
    paths = {target / place: text for place, text in texts.items() if text}
    for path in paths:
        if path.exists():
            raise Refusal(
                f"{path} is there already and is not overwritten: name another directory with TO=, or remove it."
            )
    for path, text in paths.items():
        write_new(path, text)
        print(f"Written: {path}")
    if found.bounds:
        print(f"Bounds: {found.bounds}, which these files cannot say, so they lower (or raise) a host that is better.")
    if found.hazards:
        print(
            f"Hazards: {found.hazards}, each named in the comment above its entry; read them before you use these files."
        )
    tell("Left out", found.left_out)


def main(command: str) -> None:
    try:
        {"import": import_profile, "export": export_profiles}[command]()
    except Refusal:
        raise
    except loaded("_profiles.model").ProfileProblem as problem:
        raise Refusal(str(problem)) from problem


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Refusal as refusal:
        sys.exit(f"tunefleet: {refusal}")
