# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The page of a report in a real browser: two widths, two colour schemes, no JavaScript, no network, keyboard and screen reader."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import html
from ansible_collections.tunefleet.linux.tests.unit.plugins.plugin_utils._report import fleets

WIDTHS = {390: 844, 1440: 1000}
SCHEMES = ("light", "dark")
# Without these Chromium asks for updates and the like, which is none of the page's business.
OPTIONS = [
    *("--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--force-device-scale-factor=1", "--lang=en"),
]
FLEETS = {
    "mixed": fleets.mixed,
    "clean": lambda: [fleets.host("a", fleets.setting()), fleets.host("b", fleets.setting())],
    "hostile": lambda: [*fleets.mixed(), *fleets.hostile()],
    "large": lambda: fleets.large(500, 60),
    "empty": list,
}


def missing() -> str:
    """Why no browser can run here, or nothing."""
    for program, package in (("chromium", "chromium"), ("chromedriver", "chromium-driver")):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian: apt-get install {package})"
    return ""


@contextlib.contextmanager
def started(*, javascript: bool) -> Iterator[Any]:
    """A browser with a profile of its own."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for option in [*OPTIONS, f"--user-data-dir={profile}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]:
            options.add_argument(option)
        if not javascript:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(str(shutil.which("chromedriver"))))
        try:
            # Away from the page that a browser begins with, which does fetch things.
            driver.get("about:blank")
            driver.get_log("performance")
            yield driver
        finally:
            driver.quit()


class Browser:
    """A browser that shows our pages."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self.driver = driver
        self._folder = folder

    def path(self, name: str) -> Path:
        path = self._folder / f"{name}.html"
        if not path.exists():
            path.write_text(html.to_html(fleets.fleet(FLEETS[name]())), encoding="utf-8")
        return path

    def show(self, name: str, width: int = 1440, scheme: str = "light") -> None:
        size = {"width": width, "height": WIDTHS[width], "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get(self.path(name).as_uri())

    def ask(self, script: str) -> Any:
        return self.driver.execute_script(f"return {script}")

    def requests(self) -> list[str]:
        """What was fetched since the last time that somebody asked."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith("chrome:")]

    def screenshot(self) -> tuple[int, int, list[bytes]]:
        """Width, height and the rows of pixels (red, green, blue) of what can be seen."""
        data = base64.b64decode(self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"])
        return pixels(data)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(javascript=True) as driver:
        yield Browser(driver, tmp_path_factory.mktemp("pages"))


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """The pixels of a PNG with eight bits for each of red, green, blue and perhaps opacity, as Chromium makes it."""
    stream, packed = io.BytesIO(png[8:]), b""
    width = height = depth = 0
    while True:
        head = stream.read(8)
        length, kind = struct.unpack(">I4s", head)
        data = stream.read(length)
        stream.read(4)
        if kind == b"IHDR":
            width, height, bits, color = struct.unpack(">IIBB", data[:10])
            assert bits == 8 and color in (2, 6)
            depth = 3 if color == 2 else 4
        elif kind == b"IDAT":
            packed += data
        elif kind == b"IEND":
            break
    raw, size = zlib.decompress(packed), width * depth
    rows, above = [], bytearray(size)
    for line in range(height):
        start = line * (size + 1)
        above = unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + size]), above, depth)
        rows.append(bytes(above) if depth == 3 else bytes(b for i, b in enumerate(above) if i % 4 != 3))
    return width, height, rows


def unfiltered(kind: int, row: bytearray, above: bytearray, depth: int) -> bytearray:
    """A row of a PNG before its filter (PNG specification, section 9)."""
    for place in range(len(row)):
        left = row[place - depth] if place >= depth else 0
        up, corner = above[place], above[place - depth] if place >= depth else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) // 2
        elif kind == 4:
            base = left + up - corner
            guess = min((left, up, corner), key=lambda one, base=base: abs(base - one))  # type: ignore[misc]
        else:
            return row
        row[place] = (row[place] + guess) & 255
    return row


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["mixed", "hostile", "clean", "empty"])
def test_the_page_fits_and_fetches_nothing(browser: Browser, name: str, width: int, scheme: str) -> None:
    browser.requests()
    browser.show(name, width, scheme)
    assert browser.ask("document.documentElement.scrollWidth") <= width
    browser.ask("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert browser.ask("document.documentElement.scrollWidth") <= width
    assert browser.requests() == [browser.path(name).as_uri()]
    assert browser.driver.get_log("browser") == []


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_seen_follows_the_scheme(browser: Browser, width: int) -> None:
    """Screenshots at two widths: as large as asked for, not empty, the one light and the other dark."""
    grounds = {}
    for scheme in SCHEMES:
        browser.show("mixed", width, scheme)
        found_width, height, rows = browser.screenshot()
        assert (found_width, height) == (width, WIDTHS[width])
        grounds[scheme] = rows[2][:3]
        colors = {rows[y][x * 3 : x * 3 + 3] for y in range(0, height, 3) for x in range(0, width, 3)}
        assert len(colors) > 50, "next to nothing was painted"
    assert min(grounds["light"]) > 230 and max(grounds["dark"]) < 40


@pytest.mark.parametrize("width", WIDTHS)
def test_the_verdict_is_seen_without_scrolling(browser: Browser, width: int) -> None:
    browser.show("mixed", width)
    verdict = "document.querySelector('.verdict')"
    assert "2 of 5 hosts are not as the profile wants" in browser.ask(f"{verdict}.innerText")
    assert browser.ask(f"{verdict}.getBoundingClientRect().bottom") < WIDTHS[width] / 2
    tiles = browser.ask(
        "[...document.querySelectorAll('.tile')].map(one => one.innerText.split(/\\s+/).slice(0, 2).join(' '))"
    )
    assert tiles == ["1 as", "2 drifted", "1 failed", "1 unreachable"]


def test_heads_stay_in_sight_in_the_matrix_of_a_large_fleet(browser: Browser) -> None:
    browser.show("large")
    assert browser.ask("document.documentElement.scrollWidth") <= 1440
    browser.ask("document.querySelectorAll('.matrix')[0].scrollTo(300, 500)")
    box, head, name = (
        browser.ask(f"(one => [one.left, one.top])(document.querySelector('.matrix{part}').getBoundingClientRect())")
        for part in ("", " thead .corner", " tbody tr:last-child th")
    )
    assert browser.ask("document.querySelectorAll('.matrix')[0].scrollTop") > 100
    assert abs(head[1] - box[1]) < 3 and abs(name[0] - box[0]) < 3


def test_a_link_to_a_host_opens_its_details(browser: Browser) -> None:
    browser.show("large")
    link = "document.querySelector('#drift ~ .matrix tbody th a')"
    target = browser.ask(f"{link}.getAttribute('href').slice(1)")
    assert browser.ask(f"document.getElementById('{target}').checkVisibility()") is False
    browser.ask(f"{link}.click()")
    assert browser.ask(f"document.getElementById('{target}').checkVisibility()") is True


def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser: Browser) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser.show("mixed")
    seen: list[Any] = []
    for _press in range(200):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        found = browser.ask(
            "(one => [one.tagName, one.className, one.innerText.slice(0, 30), getComputedStyle(one).outlineStyle,"
            " [...document.querySelectorAll('a,summary,[tabindex=\"0\"]')].indexOf(one)])(document.activeElement)"
        )
        if found[0] == "BODY" or (seen and found == seen[0]):
            break
        seen.append(found)
    assert seen[0][1] == "skip"
    assert all(style == "solid" for _tag, _name, _text, style, _place in seen), seen
    reachable = (
        "[...document.querySelectorAll('a,summary,[tabindex=\"0\"]')].filter(one => one.checkVisibility()).length"
    )
    assert len(seen) == browser.ask(reachable)
    assert [place for *_rest, place in seen] == sorted(place for *_rest, place in seen), "out of order"
    summary = browser.driver.find_element("css selector", "details.host > summary")
    before = browser.ask("document.querySelector('details.host').open")
    summary.send_keys(Keys.ENTER)
    assert browser.ask("document.querySelector('details.host').open") is not before


def test_a_screen_reader_is_told_what_the_eye_sees(browser: Browser) -> None:
    """Chromium's own accessibility tree: tables with heads, regions with names, and no mark by colour or sign alone."""
    browser.show("mixed")
    nodes = browser.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    # Where a line may break after a dot, Chromium reads a blank.
    told = [
        (node["role"]["value"], node.get("name", {}).get("value", "").replace(". ", "."))
        for node in nodes
        if not node["ignored"]
    ]
    assert ("heading", "Tuning audit of 5 hosts") in told
    assert ("rowheader", "web10") in told and ("columnheader", "net.ipv4.tcp_fin_timeout") in told
    assert ("image", "1 drifted: 2 hosts") in told
    assert all(name for role, name in told if role in ("region", "table", "navigation", "image", "link"))
    texts = {name for role, name in told if role == "StaticText"}
    assert {"drifted", "as wanted", "failed", "unreachable", "60", "live, file, boot"} <= texts


@pytest.fixture(scope="module")
def without_scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(javascript=False) as driver:
        yield Browser(driver, tmp_path_factory.mktemp("pages"))


def test_the_page_works_without_javascript(without_scripts: Browser) -> None:
    driver = without_scripts.driver
    driver.get("data:text/html,<p id=a>still</p><script>document.getElementById('a').textContent = 'moving'</script>")
    assert driver.find_element("id", "a").text == "still", "JavaScript is on"
    without_scripts.show("mixed", 390)
    details = driver.find_element("css selector", "details.host:not([open])")
    assert "no route to host" in driver.find_element("css selector", "#not-audited ~ .scroll").text
    table = details.find_element("css selector", ".body")
    assert not table.is_displayed()
    details.find_element("css selector", "summary").click()
    assert table.is_displayed()


def test_what_hosts_say_is_never_run(browser: Browser, note: Callable[[str], None]) -> None:
    browser.driver.get_log("browser")
    browser.show("hostile")
    assert browser.ask("document.querySelectorAll('script, img, svg[onload]').length") == 0
    # Were anything let in, a dialog would stand in the way of this, or the policy would complain on the console.
    assert browser.driver.title == "Tuning audit of 29 hosts"
    assert browser.driver.get_log("browser") == []
    note("the report was looked at in Chromium at 390 and 1440 pixels, light and dark, with and without JavaScript")
