"""The code of a program that does not run here: from a checkout, from a repository's address, or a single file."""

import ast
import difflib
import os
import posixpath
import subprocess
import tempfile
from pathlib import Path

from trialbook.capture.code import (
    LONGEST_SCRIPT,
    Code,
    git,
    masked,
    remote_address,
    repository_root,
    source,
)
from trialbook.capture.patch import masked_patch, uncommitted
from trialbook.capture.secrets import masked_text
from trialbook.errors import UsageError

INIT_CALL = '__import__("trialbook").Task.init()\n'
_FETCH_SECONDS = 120.0


def standalone(script: Path, working_directory: str | None, init: bool) -> Code:
    """A single file, stored whole.

    Args:
        script: the file.
        working_directory: to start it in; None is its own folder.
        init: add a ``Task.init`` call when it has none.

    Raises:
        UsageError: it is too large, or no text.
    """
    if script.stat().st_size > LONGEST_SCRIPT:
        raise UsageError(f"{script} is larger than {LONGEST_SCRIPT >> 20} MiB; put it into a repository")
    text = source(script)
    if "\ufffd" in text:
        raise UsageError(f"{script} is not in the encoding that it declares (UTF-8 when it declares none)")
    return Code(
        diff=masked_text(with_init(text) if init else text),
        entry_point=script.name,
        working_dir=working_directory or ".",
        root=script.resolve().parent,
    )


def from_checkout(
    folder: Path,
    script: str | None,
    working_directory: str | None,
    branch: str | None,
    commit: str | None,
    init: bool,
) -> Code:
    """The code of a checkout on this host, with its uncommitted changes.

    Args:
        folder: anywhere in the checkout.
        script: entry point, relative to the root of the checkout, or a path on this host.
        working_directory: to start it in, relative to the root.
        branch: take its last commit instead of what is checked out; uncommitted changes are left out then.
        commit: take this one, in the same way.
        init: add a ``Task.init`` call to the entry point when it has none.

    Raises:
        UsageError: no repository, no such commit, branch or script.
    """
    root = repository_root(folder.resolve())
    if root is None:
        raise UsageError(f"{folder} is not in a git repository; pass script alone to store a single file")
    head = git(root, "rev-parse", "HEAD")
    if not head:
        raise UsageError(f"{root} has no commit yet")
    named = commit or branch
    wanted = _commit(root, named) if named else head
    if not wanted:
        raise UsageError(f"{root} has no commit or branch {named!r}")
    current = git(root, "rev-parse", "--abbrev-ref", "HEAD")
    place = _inside(root, script) if script else ""
    same = wanted == head
    diff = uncommitted(root) if same else ""
    if place:
        committed = _show(root, wanted, place)
        present = _read(root / place) if same else committed
        if present is None:
            raise UsageError(f"there is no script {place!r} in {root}" + ("" if same else f" at {named}"))
        if init and with_init(present) != present:
            others = uncommitted(root, ".", f":(exclude){place}") if same else ""
            diff = others + file_patch(place, committed, with_init(present))
        elif committed is None:
            # Untracked: the patch brings it.
            diff += file_patch(place, None, present)
    return Code(
        repository=masked(remote_address(root)),
        branch=branch or ("" if current == "HEAD" or commit else current),
        commit=wanted,
        diff=masked_patch(diff),
        entry_point=_relative(place, working_directory),
        working_dir=_plain(working_directory),
        root=root,
    )


def from_address(
    url: str,
    script: str | None,
    working_directory: str | None,
    branch: str | None,
    commit: str | None,
    init: bool,
) -> Code:
    """The code of a repository elsewhere. It is only asked when the entry point must be read to add the call.

    Args:
        url: of the repository.
        script: entry point, relative to its root.
        working_directory: to start it in, relative to its root.
        branch: or tag; its last commit. None is the default branch.
        commit: exactly this one.
        init: add a ``Task.init`` call to the entry point when it has none.

    Raises:
        UsageError: the repository does not answer, or has no such script.
    """
    diff, found, listed = "", commit or "", None
    place = _plain(script) if script else ""
    if init and place:
        found, text, listed = _fetch(url, commit or branch or "HEAD", place, _plain(working_directory))
        if with_init(text) != text:
            diff = file_patch(place, text, with_init(text))
    return Code(
        repository=masked(url),
        branch=branch or "",
        commit=found,
        diff=masked_patch(diff),
        entry_point=_relative(place, working_directory),
        working_dir=_plain(working_directory),
        listed=listed,
    )


