"""The server of this machine, asked as its administrator with the key in its data folder."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialbook.base.files import read_json
from trialbook.client.calls import nouns
from trialbook.errors import ConfigurationError, ConnectionFailed

if TYPE_CHECKING:
    from trialbook.client.api import Calls


def announced(data: Path | None) -> dict[str, Any] | None:
    """What the server of a data folder says of itself (``url``, ``pid``, ``version``); None when none runs there.

    Args:
        data: the folder; None is the usual one.
    """
    from trialbook.journal.lock import holder
    from trialbook.server.settings import load

    folder = load(data=data).data
    found = read_json(folder / "server.json")
    # A killed server leaves its announcement, and its process id may be another's by now; the lock tells.
    return found if isinstance(found, dict) and holder(folder / "lock") is not None else None


class OwnServer:
    """A running server, found by its data folder.

    Args:
        data: the folder; None is the usual one.

    Raises:
        ConfigurationError: no server runs there, or its first key cannot be read.
    """

    def __init__(self, data: Path | None) -> None:
        from trialbook.server.settings import load

        folder = load(data=data).data
        try:
            running, keys = read_json(folder / "server.json"), read_json(folder / "credentials.json")
        except PermissionError:
            raise ConfigurationError(
                f"{folder} belongs to another user: run this as the user who runs the server"
            ) from None
        if running is None:
            raise ConfigurationError(
                f"no server runs on {folder}: start one with `trialbook server`, or name its folder with --data DIR"
            )
        if keys is None:
            raise ConfigurationError(
                f"{folder}/credentials.json is gone; log in to the web UI with another key"
            )
        self.url = str(running["url"]).rstrip("/")
        self.address = str(running.get("address") or self.url)
        pair = f"{keys['access_key']}:{keys['secret_key']}".encode()
        basic = f"Basic {base64.b64encode(pair).decode()}"
        log_in: Calls = nouns(lambda method, ask: self._call(method, ask, basic))
        self._bearer = f"Bearer {log_in.auth.login()['token']}"

    @property
    def api(self) -> Calls:
        """The methods of the server.

        Raises:
            ConfigurationError: by each of them: the server refuses; its words.
            ConnectionFailed: by each of them: it does not answer.
        """
        calls: Calls = nouns(lambda method, ask: self._call(method, ask, self._bearer))
        return calls

    def _call(self, method: str, ask: dict[str, Any], authorization: str) -> Any:
        import urllib3

        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        try:
            reply = urllib3.request(
                "POST", f"{self.url}/{method}", body=json.dumps(ask).encode(), headers=headers, retries=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionFailed(f"the server at {self.url} does not answer: {error}") from None
        envelope = reply.json()
        if envelope["meta"]["result_code"] != 200:
            raise ConfigurationError(str(envelope["meta"]["result_msg"]))
        return envelope["data"]
