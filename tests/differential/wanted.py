"""Differences between the released SDK and ours that are wanted, each with its reason.

A key is ``script:path`` of the records, where ``*`` stands for anything. An entry that no difference needs fails the
test, so the table never grows stale.
"""

_RECORDED = (
    "the released SDK leaves out values of types that it does not know; ours records what they print as"
)
_CAST = "the page promises casts to the type that was recorded; a list or a property of that kind is no text"
_PROPERTY = (
    "the page: a property has name, value, description and type; a mapping of names to values is a form"
)
_DELETED = (
    "the released SDK refuses to delete on a running task without a word; ours deletes, as the page says"
)
_FLAT = "the page: the mapping is flat, so a nested one is sections and names, not a parameter named like a section"
_FINITE = "the released SDK stores 0 for what is not finite, a number that nobody reported"
_STEP = "a numpy integer is an iteration"
_SAYS = "ours refuses in words what the released SDK drops, logs or refuses with another class of error"
_PREVIEW = "the words of a preview are each SDK's own; what is in it is the same"
_WILDCARD = "the page: a wildcard is a ZIP file; the released SDK takes a bare one for text"
_EXTENSION = "the page has no extension_name"
_PNG = "lossless pictures: a mask or a drawing comes back as it was"
_TITLE = "the title of a plot is the title it was reported under"
_PLACES = "plotly counts the places itself"
_DATASET = "the layout of a dataset's storage is ours; interop/test_datasets.py shows that each SDK reads the other's"
_DRAFT = "a draft is no development run: nothing has been developed in it"
_NAMED = (
    "a model's place among the outputs is its name when it has one; a file's stem is taken by the next file"
)
_SCRIPT = "the fields of a script as a new fetch has them, empty ones as text"

