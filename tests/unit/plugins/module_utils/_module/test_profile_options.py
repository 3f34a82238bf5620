# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the options of a module to a request: the batch form, and the options of the two modules that ours stand in for."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import bound as bounds
from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._module import (
    limits_options,
    profile_options,
    sysctl_options,
)

KEY = "net.core.somaxconn"


def sysctl(**options):
    """The options of the module sysctl as Ansible hands them over."""
    defaults = {
        "settings": None,
        "name": None,
        "value": None,
        "state": "present",
        "sysctl_file": "/etc/sysctl.d/99-tunefleet.conf",
        "live": None,
        "persist": True,
        "on_unavailable": "fail",
        "on_shadowed": "warn",
        "reload": True,
        "sysctl_set": False,
        "ignoreerrors": False,
    }
    return sysctl_options.parse(dict(defaults, **options))


@pytest.mark.parametrize(
    ("options", "desired_settings"),
    [
        pytest.param({"settings": {KEY: 5}}, [requests.SettingRequest(KEY, "value", 5)], id="batch"),
        pytest.param(
            {"settings": {KEY: {"at_least": 5}, "vm.swappiness": 1}},
            [requests.SettingRequest(KEY, "at_least", 5), requests.SettingRequest("vm.swappiness", "value", 1)],
            id="batch of two",
        ),
        pytest.param({"settings": {}}, [], id="empty batch"),
        pytest.param({"name": KEY, "value": "5"}, [requests.SettingRequest(KEY, "value", "5")], id="single"),
        pytest.param(
            {"name": " " + KEY + " ", "value": 5},
            [requests.SettingRequest(KEY, "value", 5)],
            id="blanks round the name",
        ),
        pytest.param(
            {"name": "net/core/somaxconn", "value": True},
            [requests.SettingRequest(KEY, "value", True)],
            id="slashes, boolean",
        ),
        pytest.param({"name": KEY, "value": [1, 2]}, [requests.SettingRequest(KEY, "value", [1, 2])], id="list"),
        pytest.param({"name": KEY, "value": 0}, [requests.SettingRequest(KEY, "value", 0)], id="nought is a value"),
        pytest.param({"name": KEY, "state": "absent"}, [requests.SettingRequest(KEY, "absent")], id="absent"),
        pytest.param(
            {"name": KEY, "state": "absent", "value": "5"},
            [requests.SettingRequest(KEY, "absent")],
            id="absent ignores the value",
        ),
        pytest.param(
            {"settings": {KEY: None, "vm/swappiness": 5}, "state": "absent"},
            [requests.SettingRequest(KEY, "absent"), requests.SettingRequest("vm.swappiness", "absent")],
            id="absent batch",
        ),
        pytest.param(
            {"settings": {KEY: None, "net/core/somaxconn": None}, "state": "absent"},
            [requests.SettingRequest(KEY, "absent")],
            id="absent under two spellings",
        ),
    ],
)
def test_sysctl_wishes(options, desired_settings):
    found = sysctl(**options)
    assert [(one.key, one.operator, one.raw) for one in found.settings] == [
        (one.key, one.operator, one.raw) for one in desired_settings
    ]
    assert list(found.limits) == []


