"""What axe finds on a page, in both themes."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ROOT
from tests.support.length import LONG

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
OTHER = {"light": "dark", "dark": "light"}
IN_EACH_SCHEME = pytest.mark.parametrize("scheme", OTHER if LONG else ["light"])
"""The theme in which a page is loaded. It is looked at in both, so the short form loads it once."""


def findings(page: Page) -> list[str]:
    """Everything that axe finds, one line each."""
    if not AXE.exists():
        pytest.skip("npm ci in web/ brings axe-core")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text() + "; undefined")
    result: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{found['id']}: {node['target']} {node['failureSummary']}"
        for found in result["violations"]
        for node in found["nodes"]
    ]


def load_calm(page: Page, url: str, scheme: str) -> None:
    """Opens an address in a theme, with nothing in motion that axe could catch half way."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.goto(url)


def findings_in_both_schemes(page: Page, scheme: str) -> list[str]:
    """What axe finds on a page that was opened in a theme, there and after the switch to the other."""
    found = []
    for theme in (scheme, OTHER[scheme]):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        found += [f"in {theme}, {one}" for one in findings(page)]
    return found
