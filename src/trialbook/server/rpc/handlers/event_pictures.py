"""Plots and images, the way clients of ClearML read them."""

from __future__ import annotations

from trialbook.server.rpc.registry import handles
from trialbook.server.services.bundle import Services
from trialbook.server.services.call import Call
from trialbook.wire import event_pictures as wire


@handles("events.get_task_plots")
def get_task_plots(services: Services, call: Call, ask: wire.GetTaskPlots) -> wire.PlotsReply:
    """The newest plots."""
    return services.event_pictures.get_task_plots(call, ask)


@handles("events.debug_images")
def debug_images(services: Services, call: Call, ask: wire.DebugImages) -> wire.DebugImagesReply:
    """Images, iterations at a time; the scroll id holds which iterations were shown."""
    return services.event_pictures.debug_images(call, ask)


@handles("events.get_multi_task_plots")
def get_multi_task_plots(
    services: Services, call: Call, ask: wire.MultiTaskPlots
) -> wire.MultiTaskPlotsReply:
    """The newest plots of several tasks."""
    return services.event_pictures.get_multi_task_plots(call, ask)


@handles("events.get_plot_sample")
def get_plot_sample(services: Services, call: Call, ask: wire.PlotSample) -> wire.ImageSampleReply:
    """One plot."""
    return services.event_pictures.get_plot_sample(call, ask)


@handles("events.get_debug_image_sample")
def get_debug_image_sample(services: Services, call: Call, ask: wire.ImageSample) -> wire.ImageSampleReply:
    """One image."""
    return services.event_pictures.get_debug_image_sample(call, ask)


@handles("events.next_debug_image_sample")
def next_debug_image_sample(services: Services, call: Call, ask: wire.NextSample) -> wire.ImageSampleReply:
    """The image before or after."""
    return services.event_pictures.next_debug_image_sample(call, ask)


@handles("events.next_plot_sample")
def next_plot_sample(services: Services, call: Call, ask: wire.NextSample) -> wire.ImageSampleReply:
    """The plot before or after."""
    return services.event_pictures.next_plot_sample(call, ask)
