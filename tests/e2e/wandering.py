"""Walks through the page by whatever a person could press next, and writes down what goes wrong."""

import random
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from playwright.sync_api import BrowserContext, ConsoleMessage, ElementHandle, Page, Response
from playwright.sync_api import Error as PlaywrightError

from tests.e2e.accessibility import findings
from tests.e2e.conftest import until

READ = """() => {
  const shown = (one) => {
    const box = one.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || box.bottom < 0 || box.right < 0) return false;
    if (box.top > innerHeight || box.left > innerWidth) return false;
    const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
    const y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
    const hit = document.elementFromPoint(x, y);
    return hit !== null && (one.contains(hit) || hit.closest('label')?.control === one);
  };
  const parts = 'a[href], button, input, select, textarea, [role=button], [role=menuitem], [role=option],'
    + ' [role=tab], [role=switch], [role=checkbox], [role=treeitem], summary';
  const named = (one) => {
    const name = one.getAttribute('aria-label') || one.labels?.[0]?.textContent || one.textContent;
    return (name || one.title || one.placeholder || one.value || '').trim();
  };
  const kind = (one) => one.getAttribute('role')
    || (one.tagName === 'A' ? 'link' : one.tagName === 'INPUT' ? one.type : one.tagName.toLowerCase());
  window.wandered = [...document.querySelectorAll(parts)].filter((one) =>
    !one.disabled && one.getAttribute('aria-disabled') !== 'true' && shown(one));
  return window.wandered.map((one) => ({
    kind: kind(one),
    name: named(one).slice(0, 80),
    href: one.href ?? '',
    fresh: !one.target && !one.hasAttribute('download'),
    on: one.checked === true || ['aria-pressed', 'aria-selected', 'aria-current', 'aria-checked'].some((state) =>
      !['false', null].includes(one.getAttribute(state))),
    inside: one.closest('dialog, [role=dialog]') !== null,
  }));
}"""
WATCH = """() => {
  window.stirred?.disconnect();
  window.stirs = 0;
  window.stirred = new MutationObserver((all) => { window.stirs += all.length; });
  window.stirred.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
}"""
# To copy twice changes nothing that can be seen.
COPYING = """() => {
  const write = navigator.clipboard.writeText.bind(navigator.clipboard);
  navigator.clipboard.writeText = (text) => write(text).then(() => { window.stirs = (window.stirs ?? 0) + 1; });
}"""
# What a place shows, as far as its address speaks for it: not when something was, what was scrolled to, or a draft.
LOOK = """() => {
  const texts = (what) => [...document.querySelectorAll(what)].map((one) => one.textContent.trim());
  return {
    title: texts('h1'), path: texts('.crumbs > span'), heads: texts('main [role=columnheader]'),
    charts: [...document.querySelectorAll('[data-chart]')].map((one) => one.dataset.chart),
    here: texts('main nav [aria-current]'), states: texts('.state h2, .state h3'),
    fields: [...document.querySelectorAll('main .search input, main [type=range], .name-edit')].map((one) => one.value),
    rows: [...document.querySelectorAll('.grid-row[data-task]')].slice(0, 8).map((one) => one.dataset.task),
  };
}"""
STILL = """() => document.querySelectorAll('.skeleton, .progress-line').length === 0
  && document.querySelectorAll('h1').length > 0"""
WORDS = ("", "a", "zzzz", "loss", "(", "[a-", "100%", "\U0001f9ea", "-1", "12", "n" * 200)
# A question that is refused is a fault; a wish may be, when words say so where the person looks.
READS = re.compile(r"\.get_|\.catalog|/series\.|/files/|/assets/")
# Leaves the page, or ends the session with which the walk goes on.
LEAVES = re.compile(r"^(Log out|API reference|End|End session|Log out everywhere)$")
NO_BUTTON = ("hidden", "file", "color", "range")
TEXTS = ("text", "search", "textarea", "number", "password", "email", "combobox", "searchbox")


class Control(NamedTuple):
    """Something to press, to fill or to choose from."""

    kind: str
    name: str
    href: str
    fresh: bool
    on: bool
    inside: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}"