@pytest.mark.parametrize(
    ("options", "policy"),
    [
        pytest.param({"settings": {}}, {}, id="batch"),
        pytest.param({"settings": {}, "reload": False}, {}, id="batch is live whatever reload says"),
        pytest.param({"settings": {}, "live": False}, {"live": False}, id="batch, file only"),
        pytest.param({"name": KEY, "value": 5}, {}, id="single reloads"),
        pytest.param({"name": KEY, "value": 5, "reload": False}, {"live": False}, id="single without reload"),
        pytest.param({"name": KEY, "value": 5, "reload": False, "sysctl_set": True}, {}, id="single with sysctl_set"),
        pytest.param({"name": KEY, "value": 5, "reload": False, "live": True}, {}, id="live wins over reload"),
        pytest.param(
            {"name": KEY, "value": 5, "live": False, "sysctl_set": True},
            {"live": False},
            id="live wins over sysctl_set",
        ),
        pytest.param({"name": KEY, "state": "absent"}, {"live": False}, id="absent leaves the kernel alone"),
        pytest.param({"name": KEY, "state": "absent", "live": True}, {"live": False}, id="absent, whatever live says"),
        pytest.param({"settings": {}, "persist": False}, {"persist": False}, id="live only"),
        pytest.param({"settings": {}, "ignoreerrors": True}, {"on_unavailable": "skip"}, id="ignoreerrors"),
        pytest.param(
            {"settings": {}, "on_unavailable": "warn", "on_shadowed": "fail", "sysctl_file": "/etc/sysctl.conf"},
            {"on_unavailable": "warn", "on_shadowed": "fail", "sysctl_file": "/etc/sysctl.conf"},
            id="policies",
        ),
    ],
)
def test_sysctl_policy(options, policy):
    # A single key only warns of rules across keys: others may follow.
    expected = requests.Policy(on_unavailable="fail", strict="name" not in options)
    assert sysctl(**options).policy == expected._replace(**policy)


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        # The first two texts are those of ansible.posix.sysctl, which playbooks may look for.
        pytest.param({"name": "", "value": "5"}, _errors.TuneError, "name cannot be blank", id="blank name"),
        pytest.param({"name": "  ", "value": "5"}, _errors.TuneError, "name cannot be blank", id="name of blanks"),
        pytest.param(
            {"name": "", "state": "absent"}, _errors.TuneError, "name cannot be blank", id="blank name, absent"
        ),
        pytest.param({"name": None, "value": "5"}, _errors.TuneError, "name cannot be blank", id="name that is null"),
        pytest.param({"name": KEY}, _errors.TuneError, "value cannot be None", id="no value"),
        pytest.param({"name": KEY, "value": ""}, _errors.TuneError, "value cannot be blank", id="blank value"),
        pytest.param(
            {"name": "../x", "value": "5"},
            _errors.EntryProblems,
            "The key '../x' has an empty segment; write it as in net.core.somaxconn. Nothing was written.",
            id="malformed name",
        ),
        pytest.param(
            {"name": "a\nb.c", "state": "absent"},
            _errors.EntryProblems,
            (
                "The key 'a\\nb.c' contains white space or a control character; write one key, as in "
                "net.core.somaxconn. Nothing was written."
            ),
            id="malformed name, absent",
        ),
        pytest.param(
            {"settings": {"a..b": 1, "../x": 1}, "state": "absent"},
            _errors.EntryProblems,
            "2 entries are refused, nothing was written:\n"
            "- The key 'a..b' has an empty segment; write it as in net.core.somaxconn.\n"
            "- The key '../x' has an empty segment; write it as in net.core.somaxconn.",
            id="all malformed names of a batch",
        ),
        pytest.param(
            {"name": KEY, "value": 5, "live": False, "persist": False},
            _errors.TuneError,
            "Neither the running kernel (live) nor the file (persist) may be changed: there is nothing to do.",
            id="nothing to do",
        ),
        pytest.param(
            {"settings": {KEY: None}},
            _errors.EntryProblems,
            KEY + ": the value is missing. Nothing was written.",
            id="batch without a value",
        ),
    ],
)
def test_sysctl_refused(options, kind, text):
    with pytest.raises(_errors.TuneError) as caught:
        sysctl(**options)
    assert (type(caught.value), str(caught.value)) == (kind, text)


def limits(**options):
    """The options of the module limits as Ansible hands them over."""
    defaults = {
        "limits": None,
        "domain": None,
        "limit_type": None,
        "limit_item": None,
        "value": None,
        "use_max": False,
        "use_min": False,
        "comment": "",
        "state": "present",
        "dest": "/etc/security/limits.d/99-tunefleet.conf",
        "backup": False,
        "guard": "refuse",
    }
    return limits_options.parse(dict(defaults, **options))


def single(kind="soft", value="5", **options):
    return dict({"domain": "www", "limit_type": kind, "limit_item": "nofile", "value": value}, **options)


FIVE, GONE = bounds.Bound("value", 5), bounds.Bound("absent")


def drop_in(soft=None, hard=None, **fields):
    return requests.LimitRequest("www", "nofile", soft, hard, file_only=True, **fields)


