# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One test for each linter. A failure shows the linter's own output."""

from __future__ import annotations

from support import CACHE, PROGRAMS, ROOT, must_pass, source_files


def test_ruff_check() -> None:
    must_pass([PROGRAMS / "ruff", "check", "--quiet", "."])


def test_ruff_format() -> None:
    must_pass([PROGRAMS / "ruff", "format", "--check", "--diff", "--quiet", "."])


def test_yamllint() -> None:
    must_pass([PROGRAMS / "yamllint", "--strict", "--format", "parsable", "."])


def test_shellcheck() -> None:
    scripts = [path for path in source_files() if _first_line(ROOT / path).endswith((b"/sh", b" bash", b"/bash"))]
    assert scripts
    must_pass([PROGRAMS / "shellcheck", *scripts])


def test_mypy() -> None:
    # From inside of the tree, so that the modules have the names that they import each other by.
    package = "ansible_collections.tunefleet.linux.plugins"
    must_pass([PROGRAMS / "mypy", "--config-file", ROOT / "pyproject.toml", "-p", package], cwd=CACHE)


def test_mypy_of_tools() -> None:
    must_pass(
        [
            PROGRAMS / "mypy",
            *(
                path
                for folder in ("tools", "tests/checks", "benchmarks")
                for path in sorted((ROOT / folder).glob("*.py"))
            ),
        ]
    )


def test_ansible_lint() -> None:
    must_pass([PROGRAMS / "ansible-lint", "--offline", "--profile", "production", "--strict", "--nocolor"])


def test_license_headers() -> None:
    """Every program text says its licence in its first lines."""
    silent = [
        str(path)
        for path in source_files()
        if (path.suffix in (".py", ".sh") or _first_line(ROOT / path).startswith(b"#!"))
        and (ROOT / path).stat().st_size > 0
        and b"SPDX-License-Identifier: GPL-3.0-or-later" not in (ROOT / path).read_bytes()[:500]
    ]
    assert not silent, "without an SPDX header: " + ", ".join(silent)


def _first_line(path: object) -> bytes:
    with open(str(path), "rb") as file:
        return file.readline(200).strip()
