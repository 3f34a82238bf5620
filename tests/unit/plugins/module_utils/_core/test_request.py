# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import bound as bounds
from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._core import text as texts
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import limits as limit_settings
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import settings as sysctl_settings

KEY = "net.core.somaxconn"
FIELDS = "(known: value, at_least, at_most, why, source, hazard, instead_of)"


def plain(desired_settings):
    """Sources are a sequence of either kind."""
    return [
        desired._replace(note=desired.note._replace(source=list(desired.note.source))) for desired in desired_settings
    ]


@pytest.mark.parametrize(
    ("entries", "desired_settings"),
    [
        pytest.param({}, [], id="none"),
        pytest.param({KEY: 5}, [requests.SettingRequest(KEY, "value", 5)], id="number"),
        pytest.param({KEY: "5"}, [requests.SettingRequest(KEY, "value", "5")], id="text"),
        pytest.param({KEY: False}, [requests.SettingRequest(KEY, "value", False)], id="boolean"),
        pytest.param({KEY: 0}, [requests.SettingRequest(KEY, "value", 0)], id="nought"),
        pytest.param({KEY: ""}, [requests.SettingRequest(KEY, "value", "")], id="empty text"),
        pytest.param({KEY: [1, 2, 3]}, [requests.SettingRequest(KEY, "value", [1, 2, 3])], id="list"),
        pytest.param({KEY: {"value": 5}}, [requests.SettingRequest(KEY, "value", 5)], id="value"),
        pytest.param({KEY: {"at_least": 5}}, [requests.SettingRequest(KEY, "at_least", 5)], id="at_least"),
        pytest.param({KEY: {"at_most": [1, 2]}}, [requests.SettingRequest(KEY, "at_most", [1, 2])], id="at_most"),
        pytest.param({KEY: {"value": False}}, [requests.SettingRequest(KEY, "value", False)], id="value false"),
        pytest.param(
            {KEY: {"value": 5, "at_least": None}},
            [requests.SettingRequest(KEY, "value", 5)],
            id="operator without a value",
        ),
        pytest.param({"net/core/somaxconn": 5}, [requests.SettingRequest(KEY, "value", 5)], id="slashes"),
        pytest.param(
            {KEY: {"value": 5, "why": "w", "source": ["a:1", 2], "hazard": "h"}},
            [requests.SettingRequest(KEY, "value", 5, bounds.Note("w", ["a:1", "2"], "h"))],
            id="notes",
        ),
        pytest.param(
            {KEY: {"value": 5, "source": "a:1"}},
            [requests.SettingRequest(KEY, "value", 5, bounds.Note(None, ["a:1"]))],
            id="one source",
        ),
        pytest.param(
            {"vm.swappiness": 1, "fs.nr_open": 2},
            [requests.SettingRequest("vm.swappiness", "value", 1), requests.SettingRequest("fs.nr_open", "value", 2)],
            id="the order given",
        ),
        pytest.param(
            {KEY: 5, "net/core/somaxconn": "5"}, [requests.SettingRequest(KEY, "value", 5)], id="the same twice"
        ),
    ],
)
def test_settings(entries, desired_settings):
    assert plain(sysctl_settings.parse(entries)) == plain(desired_settings)


@pytest.mark.parametrize(
    ("entries", "problems"),
    [
        pytest.param({KEY: None}, [KEY + ": the value is missing."], id="no value"),
        pytest.param(
            {KEY: {"valeu": 5}},
            [KEY + ": 'valeu' is not a field of a setting " + FIELDS + "; did you mean value?"],
            id="misspelled field",
        ),
        pytest.param(
            {KEY: {"zzz": 5}}, [KEY + ": 'zzz' is not a field of a setting " + FIELDS + "."], id="unknown field"
        ),
        pytest.param(
            {KEY: {}},
            [KEY + ": a setting takes exactly one of value, at_least and at_most; found none."],
            id="empty map",
        ),
        pytest.param(
            {KEY: {"value": None}},
            [KEY + ": a setting takes exactly one of value, at_least and at_most; found none."],
            id="empty value",
        ),
        pytest.param(
            {KEY: {"at_most": 5, "value": 5}},
            [KEY + ": a setting takes exactly one of value, at_least and at_most; found value and at_most."],
            id="two operators",
        ),
        pytest.param(
            {KEY: {"at_least": True}}, [KEY + ": at_least takes a number; found True."], id="bound without a number"
        ),
        pytest.param(
            {KEY: {"at_most": {"a": 1}}},
            [KEY + ": a formula takes exactly one of per_gib, per_cpu, largest and smallest; found a."],
            id="bound with a map",
        ),
        pytest.param(
            {KEY: 5, "net/core/somaxconn": 6},
            [KEY + " is requested twice, as 5 and as 6; keep one."],
            id="two values under two spellings",
        ),
        pytest.param(
            {KEY: 5, "net/core/somaxconn": {"at_least": 5}},
            [KEY + " is requested twice, as 5 and as >= 5; keep one."],
            id="two operators under two spellings",
        ),
        pytest.param(
            {"a..b": 1, KEY: None, "vm.swappiness": {"value": 1, "at_least": 2}, "fs.nr_open": 5},
            [
                "The key 'a..b' has an empty segment; write it as in net.core.somaxconn.",
                KEY + ": the value is missing.",
                "vm.swappiness: a setting takes exactly one of value, at_least and at_most; found value and at_least.",
            ],
            id="every problem at once",
        ),
    ],
)
def test_refused_settings(entries, problems):
    with pytest.raises(_errors.EntryProblems) as caught:
        sysctl_settings.parse(entries)
    assert caught.value.problems == problems


