"""What the documentation must not leave out."""

import re
from pathlib import Path

import pytest

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
    code = (ROOT / "src" / "trialbook" / "sdk" / "settings.py").read_text()
    page = (ROOT / "docs" / "reference" / "client-settings.md").read_text()
    names = set(re.findall(r'read\.(?:find|flag|number)\("([A-Z_]+)"', code))
    assert len(names) > 15
    assert {name for name in names if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    here = [link for link in links if "://" not in link]
    assert [link for link in here if not (page.parent / link).exists()] == []
