"""Makes a dataset of two versions with the calls that leave every kind of entry behind."""

import hashlib
import json
import os
import random
import sys
from pathlib import Path

from clearml import Dataset

project, name = sys.argv[1:3]
top = Path("source")
(top / "sub").mkdir(parents=True)
noise = random.Random(7)
for number in range(5):
    (top / f"noise{number}.bin").write_bytes(noise.randbytes(700_000))
(top / "a.txt").write_text("alpha " * 1000)
(top / "sub" / "b.csv").write_text("x,y\n1,2\n" * 100)
outside = Path("outside.txt").absolute()
outside.write_text("linked")
odd = Path("odd").absolute()
odd.mkdir()
for word in ("g h", "g%20h", "a%2Fb", "a#b"):
    (odd / word).write_text(word)

first = Dataset.create(dataset_name=name, dataset_project=project, dataset_tags=["one"])
added = first.add_files(str(top))
linked = first.add_external_files(f"file://{outside}", dataset_path="links")
first.add_external_files(f"file://{odd}/", dataset_path="odd")
first.upload(show_progress=False, chunk_size=1)
first.set_metadata({"classes": 3})
first.finalize()

second = Dataset.create(dataset_name=name, dataset_project=project, parent_datasets=[first.id])
(top / "noise0.bin").rename(top / "renamed.bin")
(top / "a.txt").write_text("changed")
(top / "sub" / "b.csv").unlink()
(top / "new.txt").write_text("new")
synced = list(second.sync_folder(str(top)))
second.upload(show_progress=False)
second.finalize()
content = {
    path.relative_to(top).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
    for path in sorted(top.rglob("*"))
    if path.is_file()
}
third = Dataset.create(dataset_name=name, dataset_project=project, parent_datasets=[second.id])
answer = {
    "open": third.id,
    "first": first.id,
    "second": second.id,
    "added": added,
    "linked": linked,
    "synced": synced,
    "content": content,
    "files": second.list_files(),
    "chunks": first.get_num_chunks(),
}
Path(os.environ["RESULT"]).write_text(json.dumps(answer))
