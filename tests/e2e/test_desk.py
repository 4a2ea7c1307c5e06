"""The tab that tests share is handed on clean."""

from playwright.sync_api import expect

from tests.e2e.conftest import LOOKS, Desk, Site

SEEN = """() => ({
  size: [innerWidth, innerHeight],
  dark: matchMedia("(prefers-color-scheme: dark)").matches,
  calm: matchMedia("(prefers-reduced-motion: reduce)").matches,
  hovered: document.querySelectorAll("body *:hover").length,
})"""


def test_what_a_test_leaves_in_the_tab_is_gone_for_the_next(desk: Desk, site: Site) -> None:
    tab = desk.tab()
    tab.goto(f"{site.url}/projects")
    expect(tab.locator(".project-card").first).to_be_visible()
    tab.evaluate("localStorage.setItem('left', '1'); sessionStorage.setItem('left', '1')")
    tab.route("**/projects.get_all_ex", lambda route: route.abort())
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.emulate_media(color_scheme="dark", reduced_motion="reduce")
    tab.mouse.move(100, 100)
    tab.context.new_page()
    desk.clear()
    assert desk.tab() is tab
    assert tab.context.pages == [tab]
    assert tab.context.cookies() == []
    tab.goto(f"{site.url}/favicon.svg")
    assert tab.evaluate("localStorage.length + sessionStorage.length") == 0
    tab.goto(f"{site.url}/projects")
    expect(tab.locator(".project-card").first).to_be_visible()
    seen = tab.evaluate(SEEN)
    assert seen["size"] == [LOOKS["viewport"]["width"], LOOKS["viewport"]["height"]]
    assert (seen["dark"], seen["calm"], seen["hovered"]) == (False, False, 0)
    desk.clear()
