import type { DatasetVersion } from "~/api/types.gen";
import { titleOf } from "~/pages/datasets/data";
import { Dialog } from "~/widgets/Dialog";
import { Snippet } from "~/widgets/states";

/** How a script gets at the files. */
export function Use({ version, close }: { version: DatasetVersion; close: () => void }) {
  const quoted = (text: string) => JSON.stringify(text);
  return (
    <Dialog title={`Use ${titleOf(version)}`} close={close} size="xl">
      <h3>Read only, from the cache of the machine</h3>
      <Snippet
        code={`from trialbook import Dataset\n\npath = Dataset.get(dataset_id=${quoted(version.id)}).get_local_copy()`}
      />
      <h3>Always the newest version, as a folder that may be changed</h3>
      <Snippet
        code={`dataset = Dataset.get(dataset_project=${quoted(version.project)}, dataset_name=${quoted(version.name)})\npath = dataset.get_mutable_local_copy("data")`}
      />
      <h3>A next version</h3>
      <Snippet
        code={`dataset = Dataset.create(\n    dataset_project=${quoted(version.project)},\n    dataset_name=${quoted(version.name)},\n    parent_datasets=[${quoted(version.id)}],\n)\ndataset.sync_folder("data")\ndataset.upload()\ndataset.finalize()`}
      />
    </Dialog>
  );
}
