"""A dataset without a server. Arguments: folder of its files, file that takes the path of the session."""

import sys
from pathlib import Path

from clearml import Dataset

Dataset.set_offline(True)
data = Dataset.create(
    dataset_name="away",
    dataset_project="Away/nested",
    dataset_tags=["one"],
    dataset_version="2.3.4",
    description="a text",
)
data.add_files(sys.argv[1])
data.add_external_files(Path(sys.argv[1]).with_name("linked.bin").as_uri(), dataset_path="links")

data.upload()
Path(sys.argv[2]).write_text(str(data.get_offline_mode_folder()))
data._task.close()
