"""The schemes of addresses in object storages."""

SCHEMES = frozenset({"s3", "gs", "azure"})
