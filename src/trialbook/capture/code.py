"""Which code runs: entry point, repository, commit, uncommitted changes. Reads; never changes the repository."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from trialbook.capture.patch import masked_patch, run_git, uncommitted
from trialbook.capture.secrets import masked_text
from trialbook.capture.typed import typed_lines

_CODING = re.compile(r"^([ \t\f]*#.*?coding[:=][ \t]*)[-\w.]+")
LONGEST_SCRIPT = 4 << 20


@dataclass(frozen=True)
class EntryPoint:
    """What was started.

    Attributes:
        path: the script; None in an interactive session.
        module: dotted name when it was started with ``python -m``.
        folder: the working directory of the process.
        typed: the lines of an interactive session so far.
    """

    path: Path | None
    module: str
    folder: Path
    typed: str = ""


@dataclass(frozen=True)
class Code:
    """The record of the code, in the fields of a task's ``script``.

    Attributes:
        repository: address of the remote, without credentials; empty without a repository.
        branch: its name; empty on a detached head.
        commit: of the head.
        diff: uncommitted changes, or the whole script when there is no repository; secrets are masked.
        entry_point: relative to the working directory, or ``-m module``.
        working_dir: relative to the repository's root.
        root: the repository on this host, or the script's folder.
        listed: requirement lines of a repository elsewhere; None when nobody had to look into it.
    """

    repository: str = ""
    branch: str = ""
    commit: str = ""
    diff: str = ""
    entry_point: str = ""
    working_dir: str = "."
    root: Path | None = None
    listed: str | None = None


def entry_point() -> EntryPoint:
    """The entry point of this process."""
    main = sys.modules.get("__main__")
    name = getattr(main, "__file__", None)
    spec = getattr(main, "__spec__", None)
    module = str(spec.name) if spec is not None and spec.name and spec.name != "__main__" else ""
    if module.endswith(".__main__"):
        module = module.removesuffix(".__main__")
    path = Path(name).resolve() if name and Path(name).is_file() else None
    typed = typed_lines() if path is None else ""
    return EntryPoint(path, module if path is not None else "", Path.cwd(), typed)


def detect(entry: EntryPoint) -> Code:
    """Everything that is known about the code of ``entry``; some git calls, so not for the caller's thread."""
    if entry.path is None:
        return _without_file(entry.typed)
    root = repository_root(entry.path.parent)
    if root is None:
        return _standalone(entry)
    head = git(root, "rev-parse", "HEAD")
    if not head:
        return _standalone(entry)
    branch = git(root, "rev-parse", "--abbrev-ref", "HEAD")
    working, start = _places(entry, root)
    return Code(
        repository=masked(remote_address(root)),
        branch="" if branch == "HEAD" else branch,
        commit=head,
        diff=masked_patch(uncommitted(root)),
        entry_point=start,
        working_dir=working,
        root=root,
    )


def _without_file(typed: str) -> Code:
    """The code of a program that no file holds: the text of ``python -c``, the lines of an interactive session, else
    the reason why there is none."""
    text = command_text(sys.orig_argv)
    if text is not None or typed:
        whole = "\n".join(part for part in (text, typed) if part)
        return Code(diff=masked_text(whole), entry_point="session.py" if typed else "command.py")
    from zipfile import is_zipfile

    started = Path(sys.argv[0]) if sys.argv else Path()
    if started.is_file() and is_zipfile(started):
        return _archive(started.absolute())
    if sys.argv[:1] == ["-"] or not hasattr(sys, "ps1"):
        return Code(
            diff="# No code: the program came through standard input, which is gone once it is read. Run it from a "
            "file.\n"
        )
    return Code(
        diff="# No code: these are the lines of an interactive session that is not a terminal, or whose line editor "
        "keeps none. Run them from a file, or in a notebook.\n"
    )


