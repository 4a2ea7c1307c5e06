"""Datasets without a server, and bringing them to one later."""

import tempfile
from dataclasses import asdict
from pathlib import Path

from trialbook.datasets.sources.sniff import Policy
from trialbook.errors import UsageError
from trialbook.sdk.dataset.foreign import session as foreign_offline
from trialbook.sdk.dataset.members.lifecycle import ClosingMixin
from trialbook.sdk.dataset.versions.importing import bring, imported, made_from
from trialbook.sdk.dataset.versions.sessions import NOTE, let_go
from trialbook.sdk.servers import connection as connections
from trialbook.sdk.storage import unpack
from trialbook.sdk.task import Task


class OfflineMixin(ClosingMixin):
    """Members about working without a server."""

    @classmethod
    def set_offline(cls, offline_mode: bool = False) -> None:
        """Work without a server from now on, or with one again.

        Args:
            offline_mode: True keeps versions that are made from now on in a folder of this host, for
                ``import_offline_session``; False, the default, goes back to the server.

        Example:
            >>> Dataset.set_offline(True)
            >>> version = Dataset.create("digits", "Vision")
            >>> _ = version.add_files("images"), version.finalize(auto_upload=True)
            >>> Dataset.set_offline(False)
            >>> Dataset.get(Dataset.import_offline_session(version.get_offline_mode_folder())).name
            'digits'
        """
        Task.set_offline(offline_mode)

    @classmethod
    def is_offline(cls) -> bool:
        """Whether this process works without a server.

        Returns:
            The same as ``Task.is_offline``.

        Example:
            >>> Dataset.is_offline()
            False
        """
        return Task.is_offline()

    def get_offline_mode_folder(self) -> Path | None:
        """Where a version that was made offline is kept.

        Returns:
            The folder with its session; None when it was made with a server.

        Example:
            >>> data.get_offline_mode_folder() is None
            True
        """
        return self._opened.session

    @classmethod
    def import_offline_session(
        cls, session_folder_zip: str | Path, upload: bool = True, finalize: bool = False
    ) -> str:
        """Bring a version that was made offline to the server. Sessions of parents come before those of children.

        Args:
            session_folder_zip: folder of the session, or a zip of it; also one that the released clearml SDK left.
            upload: store its data, also files that were only added; these must still be on this host.
            finalize: close it.

        Returns:
            Id of the version on the server.

        Raises:
            UsageError: there is no session of a dataset, a parent has not been imported on this host, or a file that
                the clearml SDK noted is gone or has changed.
            ConnectionFailed: the server went away.

        Example:
            >>> Dataset.set_offline(True)
            >>> version = Dataset.create("digits", "Vision")
            >>> _ = version.add_files("images")
            >>> folder = version.get_offline_mode_folder()
            >>> Dataset.set_offline(False)
            >>> imported = Dataset.import_offline_session(folder, upload=True, finalize=True)
            >>> Dataset.get(imported).is_final()
            True
        """
        connection = connections.connect()
        if connection.settings.offline:
            raise UsageError("an offline session is imported with a server: Dataset.set_offline(False) first")
        path = Path(session_folder_zip).expanduser()
        with tempfile.TemporaryDirectory(prefix="trialbook-dataset-") as name:
            folder = path
            if path.is_file():
                folder = Path(name) / "session"
                folder.mkdir()
                unpack(path, folder)
            foreign = None if list(folder.glob(f"**/{NOTE}")) else foreign_offline.read(folder, path)
            if foreign is None:
                let_go(folder)
                version = imported(connection, folder, path)
            else:
                # Before the first call: a session whose files have gone leaves nothing on the server.
                sources = foreign.sources() if upload else None
                session = foreign.copy_without_state(Path(name) / "foreign")
                version = made_from(
                    connection, session, {"policy": asdict(Policy(aliases=False)), **foreign.note()}
                )
                # It was imported as a run that has ended.
                version.task.mark_started(force=True)
            made = cls._over(version)
            if upload:
                if foreign is None or sources is None:
                    bring(version, folder)
                else:
                    foreign.bring(version.draft("import"), sources)
                made.upload(show_progress=False)
            if finalize:
                made.finalize()
            else:
                version.draft("import").close()
            return made.id