@pytest.mark.parametrize(
    ("options", "desired_settings"),
    [
        pytest.param(single("soft"), [drop_in(FIVE)], id="soft"),
        pytest.param(single("hard"), [drop_in(None, FIVE)], id="hard"),
        pytest.param(single("-"), [drop_in(FIVE, FIVE, joined=True)], id="dash"),
        pytest.param(single("soft", use_max=True), [drop_in(bounds.Bound("at_least", 5))], id="use_max"),
        pytest.param(single("hard", use_min=True), [drop_in(None, bounds.Bound("at_most", 5))], id="use_min"),
        pytest.param(single("soft", comment=" why "), [drop_in(FIVE, comment="why")], id="comment"),
        pytest.param(single("soft", comment=None), [drop_in(FIVE)], id="no comment"),
        pytest.param(
            single("soft", "infinity", limit_item="nproc"),
            [requests.LimitRequest("www", "nproc", bounds.Bound("value", "unlimited"), file_only=True)],
            id="no limit",
        ),
        pytest.param(
            single("-", "-1", limit_item="nice"),
            [
                requests.LimitRequest(
                    "www", "nice", bounds.Bound("value", -1), bounds.Bound("value", -1), joined=True, file_only=True
                )
            ],
            id="nice",
        ),
        pytest.param(single("soft", None, state="absent"), [drop_in(GONE)], id="absent soft"),
        pytest.param(single("hard", "5", state="absent"), [drop_in(None, GONE)], id="absent hard"),
        pytest.param(single("-", None, state="absent"), [drop_in(GONE, GONE)], id="absent dash"),
        pytest.param(
            {"limits": [{"domain": "www", "item": "nofile", "soft": 5, "hard": {"at_least": 6}}]},
            [requests.LimitRequest("www", "nofile", FIVE, bounds.Bound("at_least", 6))],
            id="batch",
        ),
        pytest.param({"limits": []}, [], id="empty batch"),
        pytest.param(
            {"limits": [{"domain": "www", "item": "nofile"}], "state": "absent"},
            [drop_in(GONE, GONE)],
            id="absent batch",
        ),
        pytest.param(
            {"limits": [{"domain": "www", "item": "nofile", "soft": 5, "hard": None}], "state": "absent"},
            [drop_in(GONE)],
            id="absent batch, one half",
        ),
        pytest.param(
            {
                "limits": [
                    {"domain": "www", "item": "nofile", "soft": 5},
                    {"domain": "bob", "item": "nofile"},
                    {"domain": "www", "item": "nofile", "hard": 5},
                ],
                "state": "absent",
            },
            [drop_in(GONE, GONE), requests.LimitRequest("bob", "nofile", GONE, GONE, file_only=True)],
            id="absent batch, halves in two entries",
        ),
        pytest.param(
            {
                "limits": [
                    {"domain": "www", "item": "nofile", "hard": 5},
                    {"domain": "www", "item": "nofile", "soft": 5},
                ],
                "state": "absent",
            },
            [drop_in(GONE, GONE)],
            id="absent batch, halves in two entries, hard first",
        ),
    ],
)
def test_limits_wishes(options, desired_settings):
    found = limits(**options)
    assert (list(found.settings), [desired._replace(note=desired_settings[0].note) for desired in found.limits]) == (
        [],
        desired_settings,
    )


def test_limits_policy():
    assert limits(limits=[]).policy == requests.Policy()
    assert limits(limits=[], dest="/x", guard="off", backup=True).policy == requests.Policy(
        limits_file="/x", guard="off", backup=True
    )


LEGAL = (
    "a whole number from 0 to 9223372036854775807, or unlimited; pam_limits would read something else, systemd nothing"
)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param(single("soft", "64k"), "Limit www nofile: '64k' is not " + LEGAL + ".", id="value"),
        pytest.param(single("soft", ""), "Limit www nofile: '' is not " + LEGAL + ".", id="empty value"),
        pytest.param(
            single("soft", None),
            "Limit www nofile: the value is missing.",
            id="no value",
        ),
        pytest.param(
            single("soft", comment="a\n* hard nofile 1"),
            "Limit www nofile: the comment contains a line break.",
            id="comment",
        ),
        pytest.param(
            single("soft", comment="c" * 401),
            "Limit www nofile: the comment is longer than 400 bytes.",
            id="overlong comment",
        ),
        pytest.param(
            single("soft", comment="a\0b"),
            "Limit www nofile: the comment contains a NUL byte, where pam_limits ends a line.",
            id="zero byte in the comment",
        ),
        pytest.param(
            single("soft", domain="a b"),
            (
                "Limit a b nofile: the domain 'a b' contains white space, a '#' or a control character and would "
                "never match."
            ),
            id="domain",
        ),
        pytest.param(
            single("soft", domain=""),
            "Limit nofile: '' is not a domain; write a user, @group, *, or a range of ids as in 1000:2000.",
            id="empty domain",
        ),
        pytest.param(
            single("soft", None, domain="a b", state="absent"),
            (
                "Limit a b nofile: the domain 'a b' contains white space, a '#' or a control character and would "
                "never match."
            ),
            id="domain, absent",
        ),
        pytest.param(
            {"limits": [{"domain": "www", "item": "nofile", "soft": 6, "hard": 5}]},
            "Limit www nofile: soft 6 is above hard 5; pam_limits would cut it.",
            id="batch",
        ),
        pytest.param(
            {"limits": [{"domain": "a b", "item": "nofile"}], "state": "absent"},
            (
                "Limit a b nofile: the domain 'a b' contains white space, a '#' or a control character and would "
                "never match."
            ),
            id="absent batch",
        ),
    ],
)
def test_limits_refused(options, problem):
    with pytest.raises(_errors.EntryProblems) as caught:
        limits(**options)
    assert caught.value.problems == [problem]


