import { Go } from "~/widgets/Go";
import { Empty } from "~/widgets/states";

/** A named thing that is not there: deleted, archived elsewhere, or never yours. */
export function MissingThing({ kind, id }: { kind: string; id: string }) {
  return (
    <Empty title={`No ${kind} has this id`}>
      <p className="mono">{id}</p>
      <p>It may have been deleted, or you may lack the right to see it.</p>
      <p>
        <Go to={`/projects/*/tasks?q=${encodeURIComponent(id)}`}>Search all tasks for the id</Go>
      </p>
    </Empty>
  );
}
