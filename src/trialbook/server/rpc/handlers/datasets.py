"""Datasets."""

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import datasets as wire
from trialbook.wire.table import RawReply


@handles("datasets.create")
def create(services: Services, call: Call, ask: wire.CreateDataset) -> wire.CreateDatasetReply:
    """A new version."""
    id, version = services.datasets.create(call, ask)
    return wire.CreateDatasetReply(dataset=services.datasets.document(call, id), version=version)


@handles("datasets.commit")
def commit(services: Services, call: Call, ask: wire.CommitDataset) -> wire.CommitDatasetReply:
    """Finish a version."""
    services.datasets.commit(call, ask)
    return wire.CommitDatasetReply(dataset=services.datasets.document(call, ask.dataset, "-configuration"))


@handles("datasets.get_all")
def get_all(services: Services, call: Call, ask: wire.GetDatasets) -> wire.GetDatasetsReply:
    """Versions of one page."""
    return services.datasets.find(call, ask)


@handles("datasets.get_summaries")
def get_summaries(services: Services, call: Call, ask: wire.GetDatasets) -> wire.GetSummariesReply:
    """Datasets of one page."""
    return services.datasets.summaries(call, ask)


@handles("datasets.get_graph")
def get_graph(services: Services, call: Call, ask: wire.DatasetRef) -> wire.DatasetGraph:
    """Ancestors, descendants and users."""
    return services.datasets.graph(call, ask.dataset)


@handles("datasets.get_content")
def get_content(services: Services, call: Call, ask: wire.GetContent) -> wire.GetContentReply:
    """One folder of a version."""
    return services.datasets.content(call, ask)


@handles("datasets.get_file")
def get_file(services: Services, call: Call, ask: wire.GetFile) -> RawReply:
    """The bytes of one file."""
    return services.datasets.file(call, ask)


@handles("datasets.delete")
def delete(services: Services, call: Call, ask: wire.DeleteDataset) -> wire.DeleteDatasetReply:
    """Delete a version."""
    return services.datasets.delete(call, ask)


@handles("datasets.get_trash")
def get_trash(services: Services, call: Call, ask: wire.GetTrash) -> wire.GetTrashReply:
    """What callers must free."""
    return wire.GetTrashReply(sweeps=services.datasets.sweeps(call))


@handles("datasets.swept")
def swept(services: Services, call: Call, ask: wire.Swept) -> wire.Counted:
    """Callers have freed it."""
    return wire.Counted(updated=services.datasets.swept(call, ask.owners))


@handles("datasets.rename")
def rename(services: Services, call: Call, ask: wire.RenameDataset) -> wire.Counted:
    """Another name or project."""
    return wire.Counted(updated=services.datasets.rename(call, ask))