def profile(check_mode=False, **options):
    """The options of the module profile as Ansible hands them over."""
    defaults = {
        "name": "web_server",
        "sysctl": None,
        "limits": None,
        "accept_hazards": False,
        "connections": None,
        "memory_warn": 50,
        "memory_refuse": 100,
        "on_unavailable": "warn",
        "on_shadowed": "warn",
        "guard": "refuse",
    }
    return profile_options.parse(dict(defaults, **options), check_mode)


LIMIT = {"domain": "*", "item": "nofile", "soft": 5, "hard": None, "why": None, "source": None, "hazard": None}


def test_profile():
    found = profile(sysctl={KEY: 5}, limits=[LIMIT], guard="off", on_shadowed="fail", on_unavailable="skip")
    assert list(found.settings) == [requests.SettingRequest(KEY, "value", 5)]
    assert [(one.name, one.soft, one.hard, one.file_only) for one in found.limits] == [("* nofile", FIVE, None, False)]
    assert found.policy == requests.Policy(guard="off", on_shadowed="fail", on_unavailable="skip")


def test_empty_profile():
    history = requests.History("unnamed", {"sysctl": None, "limits": None, "guard": "refuse"})
    what = "the module profile, applying unnamed"
    assert profile(name=None) == requests.Request([], [], requests.Policy(on_unavailable="warn"), what, history)


def test_profile_to_be_reverted():
    """What the profile says now does not count, not even when it makes no sense."""
    found = profile(state="reverted", name=" web ", sysctl={"x": 5})
    assert found == requests.Request(
        what="the module profile, reverting web", history=requests.History("web", revert=True)
    )
    assert profile(state="reverted", name=None).history == requests.History("", revert=True)


def test_profile_names_the_problems_of_both_parts():
    with pytest.raises(_errors.EntryProblems) as caught:
        profile(sysctl={"x": 5}, limits=[dict(LIMIT, soft="64k")])
    assert caught.value.problems == [
        "The key 'x' is one word; a key names its directory too, as in net.core.somaxconn.",
        "Limit * nofile: '64k' is not " + LEGAL + ".",
    ]


HAZARDS = {"sysctl": {KEY: {"value": 5, "hazard": "Bad."}}, "limits": [dict(LIMIT, hazard="Worse.")]}


def test_hazards_are_refused():
    with pytest.raises(_errors.EntryProblems) as caught:
        profile(**HAZARDS)
    assert caught.value.problems == [
        KEY + " has a hazard: Bad. Set accept_hazards to apply it anyway.",
        "* nofile has a hazard: Worse. Set accept_hazards to apply it anyway.",
    ]


def test_hazards_are_accepted():
    accepted = profile(accept_hazards=True, **HAZARDS)
    assert (len(accepted.settings), accepted.warnings) == (1, ())
    assert (accepted.policy.strict, profile().policy.strict) == (False, True), "who accepts hazards is only warned"


@pytest.mark.parametrize("name", ["connections", "memory_warn", "memory_refuse"])
def test_connections_and_shares_are_above_zero(name):
    with pytest.raises(_errors.TuneError) as caught:
        profile(**{name: 0})
    assert str(caught.value) == name + " is 0; it takes an integer above zero."
    assert getattr(profile(**{name: 7}).policy, name) == 7


def test_hazards_do_not_stop_a_comparison():
    found = profile(check_mode=True, **HAZARDS)
    assert len(found.settings) == 1
    assert found.warnings == (KEY + " has a hazard: Bad.", "* nofile has a hazard: Worse.")
    assert not found.policy.strict and profile(check_mode=True).policy.strict
    assert profile(check_mode=True, accept_hazards=True, **HAZARDS).warnings == ()
