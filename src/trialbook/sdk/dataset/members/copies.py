"""Bringing a version to this host: shared copies, copies to change, checks."""

import shutil
import uuid
from pathlib import Path

from trialbook.datasets.copies.verify import verify_folder
from trialbook.datasets.manifest.selection import Selection
from trialbook.datasets.patterns import Patterns
from trialbook.errors import TrialbookError, UsageError
from trialbook.sdk.console import advice, say
from trialbook.sdk.dataset.given import required, threads
from trialbook.sdk.dataset.home import Home
from trialbook.sdk.dataset.links import fetcher
from trialbook.sdk.dataset.members.listing import ListingMixin


class CopiesMixin(ListingMixin):
    """Members that give folders of this host."""

    def get_local_copy(
        self,
        use_soft_links: bool | None = None,
        part: int | None = None,
        num_parts: int | None = None,
        raise_on_error: bool = True,
        max_workers: int | None = None,
        *,
        files: Patterns = None,
    ) -> str:
        """A read-only folder with everything in the version, links included; made once, then shared by all who ask.

        Args:
            use_soft_links: True gives a folder of soft links to the files of the shared one. Otherwise they are regular
                files, which share their bytes with other copies of this host where the file system can.
            part: only this part, from 0.
            num_parts: number of parts; None is ``get_num_chunks()``. Chunks go round, those of ancestors first: of 8 in
                5 parts, part 0 has chunks 0 and 5, part 1 has 1 and 6. Each file is in exactly one part; fewer chunks
                than parts are cut between files, so that no part is empty while there are files.
            raise_on_error: False gives what can be had, in a folder of its own.
            max_workers: packs, and links, that are fetched at once; None is up to four packs when their files are
                large, else one, and eight links.
            files: only paths that match these, as in ``add_files``; nothing else is fetched.

        Returns:
            The folder. The second call answers from the cache; a copy that lost files, or whose files have other
            sizes, is made anew.

        Raises:
            UsageError: the version is not final, ``part`` is none of the parts, or ``max_workers`` is below 1.
            DatasetMissing, DatasetDamaged: stored bytes are gone, or not what was stored.
            SourceChanged: an object behind a link has changed.

        Example:
            >>> folder = pathlib.Path(data.get_local_copy(files="train/*"))
            >>> sorted(path.name for path in (folder / "train").iterdir())
            ['a.jpg', 'b.jpg']
        """
        self._require_final("get_local_copy")
        workers = threads(max_workers)
        selection = self._selection(part, num_parts, files)
        try:
            folder = self._opened.home.repository.copy(
                self.id,
                selection=selection,
                root_id=self._opened.root_id,
                workers=workers,
                soft=bool(use_soft_links),
            )
            return str(folder)
        except (TrialbookError, OSError) as error:
            if raise_on_error:
                raise
            say(f"Trialbook: dataset {self.id} cannot be copied as a whole: {error}")
        target = self._opened.home.cache / "partial" / uuid.uuid4().hex
        self._best_effort(target, selection, workers)
        return str(target)

    def get_mutable_local_copy(
        self,
        target_folder: str | Path,
        overwrite: bool = False,
        part: int | None = None,
        num_parts: int | None = None,
        raise_on_error: bool = True,
        max_workers: int | None = None,
        *,
        files: Patterns = None,
    ) -> str | None:
        """A folder of your own with everything in the version; changing it changes nothing else.

        Args:
            target_folder: made when missing.
            overwrite: delete what is in it first; False refuses a folder that is not empty.
            part: as in ``get_local_copy``.
            num_parts: as in ``get_local_copy``.
            raise_on_error: False answers None for a folder that is not empty, and keeps what can be had.
            max_workers: as in ``get_local_copy``.
            files: as in ``get_local_copy``.

        Returns:
            The folder; None when it is not empty and ``raise_on_error`` is off.

        Raises:
            UsageError: the folder is not empty, the version is not final, or ``part`` is none of the parts.
            DatasetMissing, DatasetDamaged: stored bytes are gone, or not what was stored.

        Example:
            >>> folder = data.get_mutable_local_copy("my-copy")
            >>> pathlib.Path(folder, "labels.csv").unlink()
        """
        self._require_final("get_mutable_local_copy")
        workers = threads(max_workers)
        selection = self._selection(part, num_parts, files)
        target = Path(
            required("get_mutable_local_copy", "target_folder", target_folder, "--copy")
        ).expanduser()
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            if not overwrite:
                if raise_on_error:
                    other = advice("overwrite=True empties it first", "--overwrite empties it first")
                    raise UsageError(f"{target} is not empty: choose another folder; {other}")
                say(f"Trialbook: {target} is not empty; nothing was copied")
                return None
            _emptied(target)
        if raise_on_error:
            self._opened.home.repository.mutable_copy(
                self.id, target, selection=selection, root_id=self._opened.root_id, workers=workers
            )
        else:
            self._best_effort(target, selection, workers)
        return str(target)

    def verify_dataset_hash(
        self, local_copy_path: str | Path | None = None, skip_hash: bool = False, verbose: bool = False
    ) -> list[str]:
        """Compare a copy with what it should be. Links are not looked at.

        Args:
            local_copy_path: None is the shared copy, which is made when there is none.
            skip_hash: compare sizes only.
            verbose: print what differs.

        Returns:
            Paths that differ or are missing; empty when all is well.

        Example:
            >>> folder = data.get_mutable_local_copy("my-copy")
            >>> _ = pathlib.Path(folder, "labels.csv").write_text("changed")
            >>> data.verify_dataset_hash(folder)
            ['labels.csv']
        """
        self._require_final("verify_dataset_hash")
        folder = Path(local_copy_path).expanduser() if local_copy_path else Path(self._cached())
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}")
        problems = verify_folder(self._opened.version.rows, folder, content=not skip_hash)
        if verbose:
            for problem in problems:
                say(f"{problem.name}: {problem.what}")
        return [problem.name for problem in problems]

    def verify_storage(self) -> list[str]:
        """Read every stored byte of the version and check it.

        Returns:
            What is damaged or gone, with the reason; empty when all is well.

        Example:
            >>> data.verify_storage()
            []
        """
        self._require_final("verify_storage")
        return [f"{problem.name}: {problem.what}" for problem in self._opened.home.repository.verify(self.id)]

    def _cached(self) -> str:
        found = self._opened.home.repository.cached_copy(self._opened.root_id)
        return str(found) if found is not None else self.get_local_copy()

    def _selection(self, part: int | None, num_parts: int | None, files: Patterns) -> Selection:
        if num_parts is not None and num_parts < 1:
            raise UsageError(f"{advice('num_parts', '--num-parts')} is a number from 1 on, not {num_parts}")
        if part is None and num_parts is not None:
            raise UsageError(
                advice("num_parts needs part", "--num-parts needs --part") + ": which one, from 0"
            )
        parts = 1 if part is None else num_parts or max(1, self.get_num_chunks())
        return Selection.of(files, part, parts)

    def _require_final(self, what: str) -> None:
        if self._opened.session is not None:
            raise UsageError(
                f"{what} needs the server: this dataset was made offline; import its session first"
            )
        self._opened.require_closed(what)

    def _best_effort(self, target: Path, selection: Selection, workers: int | None) -> None:
        failed: list[str] = []
        version, here = self._opened, self._opened.home
        home = Home(here.connection, here.url, here.cache, here.places)
        home.repository.fetch_links_with(fetcher(here.connection, failed))
        home.repository.mutable_copy(
            version.id, target, selection=selection, root_id=version.root_id, failed=failed, workers=workers
        )
        for problem in failed[:20]:
            say(f"Trialbook: not copied: {problem}")


def _emptied(target: Path) -> None:
    if not target.is_dir() or target.is_symlink():
        target.unlink()
        return
    for entry in target.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
