"""What a visitor downloads before the first page is drawn, and how much the wheel carries."""

import gzip
import re
from pathlib import Path

KB = 1000
FIRST_JS, FIRST_CSS = 290 * KB, 25 * KB
LAZY, WHOLE = 170 * KB, 6 * 1024 * KB
PAGES = (
    "HomePage",
    "ProjectsPage",
    "TasksPage",
    "TaskPage",
    "ComparePage",
    "DatasetsPage",
    "DatasetPage",
    "SettingsPage",
    "LoginPage",
)


def size(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


def entry(folder: Path, kind: str) -> list[Path]:
    """What index.html names."""
    text = (folder / "index.html").read_text()
    return [folder / name.lstrip("/") for name in re.findall(rf'"(/assets/[^"]+\.{kind})"', text)]


def imports(path: Path, seen: dict[Path, None]) -> None:
    """The file and everything that it imports at once."""
    if path in seen:
        return
    seen[path] = None
    for name in re.findall(r'(?:from|import)\s*"\./([\w.-]+\.js)"', path.read_text()):
        imports(path.parent / name, seen)


def test_first_paint_of_every_page_is_within_its_budget(built_page: Path) -> None:
    start: dict[Path, None] = {}
    for path in entry(built_page, "js"):
        imports(path, start)
    styles = entry(built_page, "css")
    assert start and styles
    assets = built_page / "assets"
    pages = [path for name in PAGES for path in assets.glob(f"{name}-*.js")]
    assert len(pages) >= 6
    for page in pages:
        needed = dict(start)
        imports(page, needed)
        own = list(assets.glob(f"{page.name.rpartition('-')[0]}-*.css"))
        assert sum(map(size, needed)) <= FIRST_JS, page.name
        assert sum(map(size, [*styles, *own])) <= FIRST_CSS, page.name


def test_scalars_and_lazy_parts_stay_small(built_page: Path) -> None:
    for path in (built_page / "assets").glob("*.js"):
        if not path.name.startswith(("plotly-", "index-")):
            assert size(path) <= LAZY, path.name
    (grid,) = (built_page / "assets").glob("charts-*.js")
    assert size(grid) <= 45 * KB


def test_the_whole_page_fits_into_the_wheel(built_page: Path) -> None:
    total = sum(path.stat().st_size for path in built_page.rglob("*") if path.is_file())
    assert total <= WHOLE