def limit(**fields):
    return dict({"domain": "*", "item": "nofile"}, **fields)


@pytest.mark.parametrize(
    ("entries", "desired_settings"),
    [
        pytest.param([], [], id="none"),
        pytest.param(
            [limit(soft=5, hard="9")],
            [requests.LimitRequest("*", "nofile", bounds.Bound("value", 5), bounds.Bound("value", 9))],
            id="both halves",
        ),
        pytest.param([limit(soft=5)], [requests.LimitRequest("*", "nofile", bounds.Bound("value", 5))], id="soft"),
        pytest.param(
            [limit(hard={"at_least": 5})],
            [requests.LimitRequest("*", "nofile", None, bounds.Bound("at_least", 5))],
            id="hard, a bound",
        ),
        pytest.param(
            [limit(item="nproc", soft="infinity", hard={"at_most": -1})],
            [
                requests.LimitRequest(
                    "*", "nproc", bounds.Bound("value", "unlimited"), bounds.Bound("at_most", "unlimited")
                )
            ],
            id="no limit",
        ),
        pytest.param(
            [limit(soft=5, why="w", source=["a:1"], hazard="h")],
            [requests.LimitRequest("*", "nofile", bounds.Bound("value", 5), None, bounds.Note("w", ["a:1"], "h"))],
            id="notes",
        ),
        pytest.param(
            [limit(soft={"at_least": 9}, hard={"at_least": 5})],
            [requests.LimitRequest("*", "nofile", bounds.Bound("at_least", 9), bounds.Bound("at_least", 5))],
            id="soft bound above a hard bound that may grow",
        ),
        pytest.param(
            [limit(soft={"at_most": 9}, hard=5)],
            [requests.LimitRequest("*", "nofile", bounds.Bound("at_most", 9), bounds.Bound("value", 5))],
            id="soft bound that may be lower",
        ),
        pytest.param(
            [limit(soft=5), limit(soft="5")],
            [requests.LimitRequest("*", "nofile", bounds.Bound("value", 5))],
            id="the same twice",
        ),
        pytest.param(
            [limit(soft=5), limit(item="nproc", soft=6), limit(domain="alice", soft=7)],
            [
                requests.LimitRequest("*", "nofile", bounds.Bound("value", 5)),
                requests.LimitRequest("*", "nproc", bounds.Bound("value", 6)),
                requests.LimitRequest("alice", "nofile", bounds.Bound("value", 7)),
            ],
            id="several",
        ),
        pytest.param(
            [limit(domain="%web", item="maxlogins", hard=5)],
            [requests.LimitRequest("%web", "maxlogins", None, bounds.Bound("value", 5))],
            id="%",
        ),
    ],
)
def test_limits(entries, desired_settings):
    assert plain(limit_settings.parse(entries)) == plain(desired_settings)


