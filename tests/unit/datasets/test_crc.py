"""The checksum of zip files, whoever computes it."""

import subprocess
import sys
import zlib

from trialbook.datasets.crc import crc32

PROGRAM = (
    "import sys; sys.modules['isal'] = None; "
    "from trialbook.datasets.crc import crc32; print(crc32(b'123456789'), crc32.__module__)"
)


def test_the_value_of_the_standard() -> None:
    assert crc32(b"123456789") == 0xCBF43926
    data = bytes(range(256)) * 1000
    assert crc32(memoryview(data)[100:], crc32(data[:100])) == zlib.crc32(data)


def test_without_the_fast_library() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(0xCBF43926), "zlib"]
