# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import bound as bounds
from ansible_collections.tunefleet.linux.plugins.module_utils._core import limit as limit_types
from ansible_collections.tunefleet.linux.plugins.module_utils._core import plan as plans
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._core import shape as shapes
from ansible_collections.tunefleet.linux.plugins.module_utils._core import steps as step_types

PATH = "/etc/sysctl.d/99-tunefleet.conf"
SETTING = plans.SettingDecision(
    "net.core.somaxconn",
    "changed",
    ">= 8192",
    "",
    live=("4096", "8192"),
    file=(None, "8192"),
    boot_before=plans.BootState("1", "/etc/sysctl.d/1.conf:3", False),
    boot=plans.BootState("8192", PATH + ":2", True),
    note=bounds.Note("w", ("a:1",)),
)
LIMIT = plans.LimitDecision(
    "*",
    "nofile",
    "kept",
    (">= 5", None),
    "enough",
    before=limit_types.Limit(None, 7),
    after=limit_types.Limit(6, 7),
    effective=limit_types.Limit(6, "unlimited"),
    shadowed_by="/x:1",
    note=bounds.Note(None, ["b"]),
)
LIVE = step_types.SetSysctl("net.core.somaxconn", "4096", "8192", shapes.Shape())
VECTOR = step_types.SetSysctl("net.ipv4.tcp_rmem", "1\t2\t3", "1 2 4", shapes.Shape())
EDIT = step_types.WriteFile(PATH, PATH, b"a\xff\n", b"b\n")
MAKE = step_types.WriteFile("/etc/l", "/etc/l", None, b"c\n")
DROP = step_types.WriteFile("/etc/l", "/etc/l", b"c\n", None)


UNKEPT = "not changed, because the run failed"


def test_setting():
    assert results.setting(SETTING, PATH) == {
        "key": "net.core.somaxconn",
        "status": "changed",
        "wanted": ">= 8192",
        "reason": None,
        "live": {"before": "4096", "after": "8192"},
        "file": {"path": PATH, "before": None, "after": "8192"},
        "boot": {
            "before": "1",
            "winner_before": "/etc/sysctl.d/1.conf:3",
            "value": "8192",
            "winner": PATH + ":2",
            "ours": True,
        },
        "shadowed": False,
        "why": "w",
        "source": ["a:1"],
        "arithmetic": None,
    }


def test_a_worked_out_number_says_how_it_comes_about():
    one = results.setting(SETTING._replace(explanation="1024 per GiB x 8 GiB"), PATH)
    assert (one["wanted"], one["arithmetic"]) == (">= 8192 (1024 per GiB x 8 GiB)", "1024 per GiB x 8 GiB")


def test_setting_without_a_file():
    assert results.setting(SETTING._replace(reason="because"), None)["file"]["path"] is None
    assert results.setting(SETTING._replace(reason="because"), None)["reason"] == "because"


def test_limit():
    assert results.limit(LIMIT) == {
        "target": {"domain": "*"},
        "item": "nofile",
        "status": "kept",
        "wanted": {"soft": ">= 5", "hard": None},
        "reason": "enough",
        "before": {"soft": None, "hard": 7},
        "after": {"soft": 6, "hard": 7},
        "effective": {"soft": 6, "hard": "unlimited"},
        "shadowed_by": "/x:1",
        "notes": [],
        "why": None,
        "source": ["b"],
    }


def test_wishes_that_lost_are_shown():
    losers = ({"profile": "p", "wanted": "5"},)
    for show, one in ((lambda found: results.setting(found, PATH), SETTING), (results.limit, LIMIT)):
        assert show(one._replace(note=one.note._replace(instead_of=losers)))["instead_of"] == list(losers)
        assert "instead_of" not in show(one)


@pytest.mark.parametrize(
    ("statuses", "counts"), [([], {}), (["ok", "changed", "ok"], {"ok": 2, "changed": 1}), (["kept"], {"kept": 1})]
)
def test_summary(statuses, counts):
    assert results.summary(statuses) == counts


HEAD = "live kernel parameters"


