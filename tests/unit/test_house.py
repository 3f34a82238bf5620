# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The house keeps its order: who may import whom, who may touch the machine, and what Python 3.6 can read.

"Where is X decided?" has one answer only as long as imports go one way: modules -> _change -> _sysctl, _limits -> _errors, and
modules -> _sockets -> _limits. The
host is handed in, so that everything that decides can be tried on a host made of dictionaries.
"""

import ast
import os

import pytest

COLLECTION = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORE = "ansible_collections.tunefleet.linux.plugins.module_utils."

# From the top to the bottom: what each part of the core may import of the core.
MAY_IMPORT = {
    "modules": {"_archive", "_change", "_errors", "_host", "_limits", "_sockets", "_sysctl"},
    "_change": {"_change", "_errors", "_limits", "_lines", "_sysctl"},
    "_sockets": {"_errors", "_limits", "_sockets"},
    "_limits": {"_errors", "_limits", "_lines"},
    "_sysctl": {"_errors", "_lines", "_sysctl"},
    "_host": {"_errors", "_probe"},
    "_probe": set(),
    "_archive": set(),
    "_lines": set(),
    "_errors": set(),
}
# Parts of the standard library that cannot touch the machine. The host alone may import others.
PURE = {
    "binascii",
    "collections",
    "difflib",
    "enum",
    "fnmatch",
    "functools",
    "hashlib",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "struct",
    "typing",
}
# Parts that are handed a host, and so may name its type.
HANDED_A_HOST = ("_change", "_sockets")
# The host, the program of its own that it starts, and what has to do with how Python itself imports.
TOUCHES = {"_host", "_probe", "_archive"}
TOUCHING = {"open", "exec", "eval", "compile", "input", "__import__", "breakpoint"}


def part_of(path):
    """The part of the house that a file belongs to, from its path below plugins/."""
    folders = path.split("/")
    if folders[0] == "modules":
        return "modules"
    return folders[1][: -len(".py")] if folders[1].endswith(".py") else folders[1]


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.dump(node.test) in (
        ast.dump(ast.parse("t.TYPE_CHECKING", mode="eval").body),
        ast.dump(ast.parse("TYPE_CHECKING", mode="eval").body),
    )


def imports_of(tree):
    """Each imported name with its line, and whether only a type checker imports it."""
    for_types = {
        id(inner) for node in ast.walk(tree) if is_type_checking(node) for one in node.body for inner in ast.walk(one)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno, id(node) in for_types
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                yield base + "." + alias.name, node.lineno, id(node) in for_types


def import_problem(part, name, for_types):
    """What is wrong with an import, or nothing."""
    if name.startswith("."):
        return "a relative import; name the whole path"
    if name.startswith(CORE):
        target, last = name[len(CORE) :].split(".")[0], name.rpartition(".")[2]
        if not (target in MAY_IMPORT[part] or (for_types and part in HANDED_A_HOST and target == "_host")):
            return "{0} imports {1}, which is not below it".format(part, target)
        # For each imported name, Ansible looks whether there is a file of that name, each time it packs a module.
        return "" if for_types or last.startswith("_") else "imports the name {0}; import its module".format(last)
    top = name.split(".")[0]
    if top == "__future__":
        return "Python 3.6 does not know annotations that are not evaluated" if name.endswith(".annotations") else ""
    if top == "dataclasses":
        return "Python 3.6 has no dataclasses"
    if part == "modules":
        return (
            ""
            if name == "ansible.module_utils.basic.AnsibleModule"
            else "a module imports {0}; it is a door only".format(name)
        )
    if top in PURE or (part in TOUCHES and top not in ("ansible", "ansible_collections")):
        return ""
    return "{0} imports {1}, which only the host may".format(part, top)


def syntax_problem(node, part):
    """What is wrong with a piece of syntax, or nothing."""
    if type(node).__name__ == "NamedExpr":
        return "Python 3.6 has no walrus"
    if type(node).__name__ == "Match":
        return "Python 3.6 has no match"
    if isinstance(node, ast.arguments) and getattr(node, "posonlyargs", None):
        return "Python 3.6 has no positional-only parameters"
    if (
        part not in TOUCHES
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in TOUCHING
    ):
        return "{0} calls {1}(), which only the host may".format(part, node.func.id)
    return ""


def problems_of(path, source):
    """What is wrong with a file, given its path below plugins/."""
    part = part_of(path)
    tree = ast.parse(source)
    found = [(line, import_problem(part, name, for_types)) for name, line, for_types in imports_of(tree)]
    found += [(getattr(node, "lineno", 0), syntax_problem(node, part)) for node in ast.walk(tree)]
    return ["{0}:{1}: {2}".format(path, line, text) for line, text in sorted(found) if text]


def files():
    """Path below plugins/ and text of everything that travels to a host."""
    plugins = os.path.join(COLLECTION, "plugins")
    for folder in ("modules", "module_utils"):
        for directory, _folders, names in os.walk(os.path.join(plugins, folder)):
            for name in sorted(names):
                if name.endswith(".py"):
                    path = os.path.join(directory, name)
                    with open(path, "rb") as stream:
                        yield os.path.relpath(path, plugins), stream.read().decode("utf-8")


FILES = dict(files())


def test_every_part_is_there():
    assert {part_of(path) for path in FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", sorted(FILES))
def test_order(path):
    assert problems_of(path, FILES[path]) == []


@pytest.mark.parametrize("path", sorted(path for path in FILES if "import AnsibleModule" in FILES[path]))
def test_a_module_first_sees_to_it_that_its_imports_are_compiled_once(path):
    code = [one for one in ast.parse(FILES[path]).body if not isinstance(one, (ast.Assign, ast.FunctionDef, ast.If))]
    first = ast.parse("from {0} import _archive\n_archive.compile_once()\n".format(CORE.rstrip(".")))
    assert [ast.dump(one) for one in code[:2]] == [ast.dump(one) for one in first.body]


def importing(name, part="module_utils/_sysctl/_x.py"):
    return part, "from {0} import {1}\n".format(*(CORE + name).rsplit(".", 1))


@pytest.mark.parametrize(
    ("path", "source", "problem"),
    [
        (*importing("_limits._values"), "1: _sysctl imports _limits, which is not below it"),
        (*importing("_change._wish"), "1: _sysctl imports _change, which is not below it"),
        (
            *importing("_sysctl._values", "module_utils/_limits/_x.py"),
            "1: _limits imports _sysctl, which is not below it",
        ),
        (*importing("_sysctl._values.Shape"), "1: imports the name Shape; import its module"),
        (*importing("_errors.TuneError", "modules/x.py"), "1: imports the name TuneError; import its module"),
        (*importing("_host.Host", "module_utils/_change/_x.py"), "1: _change imports _host, which is not below it"),
        (*importing("_host", "module_utils/_change/_x.py"), "1: _change imports _host, which is not below it"),
        (*importing("_sysctl._names", "module_utils/_host.py"), "1: _host imports _sysctl, which is not below it"),
        (*importing("_lines", "module_utils/_errors.py"), "1: _errors imports _lines, which is not below it"),
        (
            "module_utils/_sysctl/_x.py",
            "def f():\n    from " + CORE + "_change import _run\n",
            "2: _sysctl imports _change, which is not below it",
        ),
        ("module_utils/_sysctl/_x.py", "from . import _names\n", "1: a relative import; name the whole path"),
        ("module_utils/_sysctl/_x.py", "import " + CORE + "_host\n", "1: _sysctl imports _host, which is not below it"),
        ("module_utils/_change/_x.py", "import os\n", "1: _change imports os, which only the host may"),
        ("module_utils/_change/_x.py", "import os.path\n", "1: _change imports os, which only the host may"),
        (
            "module_utils/_limits/_x.py",
            "from subprocess import run\n",
            "1: _limits imports subprocess, which only the host may",
        ),
        ("module_utils/_sysctl/_x.py", "import re, tempfile\n", "1: _sysctl imports tempfile, which only the host may"),
        ("module_utils/_lines.py", "import pathlib\n", "1: _lines imports pathlib, which only the host may"),
        (
            "module_utils/_lines.py",
            "import ansible.module_utils.basic\n",
            "1: _lines imports ansible, which only the host may",
        ),
        (
            "module_utils/_host.py",
            "from ansible.module_utils.basic import AnsibleModule\n",
            "1: _host imports ansible, which only the host may",
        ),
        ("module_utils/_sysctl/_x.py", "x = open('/etc/passwd')\n", "1: _sysctl calls open(), which only the host may"),
        (
            "module_utils/_change/_x.py",
            "x = __import__('os')\n",
            "1: _change calls __import__(), which only the host may",
        ),
        ("modules/x.py", "import os\n", "1: a module imports os; it is a door only"),
        ("modules/x.py", "\nx = open('y')\n", "2: modules calls open(), which only the host may"),
        (
            "modules/x.py",
            "from __future__ import annotations\n",
            "1: Python 3.6 does not know annotations that are not evaluated",
        ),
        ("module_utils/_host.py", "from dataclasses import dataclass\n", "1: Python 3.6 has no dataclasses"),
        (
            "module_utils/_sysctl/_x.py",
            "import typing as t\nif t.TYPE_CHECKING:\n    from " + CORE + "_host import Host\n",
            "3: _sysctl imports _host, which is not below it",
        ),
        (
            "module_utils/_change/_x.py",
            "import typing as t\nif not t.TYPE_CHECKING:\n    from " + CORE + "_host import Host\n",
            "3: _change imports _host, which is not below it",
        ),
        (
            "module_utils/_change/_x.py",
            "import typing as t\nif t.TYPE_CHECKING:\n    pass\nelse:\n    from " + CORE + "_host import Host\n",
            "5: _change imports _host, which is not below it",
        ),
    ],
)
def test_a_breach_is_found(path, source, problem):
    assert problems_of(path, source) == [path + ":" + problem]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        importing("_errors"),
        importing("_sysctl._values"),
        importing("_host", "modules/x.py"),
        (
            "module_utils/_change/_x.py",
            "import typing as t\nif t.TYPE_CHECKING:\n    from " + CORE + "_host import Host\n",
        ),
        ("module_utils/_host.py", "import os\nx = open('y')\n"),
        ("modules/x.py", "from ansible.module_utils.basic import AnsibleModule\n"),
        ("module_utils/_change/_x.py", "x.open('y')\n"),
    ],
)
def test_what_is_in_order(path, source):
    assert problems_of(path, source) == []


@pytest.mark.parametrize(
    "source", ["if (x := 5):\n    pass\n", "def f(a, /):\n    pass\n", "match x:\n    case 1:\n        pass\n"]
)
def test_newer_syntax_is_found(source):
    try:
        assert problems_of("module_utils/_lines.py", source)
    except SyntaxError:
        pass  # this Python is too old to read it at all, which is found just as well
