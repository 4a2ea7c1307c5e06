"""From pending files to a finished version: ``upload``, ``finalize``, ``publish``."""

import json
import time
from dataclasses import replace
from pathlib import Path

from trialbook.datasets.draft.draft import Draft
from trialbook.datasets.sources.sniff import Policy
from trialbook.datasets.storage.objects import hold, pack_key
from trialbook.errors import (
    ConnectionFailed,
    SourceChanged,
    TrialbookError,
    UsageError,
    WireError,
)
from trialbook.sdk.console import advice, say
from trialbook.sdk.dataset.given import threads
from trialbook.sdk.dataset.home import Home, remember_places
from trialbook.sdk.dataset.members.base import DatasetBase
from trialbook.sdk.dataset.previews import report_previews
from trialbook.sdk.dataset.progress import Progress
from trialbook.sdk.dataset.stores import repository_url
from trialbook.sdk.dataset.trash import sweep
from trialbook.sdk.dataset.versions.commit import commit
from trialbook.sdk.dataset.versions.opened import SAVED
from trialbook.sdk.storage import check_writable

_MB = 1 << 20
_STORED = 0
_UNBOUNDED = 1 << 62


class ClosingMixin(DatasetBase):
    """Members that bring a version to its end."""

    def upload(
        self,
        show_progress: bool = True,
        verbose: bool = False,
        output_url: str | Path | None = None,
        compression: int | None = None,
        chunk_size: int | None = None,
        max_workers: int | None = None,
        retries: int = 3,
        preview: bool = True,
    ) -> None:
        """Store the bytes of every pending file; what is stored already is not sent again.

        A process that is killed meanwhile, or interrupted, loses nothing: calling ``upload`` again, also from another
        process on this host, continues with the files that are left.

        Args:
            show_progress: a bar, where standard error is a terminal.
            verbose: print what was stored.
            output_url: a folder or an address that takes these files, instead of the version's own destination.
            compression: ``zipfile.ZIP_STORED`` never compresses; None and others let a sample of each file decide.
            chunk_size: size of a pack in MB, 64 by default; -1 makes one pack of all.
            max_workers: how many read, hash and compress at once: threads for files of more than 512 KB, processes for
                thousands of smaller ones; None is one per processor, 8 at most. Packs are sent one after the other.
            retries: how often to try again when storing fails.
            preview: show some tables and pictures on the version's page.

        Raises:
            UsageError: storing failed in the end, a file is gone or keeps changing, the version is final, or
                ``max_workers`` is below 1.

        Example:
            >>> version = Dataset.create("digits", "Vision")
            >>> _ = version.add_files("images")
            >>> version.upload(max_workers=2)
            >>> version.is_dirty()
            False
        """
        workers = threads(max_workers)
        draft = self._opened.draft("upload")
        output_url = str(output_url) if output_url else None
        if output_url:
            check_writable(output_url)
        _, pending = draft.standing()
        if not pending.paths:
            return
        total = int(pending.facts["size"].sum())
        target = self._elsewhere(output_url)
        policy = replace(_policy(draft.policy, compression, chunk_size), workers=workers)
        progress = Progress("upload", len(pending.paths), total, show_progress)
        try:
            self._upload(draft, target, policy, progress, max(0, int(retries)))
        finally:
            progress.end()
        if verbose:
            say(
                f"{len(pending.paths)} files, {total} bytes stored in {target.url if target else self._opened.home.url}"
            )
        self._opened.forget()
        self._opened.calls.note(
            "upload", output_url=output_url, compression=compression, chunk_size=chunk_size
        )
        self._save()
        if preview and self._opened.home.connection is not None:
            report_previews(self._opened.task.get_logger(), pending)

    def _save(self) -> None:
        """Let another host go on from here."""
        if self._opened.home.connection is not None:
            saved = self._opened.draft("upload").save()
            self._opened.note_runtime(
                **{SAVED: saved, "ds_saved_places": json.dumps(self._opened.home.places)}
            )

    def _elsewhere(self, output_url: str | None) -> Home | None:
        if not output_url:
            return None
        url = repository_url(str(output_url))
        return (
            None
            if self._opened.home.at(url)
            else Home(self._opened.home.connection, url, self._opened.home.cache)
        )

    def _upload(
        self, draft: Draft, target: Home | None, policy: Policy, progress: Progress, retries: int
    ) -> None:
        places = dict(self._opened.home.places)

        def noted(key: str) -> None:
            if target is not None:
                places[key] = f"{target.url}/{pack_key(key)}"
                remember_places(self._opened.home.cache, self.id, places)

        elsewhere = target.objects() if target is not None else None
        for attempt in range(retries + 1):
            try:
                draft.upload(progress.add, policy, elsewhere, noted)
                break
            except SourceChanged as error:
                raise UsageError(f"the upload stopped: {error}. What was stored stays stored.") from error
            except (ConnectionFailed, WireError, OSError) as error:
                if attempt == retries:
                    again = advice("upload()", f"`trialbook data upload --id {self.id}`")
                    raise UsageError(
                        f"the upload failed: {error}. What was stored stays stored; {again} continues with the rest."
                    ) from error
                time.sleep(min(5.0, 0.2 * 2**attempt))
        if places.keys() - self._opened.home.places.keys():
            self._opened.home = self._opened.home.with_places(places)
            draft.look_in(self._opened.home.objects())

    def finalize(self, verbose: bool = False, raise_on_error: bool = True, auto_upload: bool = False) -> bool:
        """Close the version: from now on it cannot change, and others can read it.

        The manifest, the references to every stored object and the status change together, or nothing does. The status
        becomes completed; ``publish`` is a step of its own.

        Args:
            verbose: print numbers.
            raise_on_error: False answers False instead of raising when it cannot be done.
            auto_upload: upload pending files first.

        Returns:
            True when it is closed.

        Raises:
            UsageError: files wait for ``upload``, or it is neither draft nor open.

        Example:
            >>> version = Dataset.create("digits", "Vision")
            >>> _ = version.add_files("images")
            >>> version.finalize(auto_upload=True)
            True
        """
        if self._opened.session is not None:
            say(
                "Trialbook: a dataset that is made offline is finalized when its session is imported: "
                + advice("finalize=True", "Dataset.import_offline_session(FOLDER, finalize=True) in Python")
            )
            return False
        try:
            return self._finalized(verbose, auto_upload)
        except (TrialbookError, OSError) as error:
            if raise_on_error:
                raise
            say(f"Trialbook: dataset {self.id} was not finalized: {error}")
            return False

    def _finalized(self, verbose: bool, auto_upload: bool) -> bool:
        if self.is_final():
            raise UsageError(f"dataset {self.id} is {self._opened.info.get('status')}: it is final already")
        if self._opened.finished():
            commit(self._opened, self._opened.version.root)
            return True
        draft = self._opened.draft("finalize")
        if draft.pending and auto_upload:
            self.upload(show_progress=verbose, verbose=verbose)
            draft = self._opened.draft("finalize")
        if draft.pending:
            first = advice(
                "call upload() first, or finalize(auto_upload=True)",
                f"`trialbook data close --id {self.id}`, without --disable-upload, uploads them too",
            )
            raise UsageError(f"{draft.pending} files of dataset {self.id} wait: {first}")
        _tell_unportable(draft)
        root = draft.finish(whole_packs=not self._opened.policy.native)
        # What was written this moment need not be read back.
        hold(root, draft.standing()[0])
        self._opened.sealed(draft.root_id)
        commit(self._opened, root, draft.base)
        if verbose:
            say(f"dataset {self.id}: {root.files} files, {root.links} links, {root.bytes} bytes")
        return True

    def discard(self) -> None:
        """Give an open version up: it is deleted with everything that it stored.

        Raises:
            UsageError: it is final; ``Dataset.delete`` deletes such ones.

        Example:
            >>> version = Dataset.create("digits", "Vision")
            >>> version.discard()
        """
        draft = self._opened.draft("discard")
        if self._opened.pinger is not None:
            self._opened.pinger.stop()
        draft.abandon()
        self._opened.open_draft = None
        if self._opened.home.connection is not None:
            connection = self._opened.home.connection
            receipt = connection.session.api.datasets.delete({"dataset": self.id, "force": True})
            sweep(connection, receipt["sweeps"], receipt["urls"])

    def publish(self, raise_on_error: bool = True) -> bool:
        """Make a finished version permanent.

        Args:
            raise_on_error: False answers False when the server refuses.

        Returns:
            True when it is published.

        Raises:
            UsageError: the version is not final.

        Example:
            >>> data.publish()
            True
            >>> Dataset.get(dataset_project="Vision", dataset_name="digits", only_published=True).id == data.id
            True
        """
        self._opened.require_closed()
        try:
            self._opened.task.publish(ignore_errors=False)
        except (TrialbookError, OSError) as error:
            if raise_on_error:
                raise
            say(f"Trialbook: dataset {self.id} was not published: {error}")
            return False
        self._opened.info["status"] = "published"
        return True


def _tell_unportable(draft: Draft) -> None:
    """Names that this host takes and another refuses: said now, for afterwards they cannot be changed."""
    found = draft.unportable()
    for item in found[:10]:
        say(f"Trialbook: {item.path} cannot be copied to every system: {item.why}")
    if len(found) > 10:
        say(f"Trialbook: {len(found) - 10} more paths cannot be copied to every system")


def _policy(policy: Policy, compression: int | None, chunk_size: int | None) -> Policy:
    if compression == _STORED and compression is not None:
        policy = replace(policy, compression="none")
    if chunk_size is not None:
        if chunk_size == 0 or chunk_size < -1:
            raise UsageError(
                f"{advice('chunk_size', '--chunk-size')} is a number of MB, or -1 for one pack, not {chunk_size}"
            )
        policy = replace(
            policy,
            pack_bytes=_UNBOUNDED if chunk_size == -1 else int(chunk_size * _MB),
            pack_members=_UNBOUNDED if chunk_size == -1 else policy.pack_members,
        )
    return policy