LEGAL = (
    "a whole number from 0 to 9223372036854775807, or unlimited; pam_limits would read something else, systemd nothing"
)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        pytest.param(limit(), "Limit * nofile: neither soft nor hard is given.", id="nothing"),
        pytest.param(limit(soft="64k"), "Limit * nofile: '64k' is not " + LEGAL + ".", id="suffix"),
        pytest.param(
            limit(hard={"value": "1e5"}), "Limit * nofile: '1e5' is not " + LEGAL + ".", id="exponent in a map"
        ),
        pytest.param(
            limit(soft=9, hard=5),
            "Limit * nofile: soft 9 is above hard 5; pam_limits would cut it.",
            id="soft above hard",
        ),
        pytest.param(
            limit(item="nproc", soft="unlimited", hard=5),
            "Limit * nproc: soft unlimited is above hard 5; pam_limits would cut it.",
            id="no soft limit above hard",
        ),
        pytest.param(
            limit(soft={"at_least": 9}, hard={"at_most": 5}),
            "Limit * nofile: soft >= 9 is above hard <= 5; pam_limits would cut it.",
            id="bounds that cannot meet",
        ),
        pytest.param(
            limit(soft={"value": 1, "at_least": 1}),
            (
                "Limit * nofile: a limit's soft or hard takes exactly one of value, at_least and at_most; found "
                "value and at_least."
            ),
            id="two operators",
        ),
        pytest.param(
            limit(soft={"at_leest": 1}),
            (
                "Limit * nofile: 'at_leest' is not a field of a limit's soft or hard (known: value, at_least, "
                "at_most); did you mean at_least?"
            ),
            id="misspelled operator",
        ),
        pytest.param(
            limit(domain="a b", soft=1),
            (
                "Limit a b nofile: the domain 'a b' contains white space, a '#' or a control character and would "
                "never match."
            ),
            id="domain",
        ),
        pytest.param(
            limit(domain="%web", soft=1),
            ("Limit %web nofile: a domain that begins with % counts the logins of a group and takes maxlogins only."),
            id="% with nofile",
        ),
    ],
)
def test_refused_limits(entry, problem):
    with pytest.raises(_errors.EntryProblems) as caught:
        limit_settings.parse([entry])
    assert caught.value.problems == [problem]


def test_refused_item():
    with pytest.raises(_errors.EntryProblems) as caught:
        limit_settings.parse([limit(item="nofiles", soft=1)])
    assert caught.value.problems[0].startswith(
        "Limit * nofiles: 'nofiles' is not an item of limits.conf(5) (known: as, core, "
    )
    assert caught.value.problems[0].endswith("; did you mean nofile?")


def test_the_halves_of_a_limit_may_come_in_two_entries():
    (desired,) = limit_settings.parse([limit(soft=5), limit(hard=6)])
    assert (str(desired.soft), str(desired.hard)) == ("5", "6")


def test_halves_in_two_entries_that_do_not_fit():
    with pytest.raises(_errors.EntryProblems) as caught:
        limit_settings.parse([limit(hard=5), limit(soft=6)])
    assert caught.value.problems == ["Limit * nofile: soft 6 is above hard 5."]


@pytest.mark.parametrize("other", ["0x1000", "4096 ", [4096]])
def test_the_same_value_in_another_spelling_is_no_contradiction(other):
    assert len(sysctl_settings.parse({KEY: 4096, KEY.replace(".", "/"): other})) == 1


def test_contradicting_limits():
    with pytest.raises(_errors.EntryProblems) as caught:
        limit_settings.parse([limit(soft=5), limit(soft=6), limit(domain="", soft=1)])
    assert caught.value.problems == [
        "Limit * nofile is requested twice with different values; keep one.",
        "Limit nofile: '' is not a domain; write a user, @group, *, or a range of ids as in 1000:2000.",
    ]


@pytest.mark.parametrize(
    ("bound", "text"),
    [
        (bounds.Bound("value", 5), "5"),
        (bounds.Bound("at_least", 5), ">= 5"),
        (bounds.Bound("at_most", "unlimited"), "<= unlimited"),
        (bounds.Bound("absent"), "absent"),
    ],
)
def test_bound_as_text(bound, text):
    assert str(bound) == text


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("somaxcon", "; did you mean somaxconn?"),
        ("aaab", "; did you mean aaac or aaad?"),
        ("zzz", ""),
    ],
)
def test_near(word, text):
    assert texts.suggest(word, ["somaxconn", "aaac", "aaad"]) in (text, text.replace("aaac or aaad", "aaad or aaac"))


def test_hazards():
    request = requests.Request(
        [
            requests.SettingRequest("net.ipv4.tcp_sack", "value", 0, bounds.Note(hazard="It slows down lossy paths.")),
            requests.SettingRequest(KEY, "value", 5),
        ],
        [
            requests.LimitRequest(
                "*", "nproc", bounds.Bound("value", 5), None, bounds.Note(hazard="It may lock people out")
            )
        ],
    )
    assert requests.hazards(request) == [
        "net.ipv4.tcp_sack has a hazard: It slows down lossy paths.",
        "* nproc has a hazard: It may lock people out.",
    ]


def test_no_hazards():
    assert (
        requests.hazards(
            requests.Request(
                [requests.SettingRequest(KEY, "value", 5)],
                [requests.LimitRequest("*", "nproc", bounds.Bound("value", 5))],
            )
        )
        == []
    )
