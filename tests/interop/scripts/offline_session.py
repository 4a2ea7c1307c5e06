"""A run of the released SDK without any server: it leaves a session behind."""

import sys
from pathlib import Path

import numpy
from clearml import Task

Task.set_offline(True)
task = Task.init("Away/nested", "a run", tags=["one"])
task.connect({"lr": 0.5, "layers": [1, 2]})
task.connect_configuration({"a": {"b": 1}}, name="net")
logger = task.get_logger()
for step in range(50):
    logger.report_scalar("loss", "train", step / 2, step)
logger.report_single_value("score", 3.0)
logger.report_confusion_matrix("matrix", "m", numpy.eye(2), 1)
logger.report_image("picture", "noise", 1, image=numpy.zeros((4, 4, 3), "uint8"))
logger.report_text("a reported text")
print("a printed line", file=sys.stderr)
task.upload_artifact("data", {"a": [1, 2]})
task.upload_artifact("array", numpy.arange(6.0))
folder = task.get_offline_mode_folder()
task.close()
Path(sys.argv[1]).write_text(str(folder))
