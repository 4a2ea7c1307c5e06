"""CRC-32 of what is stored: ten times faster when ``isal`` is installed (``pip install trialbook[fast]``)."""

try:
    from isal.isal_zlib import crc32
except ImportError:
    from zlib import crc32

__all__ = ["crc32"]
