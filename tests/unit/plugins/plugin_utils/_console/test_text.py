# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._console import text as console_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("net.core.somaxconn = 4096", "net.core.somaxconn = 4096"),
        ("参数 ключ שלום", "参数 ключ שלום"),
        ("a\tb\nc", "a b\nc"),
        ("\x00\x1b[31m\x7f", "\\x00\\x1b[31m\\x7f"),
        ("ab\u202ecd\u2066", "ab\\u202ecd\\u2066"),
        ("\u200b\ufeff\ufffe", "\\u200b\\ufeff\\ufffe"),
        ("\ud800", "\\ud800"),
        ("a\u2028b\x85", "a\\u2028b\\x85"),
        ("\U000e0041", "\\U000e0041"),
        (4096, "4096"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert console_text.visible(text) == shown


def test_one_line() -> None:
    assert console_text.one_line("a\n  b\r\nc ") == "a b\\x0d c"


def test_hosts_are_sorted_as_people_count() -> None:
    names = ["web10", "web2", "web01", "web1", "10.0.0.9", "10.0.0.10", "db", "web2.b", "٣", "²"]
    order = ["db", "web01", "web1", "web2", "web2.b", "web10", "²", "٣", "10.0.0.9", "10.0.0.10"]
    for given in (names, names[::-1]):
        assert sorted(given, key=console_text.natural) == order


def test_counted() -> None:
    assert [console_text.counted(number, "host") for number in (0, 1, 2, 1500)] == [
        "0 hosts",
        "1 host",
        "2 hosts",
        "1,500 hosts",
    ]