class Walk:
    """One tab that goes on by chance.

    Args:
        context: a browser profile of its own.
        url: the server.
        chance: decides everything that is drawn.
        grow: called before each step.
    """

    def __init__(
        self, context: BrowserContext, url: str, chance: random.Random, grow: Callable[[], None]
    ) -> None:
        self.context, self.url, self.chance, self.grow = context, url, chance, grow
        self.faults: list[str] = []
        self.steps: list[str] = []
        self.refusals: list[str] = []
        self.effects = 0
        self.tab = self._open()
        # Asks whether there is a session, and begins one. What was refused until then was asked for on purpose.
        self.go("/dashboard")
        self.faults.clear()

    def _open(self) -> Page:
        tab = self.context.new_page()
        tab.add_init_script(f"({COPYING})()")
        tab.on("pageerror", lambda error: self._fault(f"script error: {error}"))
        tab.on("console", self._console)
        tab.on("response", self._response)
        tab.on("request", lambda ask: self._effect() if not ask.url.endswith("/stream") else None)
        tab.on("download", lambda _file: self._effect())
        tab.on("popup", lambda _other: self._effect())
        return tab

    def _effect(self) -> None:
        self.effects += 1

    def _fault(self, words: str) -> None:
        self.faults.append(f"{words}\n    after " + " > ".join(self.steps[-6:]))

    def _console(self, message: ConsoleMessage) -> None:
        # A refused request is told by its answer, in more words.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self._fault(f"console: {message.text[:500]}")

    def _response(self, answer: Response) -> None:
        if answer.status < 400:
            return
        ask = answer.request
        words = f"{answer.status} {ask.method} {answer.url} {ask.post_data or ''}"[:900]
        if answer.status < 500 and not READS.search(answer.url):
            self.refusals.append(words)
        else:
            self._fault(words)

    def settle(self, tab: Page) -> None:
        """Waits until nothing is loading any more."""
        try:
            until(tab, STILL)
        except AssertionError:
            self._fault(f"{tab.url} is still loading")
        if tab.get_by_text("Something went wrong").count() or tab.locator("main .state.error").count():
            self._fault(f"an error is shown at {tab.url}: {tab.locator('main').inner_text()[:300]}")

    def go(self, place: str) -> None:
        """Opens an address."""
        self.steps.append(place)
        self.tab.goto(self.url + place)
        self.settle(self.tab)

    def controls(self) -> list[tuple[Control, ElementHandle]]:
        """All that could be used now."""
        found = [Control(**one) for one in self.tab.evaluate(READ)]
        usable = []
        for i, one in enumerate(found):
            outside = one.href and not one.href.startswith(self.url)
            file = "/files/" in one.href or "/api" in one.href or not one.fresh
            same = one.href and one.href.split("#")[0] == self.tab.url.split("#")[0]
            if outside or file or same or one.on or LEAVES.match(one.name) or one.kind in NO_BUTTON:
                continue
            usable.append((one, i))
        if not usable:
            return []
        handle = self.tab.evaluate_handle("window.wandered")
        elements = handle.get_properties()
        return [(one, element) for one, i in usable if (element := elements[str(i)].as_element()) is not None]

    def step(self) -> None:
        """Uses one control and looks what comes of it."""
        self.grow()
        able = self.controls()
        if not able:
            self.tab.keyboard.press("Escape")
            if not self.controls():
                self.go("/dashboard")
            return
        control, element = self.chance.choice(able)
        word, draw = self.chance.choice(WORDS), self.chance.random()
        self.steps.append(str(control))
        before = self.tab.url
        try:
            element.hover(timeout=2000)
            self.tab.evaluate(WATCH)
            self.effects = 0
            if not self._use(control, element, word, draw):
                return
        except PlaywrightError as error:
            # What went away while it was being pressed (a row that moved, a closing menu) is no fault.
            self.steps[-1] += f" (gone: {str(error).splitlines()[0][:60]})"
            return
        self._changed(control, before)
        self.settle(self.tab)
        refused, self.refusals = self.refusals, []
        if refused and not self.tab.locator(".toast, [role=alert]").filter(visible=True).count():
            self._fault(f"refused without a word: {refused[0]}")

    def _use(self, control: Control, element: ElementHandle, word: str, draw: float) -> bool:
        if control.kind == "select":
            options = element.evaluate("one => [...one.options].map((o) => o.value)")
            now = element.evaluate("one => one.value")
            others = [value for value in options if value != now]
            if not others:
                return False
            element.select_option(others[int(draw * len(others))], timeout=2000)
        elif control.kind in TEXTS:
            if control.kind == "number":
                word = "3"
            if element.evaluate("one => one.value") == word:
                return False
            element.fill(word, timeout=2000)
            if draw < 0.5:
                self.tab.keyboard.press("Enter")
        else:
            element.click(timeout=2000)
        return True

    def _changed(self, control: Control, before: str) -> None:
        if control.kind in TEXTS or control.kind in ("checkbox", "radio", "select"):
            return
        for _ in range(40):
            if self.effects or self.tab.url != before:
                return
            try:
                if self.tab.evaluate("window.stirs ?? 1"):
                    return
            except PlaywrightError:
                return
            self.tab.wait_for_timeout(25)
        self._fault(f"{control} does nothing at {self.tab.url}")

    def _close(self) -> None:
        """Puts away what lies over the page."""
        above = self.tab.locator("dialog, [role=dialog], [role=menu]").filter(visible=True)
        for _ in range(20):
            if not above.count():
                return
            self.tab.keyboard.press("Escape")
            self.tab.wait_for_timeout(20)
        self._fault(f"Escape does not close {above.first.inner_text()[:80]!r} at {self.tab.url}")

    def reopened(self) -> None:
        """The address, opened anew, shows what is shown now; and nothing of it hinders anybody."""
        self._close()
        self.settle(self.tab)
        self.faults += [f"axe at {self.tab.url}: {one[:400]}" for one in findings(self.tab)]
        other = self._open()
        other.goto(self.tab.url)
        self.settle(other)
        seen: tuple[Any, Any] = (None, None)
        for _ in range(60):
            seen = (self.tab.evaluate(LOOK), other.evaluate(LOOK))
            if seen[0] == seen[1]:
                break
            other.wait_for_timeout(50)
        for name in seen[0]:
            if seen[0][name] != seen[1][name]:
                self._fault(f"{self.tab.url} shows {name} {seen[0][name]}, opened anew {seen[1][name]}")
        other.close()
