"""``/api``: the method table as a page that one can read, without scripts."""

import html
from typing import Any

import msgspec

from trialbook.base.version import __version__
from trialbook.wire.catalogue import METHODS, Method
from trialbook.wire.openapi import openapi
from trialbook.wire.table import RawBody, RawReply

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #8884; }
details { margin: .4rem 0; } summary { cursor: pointer; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow: auto; padding: .6rem .8rem; background: #8881; border-radius: 6px; }
.note { opacity: .7; font-size: 13px; }
"""


def document() -> bytes:
    """The OpenAPI document as JSON."""
    return msgspec.json.encode(openapi(__version__))


def page() -> str:
    """The readable page."""
    services: dict[str, list[Method]] = {}
    for method in METHODS:
        services.setdefault(method.name.partition(".")[0], []).append(method)
    parts = [
        "<!doctype html><meta charset='utf-8'><title>Trialbook API</title>",
        f"<style>{_STYLE}</style><h1>Trialbook API {html.escape(__version__)}</h1>",
        "<p>Call a method with <code>POST /name</code> and a JSON object; GET and PUT are the same. Log in with",
        " <code>auth.login</code> (Basic: access key and secret) and send the token as",
        " <code>Authorization: Bearer …</code>. The same as <a href='/api/openapi.json'>OpenAPI 3.1</a>.</p>",
    ]
    for service, methods in services.items():
        parts.append(f"<h2>{service}</h2>")
        parts += [_entry(method) for method in methods]
    return "".join(parts)


def _entry(method: Method) -> str:
    note = f"{method.permit.value} · since {method.since}{' · changes data' if method.changes else ''}"
    return (
        f"<details><summary><code>{method.name}</code> {html.escape(method.summary)}"
        f" <span class='note'>{note}</span></summary>"
        f"<pre>{html.escape(_shape(method.request))}</pre><pre>{html.escape(_shape(method.reply))}</pre></details>"
    )


def _shape(kind: Any) -> str:
    if kind in (RawBody, RawReply):
        return "bytes; see docs/design"
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return str(kind)
    lines = [" ".join((kind.__doc__ or "").split())]
    for item in msgspec.structs.fields(kind):
        optional = "" if item.required else "?"
        lines.append(f"  {item.encode_name}{optional}: {_name(item.type)}")
    return "\n".join(lines)


def _name(kind: Any) -> str:
    return (
        kind.__name__
        if isinstance(kind, type)
        else str(kind).replace("typing.", "").replace("trialbook.wire.", "")
    )
