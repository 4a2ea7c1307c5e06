"""Makes a version with one more file, of parents or of none; or deletes one."""

import json
import os
import sys
from pathlib import Path

from clearml import Dataset

what, project, name, file, *parents = sys.argv[1:]
answer = {}
if what == "delete":
    Dataset.delete(dataset_id=parents[0], force=True)
elif what == "read":
    folder = Path(Dataset.get(dataset_id=parents[0]).get_local_copy())
    answer["tree"] = {
        one.relative_to(folder).as_posix(): one.read_text() for one in folder.rglob("*") if one.is_file()
    }
else:
    Path("source").mkdir(exist_ok=True)
    (Path("source") / file).write_text(file)
    data = Dataset.create(dataset_name=name, dataset_project=project, parent_datasets=parents)
    data.add_files(str(Path("source") / file))
    data.upload(show_progress=False)
    data.finalize()
    answer["id"] = data.id
Path(os.environ["RESULT"]).write_text(json.dumps(answer))
