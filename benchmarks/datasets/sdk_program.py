"""One user of a dataset SDK, told line by line what to do: ``SDK SOURCE STORE NAME MODE``.

Reads steps from its input (``first``, ``copy``, ``again``, ``forget``, ``next``, ``squash``), answers each with the
seconds that it took. ``benchmarks.datasets.peers`` and ``copies`` run it with either SDK: their calls are the same.
"""

import importlib
import resource
import shutil
import sys
import time
from typing import Any

_PROJECT = "Benchmark"


class User:
    """Holds the versions between steps."""

    def __init__(self, sdk: str, source: str, store: str, name: str, mode: str) -> None:
        self._dataset: Any = importlib.import_module(sdk).Dataset
        self._source, self._store, self._name = source, store, name
        self._native = {"native": True} if mode == "native" else {}
        self._packing = {"compression": 0} if mode == "0" else {}
        self._last = ""
        self._folder = ""

    def _made(self, parents: list[str]) -> None:
        data = self._dataset.create(
            dataset_name=self._name, dataset_project=_PROJECT, parent_datasets=parents, **self._native
        )
        if parents:
            data.sync_folder(self._source)
        else:
            data.add_files(self._source)
        data.upload(output_url=self._store, show_progress=False, **self._packing)
        data.finalize()
        self._last = data.id

    def first(self) -> None:
        """Create to finalize."""
        self._made([])

    def next(self) -> None:
        """A child of a folder that changed a little."""
        self._made([self._last])

    def copy(self) -> None:
        """A local copy, verified when the SDK does that."""
        self._folder = self._dataset.get(dataset_id=self._last).get_local_copy()

    again = copy

    def forget(self) -> None:
        """The local copy is gone."""
        shutil.rmtree(self._folder)

    def squash(self) -> None:
        """All versions as one."""
        self._dataset.squash(f"{self._name} squashed", dataset_ids=[self._last], output_url=self._store)


def processor() -> float:
    """Processor time so far, that of programs it started included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + used.ru_utime + used.ru_stime


def main() -> None:
    """Do what each line says."""
    user = User(*sys.argv[1:6])
    say = sys.stdout
    # Whatever an SDK prints is not an answer.
    sys.stdout = sys.stderr
    print("ready", file=say, flush=True)
    for line in sys.stdin:
        start, worked = time.perf_counter(), processor()
        getattr(user, line.strip())()
        print(time.perf_counter() - start, processor() - worked, file=say, flush=True)


if __name__ == "__main__":
    main()
