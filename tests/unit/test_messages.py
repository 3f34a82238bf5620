# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each message has one id, the id of its package and name, and code that uses it."""

import ast
import os

import pytest

PLUGINS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "plugins")


def sources():
    for folder in ("module_utils", "plugin_utils"):
        for directory, _folders, names in os.walk(os.path.join(PLUGINS, folder)):
            for name in sorted(names):
                if name.endswith(".py"):
                    with open(os.path.join(directory, name), "rb") as stream:
                        yield os.path.join(directory, name), stream.read().decode("utf-8")


SOURCES = dict(sources())
CATALOGS = sorted(path for path in SOURCES if os.path.basename(path) == "messages.py")


def texts_of(path):
    """The constants of a messages.py with their ids."""
    for node in ast.parse(SOURCES[path]).body:
        if isinstance(node, ast.Assign):
            yield node.targets[0].id, ast.literal_eval(node.value.args[0])


def test_no_two_messages_share_an_id():
    ids = [id_ for path in CATALOGS for _name, id_ in texts_of(path)]
    assert len(ids) > 200 and sorted(set(ids)) == sorted(ids)


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: os.path.relpath(path, PLUGINS))
def test_an_id_names_its_package_and_constant(path):
    package = os.path.basename(os.path.dirname(path)).lstrip("_")
    assert [id_ for _name, id_ in texts_of(path)] == [package + "." + name.lower() for name, _id in texts_of(path)]


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: os.path.relpath(path, PLUGINS))
def test_each_message_is_used(path):
    beside = [
        text for other, text in SOURCES.items() if os.path.dirname(other) == os.path.dirname(path) and other != path
    ]
    unused = [name for name, _id in texts_of(path) if not any("messages." + name in text for text in beside)]
    assert unused == []
