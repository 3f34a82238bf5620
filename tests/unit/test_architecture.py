# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The house keeps its order: who may import whom, who may touch the machine, and what Python 3.6 can read.

"Where is X decided?" has one answer only as long as imports go one way: modules -> _module -> _transaction, _checks ->
_sysctl, _limits -> _core -> _errors, and modules -> _network. The host is handed in, so that everything that decides can be
tried on a host made of dictionaries.
"""

import ast
import os

import pytest

COLLECTION = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOT = "ansible_collections.tunefleet.linux.plugins"
CORE = ROOT + ".module_utils."

# From the top to the bottom: what each part of the core may import of the core.
MAY_IMPORT = {
    "modules": {"_ansiballz", "_messages", "_core", "_errors", "_host", "_limits", "_module", "_network", "_sysctl"},
    "_module": {"_messages", "_checks", "_core", "_errors", "_limits", "_module", "_sysctl", "_transaction"},
    "_transaction": {"_messages", "_core", "_errors", "_limits", "_sysctl", "_textfile", "_transaction"},
    "_checks": {"_messages", "_checks", "_core", "_limits", "_sysctl"},
    "_network": {"_messages", "_core", "_errors", "_limits", "_network"},
    "_limits": {"_messages", "_core", "_errors", "_limits", "_textfile"},
    "_sysctl": {"_messages", "_core", "_errors", "_sysctl", "_textfile"},
    "_core": {"_messages", "_core", "_errors"},
    "_host": {"_messages", "_core", "_errors", "_host"},
    "_ansiballz": set(),
    "_textfile": set(),
    "_errors": {"_messages"},
    "_messages": set(),
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
HANDED_A_HOST = ("_module", "_transaction", "_network", "_limits", "_sysctl")
# Reads through the host that it is handed, so those that are handed one may call it.
MACHINE = "_host.machine"
# The host, the program of its own that it starts, and what has to do with how Python itself imports.
TOUCHES = {"module_utils/_host/host.py", "module_utils/_host/pam_probe.py", "module_utils/_ansiballz.py"}
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


def imports_of(path, tree):
    """Each imported name of a file below plugins/ with its line, and whether only a type checker imports it."""
    for_types = {
        id(inner) for node in ast.walk(tree) if is_type_checking(node) for one in node.body for inner in ast.walk(one)
    }
    package = ROOT.split(".") + path.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno, id(node) in for_types
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join(above + ([node.module] if node.module else []))
            for alias in node.names:
                yield base + "." + alias.name, node.lineno, id(node) in for_types


def import_problem(path, name, for_types):
    """What is wrong with an import, or nothing."""
    part = part_of(path)
    if name.startswith(CORE):
        within = name[len(CORE) :]
        target = within.split(".")[0]
        handed = part in HANDED_A_HOST and (within == MACHINE or (for_types and target == "_host"))
        if not (target in MAY_IMPORT[part] or handed):
            return "{0} imports {1}, which is not below it".format(part, target)
        # For each imported name, Ansible looks whether there is a file of that name, each time it packs a module.
        is_module = "module_utils/" + within.replace(".", "/") + ".py" in FILES
        return "" if is_module else "imports the name {0}; import its module".format(name.rpartition(".")[2])
    top = name.split(".")[0]
    if top == "__future__":
        return "Python 3.6 does not know annotations that are not evaluated" if name.endswith(".annotations") else ""
    if top == "dataclasses":
        return "Python 3.6 has no dataclasses"
    if part == "modules":
        return (
            ""
            if name == "ansible.module_utils.basic.AnsibleModule"
            else "a module imports {0}; it holds documentation, argument spec and main()".format(name)
        )
    if top in PURE or (path in TOUCHES and top not in ("ansible", "ansible_collections")):
        return ""
    return "{0} imports {1}, which only the host may".format(part, top)


def syntax_problem(node, path):
    """What is wrong with a piece of syntax, or nothing."""
    if type(node).__name__ == "NamedExpr":
        return "Python 3.6 has no walrus"
    if type(node).__name__ == "Match":
        return "Python 3.6 has no match"
    if isinstance(node, ast.arguments) and getattr(node, "posonlyargs", None):
        return "Python 3.6 has no positional-only parameters"
    if (
        path not in TOUCHES
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in TOUCHING
    ):
        return "{0} calls {1}(), which only the host may".format(part_of(path), node.func.id)
    return ""


def problems_of(path, source):
    """What is wrong with a file, given its path below plugins/."""
    tree = ast.parse(source)
    found = [(line, import_problem(path, name, for_types)) for name, line, for_types in imports_of(path, tree)]
    found += [(getattr(node, "lineno", 0), syntax_problem(node, path)) for node in ast.walk(tree)]
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


def cycle_in(edges):
    """The first circle of modules that import each other, or nothing."""
    done, way = set(), []

    def follow(module):
        if module in way:
            return way[way.index(module) :] + [module]
        if module in done:
            return []
        way.append(module)
        for other in sorted(edges.get(module, ())):
            found = follow(other)
            if found:
                return found
        done.add(way.pop())
        return []

    return next((found for found in map(follow, sorted(edges)) if found), [])


def edges():
    """Which module of the core imports which at run time, as names below module_utils."""
    found = {}
    for path, source in FILES.items():
        if path.startswith("module_utils/"):
            here = path[len("module_utils/") : -len(".py")].replace("/", ".")
            found[here] = {
                name[len(CORE) :]
                for name, _line, for_types in imports_of(path, ast.parse(source))
                if name.startswith(CORE) and not for_types
            }
    return found


def test_no_module_imports_itself_by_a_detour():
    assert cycle_in(edges()) == []


def test_a_cycle_is_found():
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


@pytest.mark.parametrize("path", sorted(FILES))
def test_order(path):
    assert problems_of(path, FILES[path]) == []


@pytest.mark.parametrize("path", sorted(path for path in FILES if "import AnsibleModule" in FILES[path]))
def test_a_module_first_sees_to_it_that_its_imports_are_compiled_once(path):
    code = [one for one in ast.parse(FILES[path]).body if not isinstance(one, (ast.Assign, ast.FunctionDef, ast.If))]
    first = ast.parse("from {0} import _ansiballz\n_ansiballz.cache_zip_filenames()\n".format(CORE.rstrip(".")))
    assert [ast.dump(one) for one in code[:2]] == [ast.dump(one) for one in first.body]


def importing(name, part="module_utils/_sysctl/x.py"):
    return part, "from {0} import {1}\n".format(*(CORE + name).rsplit(".", 1))


@pytest.mark.parametrize(
    ("path", "source", "problem"),
    [
        (*importing("_limits.items"), "1: _sysctl imports _limits, which is not below it"),
        (*importing("_module.run"), "1: _sysctl imports _module, which is not below it"),
        (
            "module_utils/_sysctl/x.py",
            "from .._limits import items\n",
            "1: _sysctl imports _limits, which is not below it",
        ),
        (
            "module_utils/_limits/pam/x.py",
            "from ..._sysctl import values\n",
            "1: _limits imports _sysctl, which is not below it",
        ),
        (*importing("_core.shape.Shape"), "1: imports the name Shape; import its module"),
        (*importing("_errors.TuneError", "modules/x.py"), "1: imports the name TuneError; import its module"),
        (*importing("_host.host", "module_utils/_core/x.py"), "1: _core imports _host, which is not below it"),
        (*importing("_host.host", "module_utils/_sysctl/x.py"), "1: _sysctl imports _host, which is not below it"),
        (*importing("_sysctl.names", "module_utils/_host/host.py"), "1: _host imports _sysctl, which is not below it"),
        (*importing("_textfile", "module_utils/_errors.py"), "1: _errors imports _textfile, which is not below it"),
        (
            "module_utils/_sysctl/x.py",
            "def f():\n    from " + CORE + "_transaction import apply\n",
            "2: _sysctl imports _transaction, which is not below it",
        ),
        ("module_utils/_core/x.py", "import " + CORE + "_host\n", "1: _core imports _host, which is not below it"),
        ("module_utils/_module/x.py", "import os\n", "1: _module imports os, which only the host may"),
        ("module_utils/_host/machine.py", "import os.path\n", "1: _host imports os, which only the host may"),
        (
            "module_utils/_limits/x.py",
            "from subprocess import run\n",
            "1: _limits imports subprocess, which only the host may",
        ),
        ("module_utils/_sysctl/x.py", "import re, tempfile\n", "1: _sysctl imports tempfile, which only the host may"),
        ("module_utils/_textfile.py", "import pathlib\n", "1: _textfile imports pathlib, which only the host may"),
        (
            "module_utils/_host/host.py",
            "from ansible.module_utils.basic import AnsibleModule\n",
            "1: _host imports ansible, which only the host may",
        ),
        ("module_utils/_sysctl/x.py", "x = open('/etc/passwd')\n", "1: _sysctl calls open(), which only the host may"),
        (
            "module_utils/_module/x.py",
            "x = __import__('os')\n",
            "1: _module calls __import__(), which only the host may",
        ),
        ("modules/x.py", "import os\n", "1: a module imports os; it holds documentation, argument spec and main()"),
        ("modules/x.py", "\nx = open('y')\n", "2: modules calls open(), which only the host may"),
        (
            "modules/x.py",
            "from __future__ import annotations\n",
            "1: Python 3.6 does not know annotations that are not evaluated",
        ),
        ("module_utils/_host/host.py", "from dataclasses import dataclass\n", "1: Python 3.6 has no dataclasses"),
        (
            "module_utils/_core/x.py",
            "import typing as t\nif t.TYPE_CHECKING:\n    from .._host import host\n",
            "3: _core imports _host, which is not below it",
        ),
        (
            "module_utils/_sysctl/x.py",
            "import typing as t\nif not t.TYPE_CHECKING:\n    from .._host import host\n",
            "3: _sysctl imports _host, which is not below it",
        ),
        (
            "module_utils/_sysctl/x.py",
            "import typing as t\nif t.TYPE_CHECKING:\n    pass\nelse:\n    from .._host import host\n",
            "5: _sysctl imports _host, which is not below it",
        ),
    ],
)
def test_a_breach_is_found(path, source, problem):
    assert problems_of(path, source) == [path + ":" + problem]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        importing("_errors"),
        importing("_sysctl.values"),
        importing("_host.host", "modules/x.py"),
        (
            "module_utils/_limits/pam/x.py",
            "from ... import _errors\nfrom . import dropin\nfrom ..._host import machine\n",
        ),
        ("module_utils/_sysctl/x.py", "import typing as t\nif t.TYPE_CHECKING:\n    from .._host import host\n"),
        ("module_utils/_host/host.py", "import os\nx = open('y')\n"),
        ("modules/x.py", "from ansible.module_utils.basic import AnsibleModule\n"),
        ("module_utils/_module/x.py", "x.open('y')\n"),
    ],
)
def test_what_is_in_order(path, source):
    assert problems_of(path, source) == []


@pytest.mark.parametrize(
    "source", ["if (x := 5):\n    pass\n", "def f(a, /):\n    pass\n", "match x:\n    case 1:\n        pass\n"]
)
def test_newer_syntax_is_found(source):
    try:
        assert problems_of("module_utils/_textfile.py", source)
    except SyntaxError:
        pass  # this Python is too old to read it at all, which is found just as well
