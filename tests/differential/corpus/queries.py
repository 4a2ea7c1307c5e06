"""Drafts, copies, states and searches."""

from typing import Any

from clearml import Task


def play(task: Any, answers: Any, tasks: dict[str, str]) -> None:
    """Make drafts, put them through their states, find them."""
    project = task.get_project_name()
    draft = Task.create(project_name=project, task_name="draft one", task_type=Task.TaskTypes.testing)
    tasks["draft one"] = draft.id
    answers("status", lambda: draft.status)
    answers("type", lambda: draft.task_type)
    answers("tags", lambda: (draft.set_tags(["a"]), draft.add_tags(["b", "a"]), draft.add_tags("c"))[0])
    # The released SDK puts tags through a set: their order is one of chance.
    answers("tags read", lambda: sorted(draft.get_tags()))
    answers("comment", lambda: draft.set_comment("words"))
    answers("name", lambda: draft.set_name("draft renamed"))
    answers("name read", lambda: [draft.name, draft.comment, draft.get_project_name() == project])
    answers("parent", lambda: draft.set_parent(task.id))
    answers("parent read", lambda: draft.parent == task.id)
    answers("base docker", lambda: draft.set_base_docker("image:1", docker_arguments="--ipc=host"))
    answers("base docker read", draft.get_base_docker)
    answers(
        "script", lambda: draft.set_script(repository="https://example.invalid/r.git", branch="b", commit="c")
    )
    answers("script read", draft.get_script)
    answers("packages", lambda: draft.set_packages(["numpy==1.0", "pandas"]))
    answers("requirements", lambda: draft.data.script.requirements)
    answers("credits", lambda: draft.set_progress(30))
    answers("progress", draft.get_progress)
    answers("archived", lambda: (draft.set_archived(True), draft.get_archived())[1])
    answers("unarchived", lambda: (draft.set_archived(False), draft.get_archived())[1])
    answers("system tags", draft.get_system_tags)
    copy = answers("copy", lambda: Task.clone(source_task=draft, name="copy", comment="cc") and None)
    copy = Task.clone(source_task=draft.id, name="copied", parent=task.id)
    tasks["copied"] = copy.id
    answers(
        "copied",
        lambda: [copy.name, copy.status, copy.parent == task.id, sorted(copy.get_tags()), copy.comment],
    )
    answers("plain copy name", lambda: Task.clone(draft).name)
    answers("edit status", lambda: copy.mark_started())
    answers("started", lambda: copy.get_status())
    answers("failed", lambda: (copy.mark_failed(status_reason="r", status_message="m"), copy.get_status())[1])
    answers("failed reason", lambda: [copy.data.status_reason, copy.data.status_message])
    answers("reset", lambda: (copy.reset(), copy.get_status())[1])
    answers("completed from draft", lambda: (copy.mark_completed(), copy.get_status())[1])
    answers("completed forced", lambda: (copy.mark_completed(force=True), copy.get_status())[1])
    answers("status message", lambda: [copy.data.status_reason, copy.data.status_message])
    answers("times", lambda: type(copy.data.created).__name__)
    answers("published", lambda: (copy.publish(), copy.get_status())[1])
    answers("rename published", lambda: copy.set_name("late"))
    answers("delete published", lambda: copy.delete())
    answers("found", lambda: sorted(t.name for t in Task.get_tasks(project_name=project, task_name="draft")))
    answers(
        "found exact", lambda: [t.name for t in Task.get_tasks(project_name=project, task_name="^copied$")]
    )
    answers("by tag", lambda: sorted(t.name for t in Task.get_tasks(project_name=project, tags=["a", "-c"])))
    answers("none", lambda: Task.get_tasks(project_name=project, task_name="no such"))
    answers("one", lambda: Task.get_task(project_name=project, task_name="copied").name)
    answers("no one", lambda: Task.get_task(project_name=project, task_name="no such"))
    answers("no id", lambda: Task.get_task(task_id="f" * 32))
    answers("ids", lambda: len(Task.query_tasks(project_name=project, task_name="copied")))
    answers(
        "fields",
        lambda: [
            sorted(row)
            for row in Task.query_tasks(
                project_name=project, task_name="copied", additional_return_fields=["name"]
            )
        ],
    )
    answers(
        "filter",
        lambda: sorted(
            t.name
            for t in Task.get_tasks(
                project_name=project, task_filter={"status": ["published"], "order_by": ["-last_update"]}
            )
        ),
    )
    answers("project id", lambda: bool(Task.get_project_id(project)))
    answers("no project id", lambda: Task.get_project_id("no such project"))
    answers("projects", lambda: project in [p.name for p in Task.get_projects()])
    answers("enqueue nowhere", lambda: Task.enqueue(draft, queue_name="no such queue"))
    answers("current", lambda: Task.current_task().id == task.id)
    answers("main", task.is_main_task)
    answers(
        "export",
        lambda: sorted(
            key for key in ("name", "type", "script", "hyperparams") if key in draft.export_task()
        ),
    )
    answers("deleted", lambda: Task.clone(draft).delete())
    answers("output uri", lambda: bool(task.output_uri))
    answers("task type", lambda: [task.task_type, task.status])
    answers("alive", lambda: [t for t in (task.started, task.running_locally()) if isinstance(t, bool)])
