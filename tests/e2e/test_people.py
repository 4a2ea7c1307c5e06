"""People, keys and browsers in Settings, and the link that logs in once."""

import base64
import re
from typing import Any
from uuid import uuid4

import urllib3
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Site
from tests.support.server import RunningServer

PAGE = {"X-Trialbook-Web": "1"}


def login(server: RunningServer, text: str) -> tuple[int, str]:
    """What the server answers to the key in a configuration file."""
    found = re.search(r'"access_key" = "(\S+)"\s+"secret_key" = "(\S+)"', text)
    assert found, text
    basic = base64.b64encode(f"{found[1]}:{found[2]}".encode()).decode()
    reply = urllib3.request("POST", f"{server.url}/auth.login", headers={"Authorization": f"Basic {basic}"})
    return reply.status, reply.json()["data"].get("token", "")


def may(server: RunningServer, token: str, method: str, **ask: object) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return urllib3.request("POST", f"{server.url}/{method}", json=ask, headers=headers).status


def test_S15_a_person_is_added_disabled_and_enabled(page: Page, site: Site) -> None:
    name = f"Ada {uuid4().hex[:6]}"
    page.goto(f"{site.url}/settings/users")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Role of the new person").select_option("read-only")
    page.get_by_role("button", name="Add a person").click()
    key = page.locator("pre", has_text="access_key")
    expect(key).to_contain_text(site.url)
    secret = key.inner_text()
    status, token = login(site.server, secret)
    assert status == 200
    assert may(site.server, token, "tasks.create", name="x", type="testing") == 403
    role = page.get_by_label(f"Role of {name}")
    expect(role).to_have_value("read-only")
    with page.expect_response("**/users.get_all"):
        role.select_option("user")
    assert may(site.server, token, "tasks.create", name="x", type="testing") == 200
    row = page.get_by_label("People").get_by_role("row").filter(has_text=name)
    row.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(row).to_contain_text("disabled")
    assert may(site.server, token, "users.get_current_user") == 401
    row.get_by_role("button", name="Enable").click()
    expect(row).not_to_contain_text("disabled")
    # What was open then stays shut; a new log-in is let in.
    assert may(site.server, token, "users.get_current_user") == 401
    status, token = login(site.server, secret)
    assert status == 200 and may(site.server, token, "users.get_current_user") == 200
    # Two of one name cannot be told apart.
    page.get_by_label("Name", exact=True).fill(name.upper())
    page.get_by_role("button", name="Add a person").click()
    expect(page.get_by_text("choose another name")).to_be_visible()


def test_S15_a_new_key_has_the_role_that_was_chosen(page: Page, site: Site) -> None:
    label = f"board {uuid4().hex[:6]}"
    page.goto(f"{site.url}/settings/workspace-configuration")
    page.get_by_label("Label", exact=True).fill(label)
    page.get_by_label("Role of the key").select_option("read-only")
    page.get_by_role("button", name="Create a key").click()
    row = page.get_by_label("Access keys").get_by_role("row").filter(has_text=label)
    expect(row).to_contain_text("read-only")
    status, token = login(site.server, page.locator("pre", has_text="access_key").inner_text())
    assert status == 200
    assert may(site.server, token, "tasks.create", name="x", type="testing") == 403


def test_S12_an_administrator_ends_a_colleagues_key_and_browser(page: Page, site: Site) -> None:
    name = f"Leaky {uuid4().hex[:6]}"
    made = site.server.call("users.create", name=name, role="user")
    key = made["credentials"]
    text = f'"access_key" = "{key["access_key"]}"\n"secret_key" = "{key["secret_key"]}"'
    _, token = login(site.server, text)
    bearer = {"Authorization": f"Bearer {token}"}
    link = urllib3.request("POST", f"{site.url}/auth.create_link", headers=bearer, json={}).json()["data"][
        "link"
    ]
    told = urllib3.request("POST", f"{site.url}/auth.login_link", headers=PAGE, json={"link": link}).json()
    browser = told["data"]["token"]
    assert may(site.server, browser, "users.get_current_user") == 200
    page.goto(f"{site.url}/settings/users")
    people = page.get_by_label("People").get_by_role("row").filter(has_text=name)
    people.get_by_role("button", name="Keys and browsers").click()
    theirs = page.get_by_label(f"Keys and browsers of {name}")
    theirs.get_by_label("Browsers").get_by_role("row").filter(has_text="a link").get_by_role("button").click()
    expect(theirs.get_by_text("No browser")).to_be_visible()
    assert may(site.server, browser, "users.get_current_user") == 401
    assert may(site.server, token, "users.get_current_user") == 200
    theirs.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(theirs.get_by_text("No key")).to_be_visible()
    assert may(site.server, token, "users.get_current_user") == 401


def test_S12_one_sees_and_ends_ones_own_browsers(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/settings/workspace-configuration")
    mine = page.get_by_label("Browsers").get_by_role("row").filter(has_text="this browser")
    expect(mine).to_contain_text("this machine")
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    ask: dict[str, Any] = {"headers": {**PAGE, "Cookie": cookie}, "json": {}}
    assert urllib3.request("POST", f"{site.url}/users.get_current_user", **ask).status == 200
    mine.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert urllib3.request("POST", f"{site.url}/users.get_current_user", **ask).status == 401


def test_S15_who_is_no_administrator_is_not_shown_people(browser: Browser, site: Site) -> None:
    made = site.server.call("users.create", name=f"Bob {uuid4().hex[:6]}", role="user")["credentials"]
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/login?stay=1&redirect=/settings/users")
    page.get_by_label("Access key").fill(made["access_key"])
    page.get_by_label("Secret").fill(made["secret_key"])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="API keys")).to_be_visible()
    expect(page.get_by_role("link", name="People")).to_have_count(0)
    expect(page.get_by_label("People")).to_have_count(0)
    context.close()


def test_S2_a_link_logs_a_browser_in_once(browser: Browser, site: Site) -> None:
    link = f"{site.url}/login#link={site.server.call('auth.create_link')['link']}"
    # As a browser of another machine: without the link, it would have to give a key.
    other: dict[str, Any] = {"extra_http_headers": {"X-Forwarded-For": "192.0.2.7"}}
    first, second = browser.new_context(**other), browser.new_context(**other)
    page = first.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(link)
    expect(page).to_have_url(f"{site.url}/dashboard")
    assert page.request.post(f"{site.url}/users.get_current_user", headers=PAGE, data={}).status == 200
    # What logs in stands in no request and in no address that stays.
    assert not [url for url in asked if link.partition("link=")[2] in url]
    late = second.new_page()
    late.goto(link)
    expect(late.get_by_role("alert")).to_contain_text("trialbook open")
    expect(late).to_have_url(f"{site.url}/login")
    assert late.request.post(f"{site.url}/users.get_current_user", headers=PAGE, data={}).status == 401
    for context in (first, second):
        context.close()
