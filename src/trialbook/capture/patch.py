"""The uncommitted changes of a checkout, as a patch that applies on any machine, whatever this one's git is set to."""

import re
from pathlib import Path

from trialbook.capture.secrets import masked_text

_GIT_SECONDS = 20.0
_LARGEST_CHANGE = 16 << 20
# Against settings (noprefix, mnemonicPrefix, renames, relative, colours), filters that show binary files as text, and
# tools that show something else altogether.
_PLAIN = [
    "--binary",
    "--full-index",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--no-relative",
    "--src-prefix=a/",
    "--dst-prefix=b/",
]
# A patch reaches into submodules, which `git apply` follows; in parts, only what their own checkout says of them.
_INSIDE = ["--submodule=diff"]
_OUTSIDE = ["--submodule=short", "--ignore-submodules=dirty"]
_FILE = re.compile(rb"^(?=diff --git )", re.MULTILINE)
_TEXT_FILE = re.compile(r"^(?=diff --git )", re.MULTILINE)


def uncommitted(root: Path, *paths: str) -> str:
    """The changes since the last commit, as a patch; with ``paths`` only those of them.

    A file whose changes are not UTF-8 text is a binary patch; one whose change is larger than 16 MiB is named in a
    comment only.
    """
    raw = _diff(root, paths)
    try:
        return raw.decode("utf-8") if len(raw) <= _LARGEST_CHANGE else _in_parts(root, paths)
    except UnicodeDecodeError:
        return _in_parts(root, paths)


def masked_patch(patch: str) -> str:
    """A patch without its secrets. Binary parts stay: a letter changed in them, and nothing could be applied."""
    return "".join(
        part if "\nGIT binary patch\n" in part else masked_text(part) for part in _TEXT_FILE.split(patch)
    )


def _in_parts(root: Path, paths: tuple[str, ...]) -> str:
    raw = _diff(root, paths, inside=False)
    more = ("--", *paths) if paths else ()
    options = ("--name-only", "-z", "--no-renames", "--no-relative", "--ignore-submodules=dirty")
    listed = run_git(root, "diff", *options, "HEAD", *more)
    names = [name.decode("utf-8", "surrogateescape") for name in listed.split(b"\0") if name]
    files = [part for part in _FILE.split(raw) if part.startswith(b"diff --git ")]
    if len(names) != len(files):
        return raw.decode("utf-8", "replace")
    return "".join(_part(root, name, part) for name, part in zip(names, files, strict=True))


def _part(root: Path, name: str, part: bytes) -> str:
    if len(part) > _LARGEST_CHANGE:
        return f"# {name!r} is not in this patch: its change takes {len(part) >> 20} MiB\n"
    try:
        return part.decode("utf-8")
    except UnicodeDecodeError:
        text = part.decode("latin-1")
    # A secret would be as readable in a binary patch as before, for everybody who unpacks it.
    if masked_text(text) == text:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="trialbook-") as folder:
            attributes = Path(folder) / "attributes"
            attributes.write_text("* -diff\n")
            options = ("-c", f"core.attributesFile={attributes}")
            binary = _diff(root, (f":(top,literal){name}",), options)
        if binary.isascii() and binary:
            return binary.decode("ascii")
    return part.decode("utf-8", "replace")


def _diff(root: Path, paths: tuple[str, ...], options: tuple[str, ...] = (), inside: bool = True) -> bytes:
    more = ("--", *paths) if paths else ()
    depth = _INSIDE if inside else _OUTSIDE
    before = ("-c", "core.quotePath=true", *options)
    return run_git(root, "diff", *_PLAIN, *depth, "HEAD", *more, options=before)


def run_git(root: Path, *arguments: str, options: tuple[str, ...] = ()) -> bytes:
    """What git answers in a repository; empty when it fails, is missing, or takes too long."""
    import subprocess

    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(root), *options, *arguments],
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return b"" if done.returncode else done.stdout
