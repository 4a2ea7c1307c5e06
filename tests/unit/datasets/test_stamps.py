"""What tells that a linked file was touched."""

import os
from pathlib import Path

from trialbook.sdk.dataset.stamps import other_file, stamp_of, stamper, untouched


def test_D17_stamps(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"before")
    facts = file.stat()
    before = stamp_of(file, facts)
    assert stamper()(file, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns) == before
    assert untouched(before, before) and not other_file(before, facts)
    file.write_bytes(b"after!")
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    now = stamp_of(file, file.stat())
    assert not untouched(before, now) and not other_file(before, file.stat())
    # Noted before there was more than size and time, or on the disk of another machine.
    size, mtime, _, filesystem = before.split("-")
    assert untouched(f"{size}-{mtime}", now) and untouched(before, f"{size}-{mtime}")
    assert untouched(f"{size}-{mtime}-1-{int(filesystem, 16) + 1:x}", now)
    assert not untouched(f"{size}-1-1-1", now) and not untouched("", now)
    file.write_bytes(b"longer than it was")
    assert other_file(before, file.stat()) and not untouched(before, stamp_of(file, file.stat()))
