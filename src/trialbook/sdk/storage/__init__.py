"""Files anywhere, for the programs of users and for the SDK itself."""

from trialbook.sdk.storage.fetching import check_writable, fetch
from trialbook.sdk.storage.manager import StorageManager
from trialbook.sdk.storage.unpack import is_archive, unpack

__all__ = ["StorageManager", "check_writable", "fetch", "is_archive", "unpack"]
