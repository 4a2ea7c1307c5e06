"""Addresses that are not quite those of a server."""

import pytest

from tests.support.server import RunningServer
from trialbook.client.session import Credentials, Session
from trialbook.errors import ConnectionFailed


def test_T46_https_to_a_server_without_it_is_said(server: RunningServer) -> None:
    address = server.url.replace("http://", "https://")
    session = Session(address, Credentials(server.access_key, server.secret_key), patience=2.0)
    with pytest.raises(
        ConnectionFailed, match=rf"{address} does not speak TLS: write {server.url} as the address"
    ):
        session.call("users.get_current_user", {})