def with_init(text: str) -> str:
    """The source with a ``Task.init`` call before its first own statement; unchanged when it has one.

    Example:
        >>> print(with_init("from __future__ import annotations\\nx = 1\\n"), end="")
        from __future__ import annotations
        __import__("trialbook").Task.init()
        x = 1
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise UsageError(
            f"line {error.lineno} of the script is not Python of this version ({error.msg}); "
            "pass add_task_init_call=False"
        ) from error
    if any(_is_init(node) for node in ast.walk(tree)):
        return text
    lines = text.splitlines(keepends=True)
    after = 0
    while after < min(2, len(lines)) and lines[after].startswith("#"):
        after += 1
    for number, node in enumerate(tree.body):
        if (number == 0 and _is_docstring(node)) or _is_future(node):
            after = node.end_lineno or after
        else:
            break
    if after and not lines[after - 1].endswith("\n"):
        lines[after - 1] += "\n"
    return "".join([*lines[:after], INIT_CALL, *lines[after:]])


def file_patch(path: str, old: str | None, new: str) -> str:
    """A patch of one file as git writes and applies it; ``old`` None makes the file."""
    before = (old or "").splitlines(keepends=True)
    names = ("/dev/null" if old is None else f"a/{path}", f"b/{path}")
    body = [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(before, new.splitlines(keepends=True), *names)
    ]
    made = "new file mode 100644\n" if old is None else ""
    return f"diff --git a/{path} b/{path}\n{made}" + "".join(body)


def _is_init(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "init"
        and (
            (isinstance(node.func.value, ast.Name) and node.func.value.id == "Task")
            or (isinstance(node.func.value, ast.Attribute) and node.func.value.attr == "Task")
        )
    )


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _commit(root: Path, name: str) -> str:
    for candidate in (name, f"origin/{name}"):
        found = git(root, "rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}")
        if found:
            return found
    return ""


def _inside(root: Path, script: str) -> str:
    path = Path(script).expanduser()
    if path.is_absolute() or not (root / script).is_file():
        path = path.resolve()
        if root in path.parents:
            return path.relative_to(root).as_posix()
        if path.is_absolute() and path.is_file():
            raise UsageError(f"the script {script} is not in the repository {root}")
    return _plain(script)


def _plain(path: str | None) -> str:
    return posixpath.normpath((path or ".").replace(os.sep, "/"))


def _relative(place: str, working_directory: str | None) -> str:
    return posixpath.relpath(place, _plain(working_directory)) if place else ""


def _show(root: Path, commit: str, place: str) -> str | None:
    if not git(root, "cat-file", "-t", f"{commit}:{place}"):
        return None
    return git(root, "show", f"{commit}:{place}", strip=False)


def _read(path: Path) -> str | None:
    try:
        # Line ends as they are: a patch must fit.
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _fetch(url: str, name: str, place: str, working_directory: str) -> tuple[str, str, str]:
    """The commit of a repository elsewhere, the text of a file, and the packages that it lists."""
    with tempfile.TemporaryDirectory(prefix="trialbook-") as folder:
        root = Path(folder)
        git(root, "init", "-q")
        try:
            done = subprocess.run(
                ["git", "-C", folder, "fetch", "-q", "--depth", "1", "--", url, name],
                capture_output=True,
                timeout=_FETCH_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
                # Without a terminal git asks nobody for a password.
                start_new_session=True,
            )
            problem = done.stderr.decode("utf-8", "replace").strip() if done.returncode else ""
        except (OSError, subprocess.TimeoutExpired) as error:
            problem = str(error)
        if problem:
            raise UsageError(
                f"{masked(url)} at {name} could not be read ({masked_text(problem)}); the entry point is needed to "
                "add a Task.init call: pass add_task_init_call=False when the script has one"
            )
        text = _show(root, "FETCH_HEAD", place)
        if text is None:
            raise UsageError(f"{masked(url)} has no file {place!r} at {name}")
        return git(root, "rev-parse", "FETCH_HEAD"), text, _listed(root, working_directory)


def _listed(root: Path, working_directory: str) -> str:
    """The lines of the ``requirements.txt`` that an agent would find: in the working directory, or above it."""
    from trialbook.capture.packages import requirement_lines

    # The files that it includes have such names as well.
    for names in ("*requirements*", "*requirements*/**"):
        git(root, "checkout", "-q", "FETCH_HEAD", "--", f":(glob)**/{names}")
    folder = root / working_directory
    while not (folder / "requirements.txt").is_file():
        if folder == root or root not in folder.parents:
            return ""
        folder = folder.parent
    return requirement_lines(folder / "requirements.txt")
