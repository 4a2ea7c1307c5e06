"""What the documentation must not leave out."""

import dataclasses
import re
from pathlib import Path

import pytest

from trialbook.client.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("contributing/*.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]
)


def test_every_client_setting_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "client-settings.md").read_text()
    told = [item.metadata for item in dataclasses.fields(Settings) if item.metadata]
    assert len(told) > 15
    assert [one["name"] for one in told if f"`{one['name']}`" not in page or one["help"] not in page] == []
    assert [
        key for one in told for key in one["keys"] if key not in page and f".{key.split('.')[-1]}" not in page
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    here = [link for link in links if "://" not in link]
    assert [link for link in here if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tables_are_whole(page: Path) -> None:
    """An empty line ends a table: the rows behind it are text with strokes."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for table in re.findall(r"(?:^ *\|.*\n?)+", text, flags=re.MULTILINE):
        head, rule, *rows = [*table.splitlines(), ""]
        assert re.fullmatch(r" *\|(\s*:?-+:?\s*\|)+\s*", rule), f"a row without its table: {head}"
        wide = [row for row in rows if row and len(re.findall(r"(?<!\\)\|", row)) != rule.count("|")]
        assert wide == []


def test_a_change_stands_once_in_the_changelog() -> None:
    entries = [
        line[:70] for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("- ")
    ]
    assert sorted(entries) == sorted(set(entries))
