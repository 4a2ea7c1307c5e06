/** The shortest script that makes a run appear. */
export const FIRST_RUN = `from trialbook import Task

task = Task.init(project_name="examples", task_name="first run")
for step in range(100):
    task.get_logger().report_scalar("loss", "train", value=1 / (step + 1), iteration=step)
task.close()`;

/** The shortest script that makes a dataset. */
export const FIRST_DATASET = `from trialbook import Dataset

dataset = Dataset.create(dataset_project="examples", dataset_name="first dataset")
dataset.add_files("data/")
dataset.upload()
dataset.finalize()`;
