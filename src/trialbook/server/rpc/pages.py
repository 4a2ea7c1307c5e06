"""The web app's built files, and one page for every browser address that is none of them."""

import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        # Debug samples may be anywhere that the task's author put them.
        "img-src 'self' data: blob: https: http:",
        "media-src 'self' data: blob: https: http:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "frame-src 'self' blob: data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)

_NOT_BUILT = """<!doctype html><meta charset="utf-8"><title>Trialbook</title>
<style>:root{color-scheme:light dark}
body{font:16px/1.6 system-ui,sans-serif;max-width:38rem;margin:15vh auto;padding:0 1rem}
code{font-family:ui-monospace,monospace}</style>
<h1>Trialbook is running</h1>
<p>The API and the files work. The page itself is not built in this copy. Build it with</p>
<pre><code>cd web &amp;&amp; npm ci &amp;&amp; npm run build</code></pre>
<p>and reload; or install the released package, which has it inside: <code>pip install trialbook</code>.</p>
<p><a href="/api">The API</a></p>
"""


def find_folder(given: str = "") -> Path | None:
    """Where the built page is: as set, in the package, or in a checkout."""
    package = Path(__file__).resolve().parents[1] / "ui"
    checkout = Path(__file__).resolve().parents[4] / "web" / "dist"
    places = [Path(given)] if given else [package, checkout]
    return next((place for place in places if (place / "index.html").is_file()), None)


_LONGEST = 255
"""Characters of an address below which a built file may lie; a file system refuses longer ones with an error."""


class Pages:
    """Serves the built page.

    Args:
        given: its folder; empty looks for it at each request until it is found, so a build needs no restart.
    """

    def __init__(self, given: str = "") -> None:
        self._given = given
        self._folder = find_folder(given)

    def static(self, request: Request) -> Response | None:
        """A built file; None when the address names none."""
        name = request.url.path.lstrip("/")
        folder = self._folder = self._folder or find_folder(self._given)
        if folder is None or not name or name.startswith(".") or len(name) > _LONGEST:
            return None
        try:
            path = (folder / name).resolve()
            found = path.is_file()
        except (OSError, ValueError):
            # Too long, or with a letter that no file name has.
            return None
        if not found or not path.is_relative_to(folder.resolve()) or path.name == "index.html":
            return None
        return self._file(request, path, name.startswith("assets/"))

    @staticmethod
    def _file(request: Request, path: Path, hashed: bool) -> Response:
        headers = {
            # The name of an asset has the hash of its content in it.
            "Cache-Control": "public, max-age=31536000, immutable" if hashed else "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
        }
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if kind in {"text/javascript", "application/javascript"}:
            # A worker takes its policy from its own file.
            headers["Content-Security-Policy"] = _POLICY
        accepted = request.headers.get("accept-encoding", "")
        for encoding, suffix in (("br", ".br"), ("gzip", ".gz")):
            packed = path.with_name(path.name + suffix)
            if encoding in accepted and packed.is_file():
                return FileResponse(
                    packed, media_type=kind, headers={**headers, "Content-Encoding": encoding}
                )
        return FileResponse(path, media_type=kind, headers=headers)

    def index(self) -> Response:
        """The page itself, for any address that a browser opens."""
        headers = {
            "Cache-Control": "no-cache",
            "Content-Security-Policy": _POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        }
        folder = self._folder = self._folder or find_folder(self._given)
        if folder is None or not (folder / "index.html").is_file():
            self._folder = None
            return HTMLResponse(_NOT_BUILT, headers=headers)
        return HTMLResponse((folder / "index.html").read_text("utf-8"), headers=headers)


def wants_page(request: Request) -> bool:
    """True when a browser opens an address."""
    return request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", "")
