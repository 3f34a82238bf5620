# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re
import typing as t
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import fleet as fleet_report
from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import html, junit
from ansible_collections.tunefleet.linux.tests.unit.plugins.plugin_utils._report import fleets
from ansible_collections.tunefleet.linux.tests.unit.plugins.plugin_utils._report.fleets import (
    FIN,
    fleet,
    host,
    lost,
    setting,
)

CSS = Path(html.__file__).with_name("fleet.css").read_text(encoding="utf-8")
VOID = {"meta", "link", "img", "br", "wbr"}


class Reader(HTMLParser):
    """Collects what a page is made of, and finds tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"{tag} closes {self._open}"

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] != "style":
            self.texts.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def page(outcomes: list[t.Any] | None = None, when: str | None = None) -> Reader:
    return Reader(html.to_html(fleet(outcomes, when)))


def text_of(reader: Reader) -> str:
    return " ".join("".join(reader.texts).split())


def test_what_the_page_says() -> None:
    text = text_of(page(when="2026-11-22T03:00:00Z"))
    for words in (
        "Tuning audit of 5 hosts",
        "Audited 2026-11-22T03:00:00Z. Nothing was written on any host.",
        "2 of 5 hosts are not as the profile wants, in 2 settings. 2 hosts could not be audited.",
        "unreachableno route to host1 host: db1",
        "failed'abc' is not an integer.1 host: db2",
        "2 drifted hosts × 2 drifted settings",
        "≠ 60live, file, boot",
        "removed in Linux 4.15",
        f"why {FIN}",
        "memo_ko:45 Korean memo",
        "be careful",
    ):
        assert words in text, words


def test_a_clean_fleet_has_no_matrix_of_drift() -> None:
    text = text_of(page([host("a", setting()), host("b", setting())]))
    assert "Every host is as its profile wants." in text
    assert "Outliers" not in text and "≠" not in text


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        ([], "No host was audited."),
        ([lost("a")], "1 host could not be audited."),
        ([host("a", setting())], "The host is as its profile wants."),
        ([host("a", setting()), lost("b")], "1 audited host as the profile wants. 1 host could not be audited."),
        ([host("a", setting(status="changed", found="5"))], "1 of 1 host is not as the profile wants, in 1 setting."),
    ],
)
def test_the_verdict(outcomes: list[t.Any], sentence: str) -> None:
    assert sentence in text_of(page(outcomes))


def test_outliers_are_told_apart_from_what_most_hosts_have() -> None:
    odd = [host(f"odd{number}", setting(status="changed", found="60")) for number in range(12)]
    text = text_of(page([*(host(f"web{number}", setting()) for number in range(30)), *odd]))
    assert "30 on 30 hosts (most)" in text
    assert "≠ 60 on 12 hosts: odd0, odd1" in text and "and 4 more" in text


def test_every_link_within_the_page_leads_somewhere() -> None:
    reader = page(fleets.mixed() + fleets.hostile())
    identities = [attrs["id"] for _tag, attrs in reader.tags if "id" in attrs]
    assert len(identities) == len(set(identities))
    wanted = {str(attrs["href"])[1:] for attrs in reader.named("a") if str(attrs["href"]).startswith("#")}
    wanted |= {str(attrs["aria-labelledby"]) for _tag, attrs in reader.tags if "aria-labelledby" in attrs}
    assert wanted <= set(identities)


def test_the_page_is_made_to_be_read_aloud_and_by_keyboard() -> None:
    reader = page()
    (root,) = reader.named("html")
    assert root["lang"] == "en"
    assert all("scope" in attrs for attrs in reader.named("th"))
    assert len(reader.named("caption")) == len(reader.named("table")) > 4
    regions = [attrs for attrs in reader.named("div") if "scroll" in str(attrs.get("class"))]
    assert regions and all(one["tabindex"] == "0" and one["role"] == "region" and one["aria-label"] for one in regions)
    assert all("aria-hidden" in attrs or "aria-labelledby" in attrs for attrs in reader.named("svg"))
    assert reader.named("main") and reader.named("nav") and "Skip" not in text_of(reader)


def test_the_page_needs_nothing_but_itself() -> None:
    reader = page(fleets.mixed() + fleets.hostile())
    assert not {"script", "iframe", "img", "object", "embed", "form", "base"} & {tag for tag, _attrs in reader.tags}
    names = {name for _tag, attrs in reader.tags for name in attrs}
    assert not {name for name in names if name.startswith("on")} and "src" not in names and "style" not in names
    assert [attrs["href"] for attrs in reader.named("link")] == ["data:,"]
    assert "url(" not in CSS and "@import" not in CSS
    (policy,) = (attrs["content"] for attrs in reader.named("meta") if "http-equiv" in attrs)
    assert str(policy).startswith("default-src 'none'; style-src 'sha256-")


def test_nothing_that_hosts_say_becomes_markup() -> None:
    text = html.to_html(fleet(fleets.hostile()))
    text.encode("utf-8")
    reader = Reader(text)
    known = {tag for tag, _attrs in page().tags} | {"details", "ul", "li"}
    assert {tag for tag, _attrs in reader.tags} <= known
    assert "{{ 7 * 7 }}{% raw %}" in text_of(reader) and "<script>alert(1)</script>" in text_of(reader)
    links = {str(attrs["href"]) for attrs in reader.named("a")}
    assert {link for link in links if not link.startswith("#")} == {"https://docs.kernel.org/ip"}
    for piece in reader.texts:
        assert piece.replace("\n", "").isprintable(), repr(piece)


def test_only_addresses_of_the_web_become_links() -> None:
    document = fleet([host("a", setting())])
    document["notes"][0]["sources"][0]["address"] = "javascript:alert(1)"
    links = {str(attrs["href"]) for attrs in Reader(html.to_html(document)).named("a")}
    assert {link for link in links if not link.startswith("#")} == {"https://docs.kernel.org/ip"}


def test_the_same_hosts_give_the_same_bytes() -> None:
    outcomes = fleets.large(30, 10)
    assert html.to_html(fleet(outcomes)) == html.to_html(fleet(outcomes[::-1]))


def test_wishes_that_differ_from_host_to_host_are_told_up_to_a_few() -> None:
    outcomes = [host(f"h{size}", setting(wanted=f">= {size} (1 per GiB x {size} GiB)")) for size in range(1, 9)]
    outcomes.append(host("other", setting(wanted=">= 7 (1 per GiB x 7 GiB)")))
    (column,) = html.Page(fleet(outcomes)).columns
    assert column.wishes == [
        *(">= 7 (1 per GiB x 7 GiB)", ">= 1 (1 per GiB x 1 GiB)", ">= 2 (1 per GiB x 2 GiB)"),
        "5 more",
    ]


def test_the_numbers_of_the_chart() -> None:
    drifted = {1: 3, 4: 2, 12: 1}
    outcomes = [
        host(f"h{many}-{one}", *(setting(f"k{key}", "changed", "5") for key in range(many)))
        for many, times in drifted.items()
        for one in range(times)
    ]
    assert html.Page(fleet(outcomes)).bins == [("1", 3), ("2", 0), ("3 to 5", 2), ("6 to 10", 0), ("11 to 20", 1)]


@pytest.mark.parametrize(
    ("number", "total", "text"),
    [(0, 5, "0 %"), (5, 5, "100 %"), (1, 100000, "0.1 %"), (99999, 100000, "99.9 %"), (1, 3, "33.3 %")],
)
def test_share(number: int, total: int, text: str) -> None:
    assert html.share(number, total) == text


def test_size_of_a_report_of_five_hundred_hosts() -> None:
    document = fleet(fleets.large(500, 60))
    texts = [html.to_html(document), junit.to_junit(document), fleet_report.to_json(document)]
    assert len(texts[0].encode()) < 8_000_000


def test_a_page_of_a_very_large_fleet_still_opens_and_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "HOSTS_TOLD", 30)
    monkeypatch.setattr(html.Page, "hosts_listed", 10)
    odd = [host(f"odd{number}", setting(status="changed", found="60")) for number in range(20)]
    outcomes = [*(host(f"web{number}", setting()) for number in range(40)), *odd, lost("gone")]
    text = text_of(page(outcomes))
    assert (
        "This page has the details of 30 hosts, those that are not as wanted first. 31 more are in fleet.json." in text
    )
    assert "20 drifted hosts × 1 drifted setting" in text and "30 on 40 hosts (most)" in text
    assert "and 10 hosts that fleet.json names" in text
    told = [attrs["id"] for attrs in page(outcomes).named("div") if str(attrs.get("id")).startswith("host-")]
    assert len(told) == 30


# Colours


def palettes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    first = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return {"light": first, "dark": {**first, **dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))}}


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


MARKS = ("ok", "kept", "drift", "refused", "failed", "unreachable", "absent")
TEXTS = [
    *((text, ground) for text in ("text", "muted", "link") for ground in ("page", "card", "kept-bg")),
    *((mark, f"{mark}-bg") for mark in MARKS),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_text_can_be_read(scheme: str, text: str, ground: str) -> None:
    colors = palettes()[scheme]
    assert contrast(colors[text], colors[ground]) >= 4.5  # WCAG 2, AA


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("shape", ["focus", *(f"{mark}-fill" for mark in MARKS if mark != "absent")])
def test_shapes_can_be_seen(scheme: str, shape: str) -> None:
    colors = palettes()[scheme]
    assert contrast(colors[shape], colors["card"]) >= 3


def test_contrast_is_computed_as_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
