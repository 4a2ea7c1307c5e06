"""Differences between the released SDK and ours that are wanted, each with its reason.

A key is ``script:path`` of the records, where ``*`` stands for anything. An entry that no difference needs fails the
test, so the table never grows stale.
"""

_RECORDED = (
    "the released SDK leaves out values of types that it does not know; ours records what they print as"
)
_CAST = "the page promises casts to the type that was recorded; a list or a property of that kind is no text"
_FIELDS = "the page: a property has name, value, description and type"
_FORM = "the page: a mapping of names to values is a form of set_user_properties"
_DELETED = (
    "the released SDK refuses to delete on a running task without a word; ours deletes, as the page says"
)
_FLAT = "the page: the mapping is flat, so a nested one is sections and names, not a parameter named like a section"
_FINITE = "the released SDK stores 0 for what is not finite, a number that nobody reported"
_STEP = "a numpy integer is an iteration; the released SDK loses the whole point"
_SAYS = "ours refuses in words what the released SDK drops, logs or refuses with another class of error"
_PREVIEW = "the words of a preview are each SDK's own; what is in it is the same"
_WILDCARD = "the page: a wildcard is a ZIP file; the released SDK takes a bare one for text"
_PNG = "lossless pictures: a mask or a drawing comes back as it was"
_TITLE = "the title of a plot is the title it was reported under"
_PLACES = "plotly counts the places itself"
_DATASET = "the layout of a dataset's storage is ours; interop/test_datasets.py shows that each SDK reads the other's"
_LOGGED = "what is reported with the logger of a final version is kept; the released SDK loses it"
_METADATA = "a table of metadata is shown under its name; the released SDK gives each the same title"
_DRAFT = "a draft is no development run: nothing has been developed in it"
_NAMED = (
    'the page finds a model by models.output["model name"]; ours is found by the name of its file as well'
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
    **{
        f"parameters:answers/{getter}/Set/typed": _DELETED
        for getter in ("all", "all cast", "nested", "nested cast")
    },
    "parameters:parameters/task/hyperparams/Set/typed/*": _DELETED,
    "parameters:answers/property deleted by pair": _DELETED,
    "parameters:*/General/Set*": _FLAT,
    "parameters:*/Set/inner*": _FLAT,
    **{f"parameters:answers/properties/*/{field}": _FIELDS for field in ("section", "type", "description")},
    "parameters:parameters/task/hyperparams/properties/*/type": _FIELDS,
    "parameters:answers/property mapping": _FORM,
    **{
        f"parameters:{place}/{name}{below}": why
        for place, below in (
            ("answers/properties", "/*"),
            ("answers/properties as values", ""),
            *(
                (f"answers/{getter}/properties", "")
                for getter in ("all", "all cast", "nested", "nested cast")
            ),
            ("parameters/task/hyperparams/properties", "/value"),
        )
        for name, why in (("mapped", _FORM), ("inner", _FORM), ("size", _DELETED))
    },
    # Configuration and labels.
    **{
        f"replaced:{place}": "the same list, an item a line"
        for place in ("answers/object list", "answers/objects/list", "replaced/task/configuration/list/value")
    },
    "replaced:answers/labels read 2/*": "the released SDK looks the names up by the wrong key and answers with nothing",
    "replaced:replaced/task/configuration/General/*": "set_model_config leaves the user's unnamed configuration alone",
    "replaced:replaced/task/configuration/design/*": "set_model_config leaves the user's unnamed configuration alone",
    "replaced:replaced/task/configuration/as dict/type": "what was given as a mapping says so",
    "replaced:draft/task/system_tags": _DRAFT,
    # Console.
    "console:console/console/lines/case colour *": "a console is read as text; colours are taken out",
    "console:console/console/lines/  case blank*": "a line is what was printed, with its blanks",
    # Scalars.
    **{
        f"scalars:{place}": _FINITE
        for kind in ("inf", "nan")
        for place in (
            f"answers/reported/kinds/{kind}/y",
            f"answers/singles/single {kind}",
            f"scalars/metrics/kinds | {kind}/*",
            f"scalars/metrics/Summary | single {kind}/*",
        )
    },
    "scalars:answers/reported/steps/numpy/*": _STEP,
    "scalars:scalars/metrics/steps | numpy/*": _STEP,
    "scalars:answers/numpy step": _STEP,
    **{f"scalars:answers/{name}": _SAYS for name in ("one", "none", "single one", "single none")},
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
    "queries:answers/deleted": "the page: a bool",
    # Artifacts.
    "artifacts:artifacts/task/artifacts/*/type_data/preview": _PREVIEW,
    "artifacts:answers/get wildcard": _WILDCARD,
    "artifacts:answers/type wildcard": _WILDCARD,
    "artifacts:answers/get deep wildcard": "the page: a wildcard is a ZIP of the files; the released SDK's has none",
    "artifacts:artifacts/task/artifacts/wildcard/*": _WILDCARD,
    **{
        f"artifacts:{place}": "JSON would turn the keys into text, so the mapping is pickled"
        for place in ("answers/type int keys", "artifacts/task/artifacts/int keys/*")
    },
    "artifacts:artifacts/task/artifacts/a/b c/file": "the slash of a name is a folder below the task's",
    "artifacts:answers/size link": "a size is a number",
    "artifacts:answers/deleted": _SAYS,
    # Models.
    "models:answers/labels": "what waits for an upload is handed out where there is an upload",
    "models:answers/design": "what waits for an upload is handed out where there is an upload",
    "models:answers/metadata read/k/type": "a value without a type is text, not the type 'None'",
    "models:models/models/*/mine/metadata/k/type": "a value without a type is text, not the type 'None'",
    "models:answers/name": "a model's comment is the user's and one line for each update",
    "models:answers/fresh": "a model's comment is the user's and one line for each update",
    "models:models/models/*/comment": "a model's comment is the user's and one line for each update",
    "models:answers/unnamed framework": "a text is a text, also the empty one",
    "models:answers/registered": "the address that was registered is the answer",
    "models:answers/package files": "the files of a package are its files; the released SDK fails on its own archive",
    "models:answers/input": "a model is among the inputs at once, not after a reload",
    "models:answers/output keys": _NAMED,
    "models:models/models/output/packed/file": "a package of a folder has the folder's name",
    "models:models/models/output/packed/design/design": "the page: a model made later has the task's configuration",
    **{
        f"models:models/task/configuration/{name}/*": "set_model_config leaves the user's unnamed configuration alone"
        for name in ("General", "design")
    },
    # Plots.
    "figures:answers/table url": _SAYS,
    "figures:figures/plots/*/data/*/x": _PLACES,
    "figures:figures/plots/histogram | stack | 1/data/*/name": "two rows have two names",
    "figures:figures/plots/cloud*/name": "a cloud is named by its series, as lines are",
    "figures:figures/plots/*/title": _TITLE,
    "figures:figures/plots/scatter | nan | 1/data/0/y": "a hole is a hole, no text 'nan'",
    "figures:figures/plots/table | frame | 1/data/0/*": "a column's name is a text; what is missing is NaN",
    # Pictures.
    **{f"pictures:answers/{name}": _SAYS for name in ("flat", "nothing", "no file")},
    "pictures:pictures/samples/image | flat | 1": _SAYS,
    **{
        f"pictures:pictures/samples/image | {name} | 1": "a picture with transparency or of two channels is one"
        for name in ("alpha", "two channels")
    },
    **{
        f"pictures:pictures/samples/{name}": _PNG
        for name in (
            "history | kept | *",
            "a/b c | ü:? | 1",
            "image | no iteration | 0",
            *(
                f"image | {kind} | 1"
                for kind in ("bool", "colour", "float", "grey", "grey 3", "int64", "pil")
            ),
        )
    },
    "pictures:pictures/plots/media | table | 1/title": _TITLE,
    "pictures:pictures/plots/media | table | 1/data/*": "the behaviours of the page: the index is shown",
    # Datasets.
    "datasets:answers/add again": "what is there already is not added once more",
    "datasets:answers/copy*": "the released SDK does not unpack what it stored: a copy of this dataset fails",
    "datasets:answers/squash": "the released SDK does not unpack what it stored: a copy of this dataset fails",
    **{
        f"datasets:{version}/{place}": why
        for version in ("first", "second")
        for place, why in {
            "task/configuration/Dataset Struct/value": "the sizes and times of each SDK, as JSON of one line",
            "task/configuration/Dataset Content/value": "the heading of the list says what is in its columns",
            "task/script/diff": "the script that would make the version again is each SDK's own",
            "task/artifacts/*/type_data/preview": _PREVIEW,
            "task/artifacts/data/file": _DATASET,
            "task/artifacts/manifest/*": _DATASET,
            "task/hyperparams/properties/version/type": _FIELDS,
            "plots/__Dataset *": "the page shows lineage and contents from the version itself, not from stored plots",
        }.items()
    },
    "datasets:first/task/status_reason": "how a version ended is its status",
    "datasets:first/plots/Dataset Metadata | *": _METADATA,
    "datasets:first/plots/frame | *": _METADATA,
    "datasets:first/plots/Tables | *": "the page previews tables from the version's own files",
    "datasets:second/task/last_iteration": _LOGGED,
    "datasets:second/metrics/s | s/*": _LOGGED,
}
