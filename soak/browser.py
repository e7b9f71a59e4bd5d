"""The report and pages of patients in a real browser, without a network: every link, sort, download and key; no error; no serious
finding of axe-core.

Needs Chromium (`chromium` on the PATH, or TSHDB_CHROMIUM), and the packages playwright and axe-playwright-python, which bring no
browser of their own here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from soak import Figure
from tshdb.places import PATIENTS

SIZES = {"desktop": (1400, 900), "phone": (390, 844)}
SAVED = {"csv": b"\xef\xbb\xbf", "svg": b"<svg", "png": b"\x89PNG"}
GRAVE = {"serious", "critical"}
SCHEMES = ("light", "dark")
OPENED = "document.querySelectorAll('details').forEach(one => { one.open = true; })"
APART = 150  # ms between two files that are saved: Chromium drops an eleventh within one second
OF_DEMO = 5  # pages of its patients, who have no images


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """A line each of what was tried on the demo's report, on a desktop and on a phone."""
    browser = os.environ.get("TSHDB_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    lacking = [name for name in ("playwright", "axe_playwright_python") if find_spec(name) is None]
    if browser is None or lacking:
        yield Figure(
            "report in a browser", f"not tried: {'no Chromium' if browser is None else 'no ' + ', '.join(lacking)}"
        )
        return
    from tests.support.simulated import five_examinations

    demo, with_images, named = folder / "demo", folder / "five" / "study", folder / "named"
    with_images.parent.mkdir()
    five_examinations(with_images.parent)
    for command in (
        ("demo", demo),
        ("report", "--study", demo, "--out", folder / "report.html"),
        ("report", "--study", demo, "--patients", "--out", named / "demo" / "report.html"),
        ("report", "--study", with_images, "--patients", "--out", named / "five" / "report.html"),
    ):
        words = [sys.executable, "-m", "cli.main", *map(str, command)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield from look(folder / "report.html", browser, folder)
    of_demo = sorted((named / "demo" / PATIENTS).glob("*.html"))[:OF_DEMO]
    yield from look_at_patients([*sorted((named / "five" / PATIENTS).glob("*.html")), *of_demo], browser, folder)


def look(page: Path, browser: str, folder: Path) -> Iterator[Figure]:
    """Open a report and use it. Pictures of it go into the folder: desktop.png, phone.png."""
    for name, tab in _tabs(browser):
        with _watched(tab) as watched:
            tab.goto(page.resolve().as_uri())
            yield from _used(tab, name)
            tab.screenshot(path=str(folder / f"{name}.png"), full_page=True)
        yield from watched.figures(name)


def look_at_patients(pages: Sequence[Path], browser: str, folder: Path) -> Iterator[Figure]:
    """Open pages of patients: a figure is of all of them. Pictures of the first go into the folder: patient-desktop.png …"""
    for size, tab in _tabs(browser):
        name = f"{len(pages)} pages of patients, {size}"
        n_links, lost, wide = 0, [], 0
        grave: Counter[str] = Counter()
        with _watched(tab) as watched:
            for page in pages:
                tab.goto(page.resolve().as_uri())
                hrefs = tab.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href)")
                n_links += len(hrefs)
                lost += [href for href in hrefs if not _leads(tab, href)]
                tab.evaluate(OPENED)
                wide = max(wide, _beyond(tab))
                for scheme in SCHEMES:
                    grave.update(
                        {one["id"]: len(one["nodes"]) for one in _found_by_axe(tab, scheme) if one["impact"] in GRAVE}
                    )
            tab.goto(pages[0].resolve().as_uri())
            tab.screenshot(path=str(folder / f"patient-{size}.png"), full_page=True)
        yield Figure(f"{name}: links", f"{n_links - len(lost)} of {n_links} lead somewhere", "all", not lost)
        yield Figure(f"{name}: pixels beyond the right edge, at most", f"{wide}", "0", wide <= 0)
        yield Figure(f"{name}: serious findings of axe-core", _told(grave) or "0", "0", not grave)
        yield from watched.figures(name)


def _leads(tab: Any, href: str) -> bool:
    """Whether a link of the page that is open leads to a part of it, or to a file that is there."""
    place, _, part = href.partition("#")
    if place == tab.url.partition("#")[0]:
        return not part or tab.evaluate("id => document.getElementById(decodeURIComponent(id)) !== null", part)
    return place.startswith("file:") and Path(unquote(urlsplit(place).path)).is_file()


def _tabs(browser: str) -> Iterator[tuple[str, Any]]:
    """An empty page of each size, without a network."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for name, (width, height) in SIZES.items():
            context = chromium.new_context(
                viewport={"width": width, "height": height},
                offline=True,
                accept_downloads=True,
                reduced_motion="reduce",
            )
            yield name, context.new_page()
            context.close()
        chromium.close()


@dataclass
class _Watched:
    """What pages that were open asked for outside of themselves, and the errors of their console."""

    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def figures(self, name: str) -> Iterator[Figure]:
        outside = [url for url in self.asked if not url.startswith(("file:", "data:", "blob:"))]
        yield Figure(f"{name}: requests that leave the page", f"{len(outside)}", "0", not outside)
        first = f": {self.said[0]}" if self.said else ""
        yield Figure(f"{name}: errors of the console", f"{len(self.said)}{first}", "0", not self.said)


@contextmanager
def _watched(tab: Any) -> Iterator[_Watched]:
    watched = _Watched()
    tab.on("console", lambda message: watched.said.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: watched.said.append(str(error)))
    tab.on("request", lambda request: watched.asked.append(request.url))
    yield watched


def _used(tab: Any, name: str) -> Iterator[Figure]:
    yield _keys(tab, name)
    yield _links(tab, name)
    yield _sorts(tab, name)
    yield from _saves(tab, name)
    yield _fits(tab, name)
    yield from _axe(tab, name)


def _links(tab: Any, name: str) -> Figure:
    """Every link leads to a part that can then be seen."""
    lost = tab.evaluate(
        """() => [...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href')).filter(href => {
            const target = href.startsWith('#') && document.getElementById(decodeURIComponent(href.slice(1)));
            return !target;
        })"""
    )
    n = tab.locator("a[href]").count()
    inner = tab.locator("details a[href^='#']").first
    hidden = ""
    if inner.count():
        href = inner.get_attribute("href")
        tab.evaluate("href => { location.hash = href; }", href)
        tab.wait_for_timeout(200)
        hidden = "" if tab.evaluate("id => document.getElementById(id).getClientRects().length > 0", href[1:]) else href
    return Figure(f"{name}: links", f"{n - len(lost)} of {n} lead somewhere", "all", not lost and not hidden)


def _sorts(tab: Any, name: str) -> Figure:
    """Every column of every table sorts, twice, and no row is lost."""
    wrong = tab.evaluate(
        """() => [...document.querySelectorAll('table')].flatMap((table, t) => {
            const rows = () => [...table.tBodies[0].rows].map(row => row.textContent);
            const before = [...rows()].sort().join('|');
            return [...table.querySelectorAll('th button')].filter(button => {
                button.closest('th').removeAttribute('aria-sort');
                button.click();
                const up = button.closest('th').getAttribute('aria-sort');
                button.click();
                const down = button.closest('th').getAttribute('aria-sort');
                return up !== 'ascending' || down !== 'descending' || [...rows()].sort().join('|') !== before;
            }).map(button => t + ':' + button.textContent);
        })"""
    )
    n = tab.locator("th button").count()
    return Figure(f"{name}: columns that sort", f"{n - len(wrong)} of {n}", "all", not wrong)


def _saves(tab: Any, name: str) -> Iterator[Figure]:
    """Each kind of file is saved by its button, and is one of its kind."""
    tab.evaluate(OPENED)
    for kind, begins in SAVED.items():
        buttons = tab.locator(f"button[data-save={kind}]")
        n, whole = buttons.count(), 0
        for i in range(n):
            tab.wait_for_timeout(APART)
            with tab.expect_download(timeout=30_000) as waited:
                buttons.nth(i).click()
            content = Path(waited.value.path()).read_bytes()
            whole += content.startswith(begins) and len(content) > len(begins) + 20
        yield Figure(f"{name}: files saved, {kind}", f"{whole} of {n}", "all", n > 0 and whole == n)


def _keys(tab: Any, name: str) -> Figure:
    """By the keyboard alone: the skip link comes first, a column sorts by Enter, and a folded section opens by it."""
    tab.keyboard.press("Tab")
    is_skip = tab.evaluate("document.activeElement.className") == "skip"
    head = tab.locator("th button").first
    head.focus()
    tab.keyboard.press("Enter")
    sorted_by = head.evaluate("button => button.closest('th').getAttribute('aria-sort')")
    folded = tab.locator("details.section > summary").first
    folded.focus()
    tab.keyboard.press("Enter")
    is_open = folded.evaluate("summary => summary.parentElement.open")
    found = f"skip link {is_skip}, sort {sorted_by}, section open {is_open}"
    return Figure(f"{name}: keyboard", found, "", is_skip and sorted_by == "ascending" and is_open)


def _fits(tab: Any, name: str) -> Figure:
    """The page is as wide as the window: nothing is beyond its right edge but what scrolls by itself."""
    wide = _beyond(tab)
    return Figure(f"{name}: pixels beyond the right edge", f"{wide}", "0", wide <= 0)


def _beyond(tab: Any) -> int:
    return tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def _axe(tab: Any, name: str) -> Iterator[Figure]:
    for scheme in SCHEMES:
        found = _found_by_axe(tab, scheme)
        grave = {one["id"]: len(one["nodes"]) for one in found if one["impact"] in GRAVE}
        told = f": {_told(grave)}" if grave else ""
        yield Figure(
            f"{name}: axe-core, {scheme}", f"{len(grave)} serious of {len(found)} findings{told}", "0", not grave
        )
    tab.emulate_media(color_scheme="light")


def _found_by_axe(tab: Any, scheme: str) -> list[dict[str, Any]]:
    from axe_playwright_python.sync_playwright import Axe

    tab.emulate_media(color_scheme=scheme)
    return Axe().run(tab).response["violations"]


def _told(grave: Mapping[str, int]) -> str:
    """Rules that are broken, with the places of each."""
    return "; ".join(f"{rule} ({n})" for rule, n in grave.items())
