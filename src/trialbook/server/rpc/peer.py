"""Whose program is at the other end of a connection on this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"

Address = tuple[str, int]
_Place = tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]


def owner(client: Address, server: Address, tables: Sequence[Path] = _TABLES) -> int | None:
    """The user id that opened the client's end.

    Args:
        client: address and port of the other end.
        server: address and port of this end.
        tables: the kernel's lists of connections; only Linux has them.

    Returns:
        None when it cannot be known: another system, another network namespace, or the connection is closed already
        (a closing one has no owner, which the kernel shows as user 0).
    """
    wanted = (_place(*client), _place(*server))
    found = {uid for near, far, uid in _connections(tables) if (near, far) == wanted}
    return found.pop() if len(found) == 1 else None


def _connections(tables: Sequence[Path]) -> Iterator[tuple[_Place, _Place, int]]:
    for table in tables:
        try:
            lines = table.read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if len(columns) > 7 and columns[3] == _ESTABLISHED:
                yield _read(columns[1]), _read(columns[2]), int(columns[7])


def _read(text: str) -> _Place:
    # Words of 32 bits in the order of the machine; all that run Linux and us are little-endian.
    number, _, port = text.partition(":")
    words = bytes.fromhex(number)
    raw = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    return _plain(ipaddress.ip_address(raw)), int(port, 16)


def _place(host: str, port: int) -> _Place:
    return _plain(ipaddress.ip_address(host)), port


def _plain(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An IPv4 address that a socket of IPv6 uses is the same address."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