def command_text(arguments: list[str]) -> str | None:
    """The program of ``python -c program``; None when it was started in another way.

    Args:
        arguments: of the process, with the interpreter first (``sys.orig_argv``).

    Example:
        >>> command_text(["python", "-X", "dev", "-Ic", "print(1)", "-c", "x"])
        'print(1)'
    """
    rest = iter(arguments[1:])
    for argument in rest:
        if not argument.startswith("-") or argument == "-":
            return None
        for place, letter in enumerate(argument[1:] if not argument.startswith("--") else "", 2):
            if letter == "c":
                return argument[place:] or next(rest, "")
            if letter == "m":
                return None
            if letter in "WX":
                # The rest of it, or the next one, is the option's value.
                if not argument[place:]:
                    next(rest, None)
                break
        if argument == "--check-hash-based-pycs":
            next(rest, None)
    return None


def _archive(path: Path) -> Code:
    """A program in an archive (``zipapp``): the texts that it holds, the one that was started first."""
    parts: list[str] = []
    from zipfile import ZipFile

    with ZipFile(path) as archive:
        left = LONGEST_SCRIPT
        members = [one for one in archive.infolist() if one.filename.endswith(".py")]
        for member in sorted(members, key=lambda one: (one.filename != "__main__.py", one.filename)):
            left -= member.file_size
            if left < 0:
                parts.append(
                    f"# The archive holds more than {LONGEST_SCRIPT >> 20} MiB of code: the rest is left out.\n"
                )
                break
            parts.append(f"# %% {member.filename}\n{archive.read(member).decode('utf-8', 'replace')}")
    return Code(diff=masked_text("\n".join(parts)), entry_point=path.name, root=path.parent)


def repository_root(folder: Path) -> Path | None:
    """The repository that holds ``folder``; None when there is none."""
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    return None


def masked(url: str) -> str:
    """An address without user, password and tokens; scp-like addresses (``git@host:path``) stay."""
    if "://" in url:
        # Before it is taken apart: a password may hold what ends an address.
        url = masked_text(url)
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ssh", "git", "ftp", "ftps") and "@" in parts.netloc:
        host = parts.netloc.rsplit("@", 1)[1]
        user = parts.netloc.split("@", 1)[0].split(":", 1)[0]
        kept = f"{user}@{host}" if parts.scheme == "ssh" else host
        return urlunsplit((parts.scheme, kept, parts.path, parts.query, parts.fragment))
    return masked_text(url)


def _standalone(entry: EntryPoint) -> Code:
    assert entry.path is not None
    size = entry.path.stat().st_size
    text = source(entry.path) if size <= LONGEST_SCRIPT else ""
    return Code(diff=masked_text(text), entry_point=entry.path.name, working_dir=".", root=entry.path.parent)


def source(path: Path) -> str:
    """The text of a script, which is kept as UTF-8: a comment that names another encoding is changed with it."""
    import tokenize

    raw = path.read_bytes()
    try:
        with path.open("rb") as file:
            encoding, _ = tokenize.detect_encoding(file.readline)
        text = raw.decode(encoding)
    except (SyntaxError, UnicodeDecodeError):
        return raw.decode("utf-8", "replace")
    if encoding in ("utf-8", "utf-8-sig"):
        return text
    lines = text.split("\n", 2)
    return "\n".join([*(_CODING.sub(r"\1utf-8", line) for line in lines[:2]), *lines[2:]])


def _places(entry: EntryPoint, root: Path) -> tuple[str, str]:
    """Working directory and entry point that start the same code from a fresh checkout."""
    assert entry.path is not None
    folder = entry.folder.resolve()
    inside = folder == root or root in folder.parents
    base = folder if inside else root
    working = base.relative_to(root).as_posix() or "."
    if entry.module:
        return working, f"-m {entry.module}"
    try:
        return working, entry.path.relative_to(base).as_posix()
    except ValueError:
        return ".", entry.path.relative_to(root).as_posix()


def remote_address(root: Path) -> str:
    """The address of the repository; its folder when it has none elsewhere."""
    url = git(root, "config", "--get", "remote.origin.url")
    if url:
        return url
    names = git(root, "remote").split()
    # Without a remote the folder itself is the only address there is.
    return git(root, "config", "--get", f"remote.{names[0]}.url") if names else str(root)


def git(root: Path, *arguments: str, strip: bool = True) -> str:
    """What git answers in a repository; empty when it fails, is missing, or takes too long."""
    text = run_git(root, *arguments).decode("utf-8", "replace")
    return text.strip() if strip else text