WANTED: dict[str, str] = {
    "*:*/task/comment": "the released SDK writes its own words into the user's comment",
    # Parameters.
    **{
        f"parameters:{place}/Kinds/{kind}*": _RECORDED
        for kind in (
            "path",
            "numpy int",
            "numpy float",
            "array",
            "function",
            "class",
            "bytes",
            "complex",
            "range",
            "set",
        )
        for place in ("answers/*", "parameters/task/hyperparams")
    },
    "parameters:answers/connect 7*": "a key that is no text is recorded as its text",
    "parameters:*/Object/name*": "the fields of an object's class are fields of the object",
    "parameters:parameters/task/hyperparams/*/enum/description": "the words of a description are each SDK's own",
    "parameters:parameters/task/hyperparams/Args/*/description": "an argument without help has no description",
    "parameters:parameters/task/hyperparams/Args/many/type": "what is recorded is the list, not an item of it",
    "parameters:parameters/task/hyperparams/Args/nothing/type": "None has no type",
    "parameters:answers/*cast/Args/*": _CAST,
    "parameters:answers/*cast/properties/*": _CAST,
    "parameters:answers/delete": _DELETED,
    "parameters:*Set/typed*": _DELETED,
    "parameters:answers/property deleted by pair": _DELETED,
    "parameters:*/General/Set*": _FLAT,
    "parameters:*/Set/inner*": _FLAT,
    "parameters:answers/properties*": _PROPERTY,
    "parameters:answers/property mapping": _PROPERTY,
    "parameters:answers/*/properties/*": _PROPERTY,
    "parameters:parameters/task/hyperparams/properties/*": _PROPERTY,
    # Configuration and labels.
    "replaced:*list*": "the page: a configuration is a mapping or a file",
    "replaced:answers/labels read 2/*": "the released SDK looks the names up by the wrong key and answers with nothing",
    "replaced:replaced/task/configuration/General/*": "set_model_config leaves the user's unnamed configuration alone",
    "replaced:replaced/task/configuration/design/*": "set_model_config leaves the user's unnamed configuration alone",
    "replaced:replaced/task/configuration/as dict/type": "what was given as a mapping says so",
    "replaced:draft/task/system_tags": _DRAFT,
    # Console.
    "console:console/console/lines/case colour *": "a console is read as text; colours are taken out",
    "console:console/console/lines/  case blank*": "a line is what was printed, with its blanks",
    # Scalars.
    "scalars:*inf*": _FINITE,
    "scalars:*nan*": _FINITE,
    "scalars:*steps*numpy*": _STEP,
    "scalars:answers/numpy step": _STEP,
    "scalars:answers/*one": _SAYS,
    "scalars:answers/reported/*/name": "the page: a series is x and y",
    # Drafts and states.
    "queries:answers/script read/*": _SCRIPT,
    "queries:answers/requirements/pip": "each line of a list of packages ends",
    "queries:answers/progress": "what was set is what is read",
    "queries:answers/system tags": _DRAFT,
    "queries:draft one/task/system_tags": _DRAFT,
    "queries:answers/plain copy name": "a copy is told from its source by its name",
    "queries:answers/found": "a copy is told from its source by its name",
    "queries:answers/* reason": "the reason that was given is kept",
    "queries:answers/status message": "the reason of the last change of state, not of the one before",
    "queries:answers/no id": _SAYS,
    "queries:answers/enqueue nowhere": _SAYS,
    "queries:answers/deleted": "the page: a bool",
    # Artifacts.
    "artifacts:artifacts/task/artifacts/*/type_data/preview": _PREVIEW,
    "artifacts:*wildcard*": _WILDCARD,
    "artifacts:*int keys*": "JSON would turn the keys into text, so the mapping is pickled",
    "artifacts:artifacts/task/artifacts/a/b c/file": "the slash of a name is a folder below the task's",
    "artifacts:answers/csv frame": _EXTENSION,
    "artifacts:answers/yaml": _EXTENSION,
    "artifacts:answers/parquet": _EXTENSION,
    "artifacts:answers/* csv frame": _EXTENSION,
    "artifacts:answers/* yaml*": _EXTENSION,
    "artifacts:answers/* bad extension*": _EXTENSION,
    "artifacts:answers/names*": _EXTENSION,
    "artifacts:artifacts/task/artifacts/csv frame/*": _EXTENSION,
    "artifacts:artifacts/task/artifacts/yaml/*": _EXTENSION,
    "artifacts:artifacts/task/artifacts/bad extension/*": _EXTENSION,
    "artifacts:answers/size link": "a size is a number",
    "artifacts:answers/deleted": _SAYS,
    # Models.
    "models:answers/labels": "what waits for an upload is handed out where there is an upload",
    "models:answers/design": "what waits for an upload is handed out where there is an upload",
    "models:*metadata*k/type": "a value without a type is text, not the type 'None'",
    "models:answers/name": "a model's comment is the user's and one line for each update",
    "models:answers/fresh": "a model's comment is the user's and one line for each update",
    "models:*/comment": "a model's comment is the user's and one line for each update",
    "models:answers/unnamed framework": "a text is a text, also the empty one",
    "models:answers/registered": "the address that was registered is the answer",
    "models:answers/package files": "the files of a package are its files; the released SDK fails on its own archive",
    "models:answers/input": "a model is among the inputs at once, not after a reload",
    "models:answers/output keys": _NAMED,
    "models:models/models/output/*": _NAMED,
    "models:models/task/configuration/*": "set_model_config leaves the user's unnamed configuration alone",
    # Plots.
    "figures:answers/table url": _SAYS,
    "figures:figures/plots/*/data/*/x": _PLACES,
    "figures:figures/plots/histogram | stack | 1/data/*/name": "two rows have two names",
    "figures:figures/plots/cloud*/name": "a cloud is named by its series, as lines are",
    "figures:figures/plots/*/title": _TITLE,
    "figures:figures/plots/scatter | nan | 1/data/0/y": "a hole is a hole, no text 'nan'",
    "figures:figures/plots/table | frame | 1/data/0/*": "a column's name is a text; what is missing is NaN",
    # Pictures.
    "pictures:answers/*": _SAYS,
    "pictures:pictures/samples/*": _PNG,
    "pictures:pictures/plots/media | table | 1/title": _TITLE,
    "pictures:pictures/plots/media | table | 1/data/*": "the behaviours of the page: the index is shown",
    # Datasets.
    "datasets:answers/add again": "what is there already is not added once more",
    "datasets:answers/copy*": "the released SDK does not unpack what it stored: a copy of this dataset fails",
    "datasets:answers/squash": "the released SDK does not unpack what it stored: a copy of this dataset fails",
    "datasets:first/*": _DATASET,
    "datasets:second/*": _DATASET,
}
