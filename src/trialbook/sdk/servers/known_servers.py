"""Which server was last seen at an address: a file in the cache folder, for runs that begin while it is away."""

from pathlib import Path

from trialbook.base.files import read_json, write_json
from trialbook.base.guard import guarded

_KEPT = 200


@guarded("known_servers.remember", None)
def remember(cache: Path, address: str, identity: str) -> None:
    """Note the identity of the server at an address."""
    known = _load(cache)
    if known.get(address) != identity:
        known.pop(address, None)
        known[address] = identity
        write_json(cache / "servers.json", dict(list(known.items())[-_KEPT:]), 0o600)


def recall(cache: Path, address: str) -> str:
    """The identity of the server that was last seen at an address; empty when none was."""
    return _load(cache).get(address, "")


def _load(cache: Path) -> dict[str, str]:
    try:
        found = read_json(cache / "servers.json")
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