@pytest.mark.parametrize(
    ("steps", "pages"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param(
            [LIVE, VECTOR],
            [
                {
                    "before_header": HEAD,
                    "after_header": HEAD,
                    "before": "net.core.somaxconn = 4096\nnet.ipv4.tcp_rmem = 1 2 3\n",
                    "after": "net.core.somaxconn = 8192\nnet.ipv4.tcp_rmem = 1 2 4\n",
                }
            ],
            id="live values on one page",
        ),
        pytest.param(
            [LIVE._replace(before=None)],
            [
                {
                    "before_header": HEAD,
                    "after_header": HEAD,
                    "before": "net.core.somaxconn = \n",
                    "after": "net.core.somaxconn = 8192\n",
                }
            ],
            id="live value that could not be read",
        ),
        pytest.param(
            [EDIT, MAKE],
            [
                {"before_header": PATH, "after_header": PATH, "before": "a\\xff\n", "after": "b\n"},
                {"before_header": "/etc/l", "after_header": "/etc/l", "before": "", "after": "c\n"},
            ],
            id="a page for each file",
        ),
        pytest.param(
            [DROP],
            [{"before_header": "/etc/l", "after_header": "/etc/l", "before": "c\n", "after": ""}],
            id="a file that goes",
        ),
    ],
)
def test_diff(steps, pages):
    assert results.diff(plans.Plan(steps=steps)) == pages


def test_of():
    plan = plans.Plan(
        [SETTING], [LIMIT], [LIVE, EDIT], (), ["careful"], ["new_session"], {}, [plans.Violation("r", False, "T.")]
    )
    assert results.from_plan(plan, PATH) == {
        "changed": True,
        "settings": [results.setting(SETTING, PATH)],
        "limits": [results.limit(LIMIT)],
        "summary": {"changed": 1, "kept": 1},
        "needs": ["new_session"],
        "rules": [{"rule": "r", "refused": False, "text": "T."}],
        "diff": results.diff(plan),
    }


def test_nothing_changed():
    assert results.from_plan(plans.Plan([SETTING._replace(status="ok")]), PATH)["changed"] is False


@pytest.mark.parametrize(
    ("refused", "reason", "status", "told"),
    [
        pytest.param(None, "", "changed", UNKEPT, id="before the first write"),
        pytest.param(LIVE, "Invalid argument.", "refused", "Invalid argument.", id="by the kernel"),
        pytest.param(
            LIVE._replace(key="net.core.other"), "Invalid argument.", "changed", UNKEPT, id="another key by the kernel"
        ),
    ],
)
def test_unwritten(refused, reason, status, told):
    plan = plans.Plan([SETTING], [LIMIT], [LIVE, EDIT], ["p"], (), ["new_session"])
    result = results.failed_result(plan, PATH, refused, reason)
    (setting,), (limit,) = result["settings"], result["limits"]
    assert (result["changed"], result["diff"], result["needs"]) == (False, [], [])
    assert (result["undone"], result["not_undone"]) == ([], [])
    assert (setting["status"], setting["reason"]) == (status, told)
    assert setting["live"] == {"before": "4096", "after": "4096"}
    assert setting["file"] == {"path": PATH, "before": None, "after": None}
    assert setting["boot"] == {
        "before": "1",
        "winner_before": "/etc/sysctl.d/1.conf:3",
        "value": "1",
        "winner": "/etc/sysctl.d/1.conf:3",
        "ours": False,
    }
    assert (limit["before"], limit["after"]) == ({"soft": None, "hard": 7}, {"soft": None, "hard": 7})
    assert result["summary"] == {status: 1, "kept": 1}


@pytest.mark.parametrize(
    ("step", "refused"),
    [
        pytest.param(step_types.CheckSessions(("root",), (), ()), ["*"], id="sessions"),
        pytest.param(step_types.RestartUnit("web.service"), ["web.service"], id="a restart"),
        pytest.param(
            step_types.SetRlimit(7, "1", "process nginx nofile", 7, (1, 2), (3, 4)), ["nginx"], id="a process"
        ),
        pytest.param(step_types.DaemonReload(()), [], id="all units at once"),
        pytest.param(None, [], id="nothing"),
    ],
)
def test_limits_that_a_step_was_there_for(step, refused):
    targets = [
        ("domain", "*"),
        ("domain", "kept"),
        ("unit", "web.service"),
        ("unit", "x.service"),
        ("process", "nginx"),
    ]
    limits = [
        LIMIT._replace(kind=kind, target=name, status="kept" if name == "kept" else "changed", item="nofile")
        for kind, name in targets
    ]
    found = results.failed_result(plans.Plan(limits=limits), PATH, step, "because")["limits"]
    assert [name for (_kind, name), one in zip(targets, found) if one["status"] == "refused"] == refused
    assert all((one["reason"] == "because") == (one["status"] == "refused") for one in found)
