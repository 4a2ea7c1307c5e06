"""Renames, moves, publishes and deletes versions that the other SDK made."""

import json
import os
import sys
from pathlib import Path

from clearml import Dataset

project, name = sys.argv[1:3]
Dataset.rename(new_dataset_name="renamed", dataset_project=project, dataset_name=name)
renamed = Dataset.get(dataset_project=project, dataset_name="renamed", dataset_version="1.0.0")
Dataset.move_to_project(
    new_dataset_project=f"{project}/moved", dataset_project=project, dataset_name="renamed"
)
moved = Dataset.get(dataset_project=f"{project}/moved", dataset_name="renamed", dataset_version="1.0.0")
published = moved.publish()
newest = Dataset.get(dataset_project=f"{project}/moved", dataset_name="renamed")
Dataset.delete(dataset_id=newest.id, force=True)
answer = {"renamed": renamed.id, "moved": moved.id, "published": published, "deleted": newest.id}
Path(os.environ["RESULT"]).write_text(json.dumps(answer))
