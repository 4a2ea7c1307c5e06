"""A corpus of figures as programs draw them; each function draws into an empty figure."""

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np

Draw = Callable[[Any], None]
CONVERTED: dict[str, Draw] = {}
PICTURES: dict[str, Draw] = {}


def converted(draw: Draw) -> Draw:
    """One that becomes interactive."""
    CONVERTED[draw.__name__] = draw
    return draw


def picture(draw: Draw) -> Draw:
    """One that has to stay a picture."""
    PICTURES[draw.__name__] = draw
    return draw


@converted
def shared_panels(figure: Any) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    left.plot([0, 1], [1, 2])
    right.plot([0, 1], [30, 40])
    left.set_title("left")
    right.set_title("right")


@converted
def shared_grid(figure: Any) -> None:
    axes = figure.subplots(2, 2, sharex="col", sharey="row")
    for number, one in enumerate(axes.flat):
        one.plot([0, number + 1], [number, 10 * number + 1])


@converted
def panels_of_their_own(figure: Any) -> None:
    first, second = figure.subplots(2, 1)
    first.plot([1, 2], [1, 2])
    second.scatter([1, 5], [100, 200])
    figure.suptitle("both")


@converted
def twin(figure: Any) -> None:
    loss = figure.subplots()
    loss.plot([1, 2, 3], [3, 2, 1], color="tab:red", label="loss")
    loss.set_ylabel("loss", color="tab:red")
    rate = loss.twinx()
    rate.plot([1, 2, 3], [0.1, 0.5, 0.9], color="tab:blue", label="accuracy")
    rate.set_ylabel("accuracy", color="tab:blue")
    loss.legend(loc="upper left")
    rate.legend(loc="upper right")


@converted
def hidden_twin(figure: Any) -> None:
    axes = figure.subplots(2, 2, sharex="col", sharey="row")
    for number in (0, 1):
        axes[number, 1 - number].scatter([1, 2], [3, 4])
        diagonal = axes[number, number].twinx()
        diagonal.set_axis_off()
        diagonal.hist([1, 1, 2, 3], bins=3)


@converted
def empty_panel(figure: Any) -> None:
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [1, 2])
    right.set_title("nothing yet")


@converted
def percent_ticks(figure: Any) -> None:
    from matplotlib.ticker import PercentFormatter

    axes = figure.subplots()
    axes.plot([0, 1, 2], [0.1, 0.5, 0.9])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


@converted
def engineers_ticks(figure: Any) -> None:
    from matplotlib.ticker import EngFormatter

    axes = figure.subplots()
    axes.plot([0, 1e6], [0, 5e-6])
    axes.xaxis.set_major_formatter(EngFormatter(unit="Hz"))
    axes.yaxis.set_major_formatter(EngFormatter(unit="s"))


@converted
def function_ticks(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([0, 4], [0, 1000])
    axes.yaxis.set_major_formatter(lambda value, _: f"<{value:,.0f} €>")
    axes.xaxis.set_major_formatter("day {x:.0f}")


@converted
def ticks_at_places(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([0, 4], [0, 1])
    axes.set_xticks([0, 1.5, 4], labels=["zero", "one & a half", "<four>"])
    axes.set_yticks([0, 0.3, 1])


@converted
def inverted_and_limited(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([0, 4], [0, 1])
    axes.invert_yaxis()
    axes.set_xlim(6, -2)


@converted
def logarithms(figure: Any) -> None:
    axes = figure.subplots()
    axes.loglog([1, 10, 1000], [0.001, 1, 5])
    axes.set_ylim(10, 1e-4)


@converted
def categories(figure: Any) -> None:
    axes = figure.subplots()
    axes.bar(["1", "10", "<pad>"], [3, 1, 2])
    axes.set_xlabel("token")


@converted
def hostile_words(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([1, 2], [1, 2], label="<s>")
    axes.plot([1, 2], [2, 1], label="</s> & <b>bold</b>")
    axes.plot([1, 2], [2, 2], label="5 $ each")
    axes.set_title("a < b\nc > d")
    axes.set_xlabel("<i>")
    axes.text(1.5, 1.5, "<unk> &lt;")
    axes.legend(title="<title>")


@converted
def small_formulas(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([1, 2], [1, 2], label=r"R$^2$")
    axes.set_xlabel(r"$\alpha$ in m$^{2}$")
    axes.set_ylabel(r"$x_1$")
    axes.legend()


@converted
def scattered_shapes(figure: Any) -> None:
    axes = figure.subplots()
    for number, marker in enumerate("osD^v<>*phxX+P."):
        axes.scatter([number, number], [0, 1], marker=marker)


@converted
def colour_and_size_of_points(figure: Any) -> None:
    axes = figure.subplots()
    axes.scatter([1, 2, 3], [3, 1, 2], s=[10, 40, 90], c=["red", "green", "blue"], edgecolors="black")
    axes.scatter([1, 2, 3], [4, 5, 6], facecolors="none", edgecolors="red")


@converted
def mapped_points(figure: Any) -> None:
    axes = figure.subplots()
    found = axes.scatter([1, 2, 3], [3, 1, 2], c=[0.1, 0.5, 0.9], cmap="tab10", vmin=0, vmax=1)
    figure.colorbar(found, label="share <of> it", format="%.2f s")


@converted
def bars_in_groups(figure: Any) -> None:
    axes = figure.subplots()
    axes.bar([0, 1, 2], [1, 2, 3], width=0.3, label="a", color=["red", "green", "blue"])
    axes.bar([0.3, 1.3, 2.3], [3, -2, 1], width=0.3, bottom=0.5, label="b", yerr=[0.1, 0.2, 0.3])
    axes.legend(loc="upper right")


@converted
def lying_bars(figure: Any) -> None:
    figure.subplots().barh(["x", "y"], [1, 2], height=0.5, left=[1, 0])


@converted
def bins_of_many_widths(figure: Any) -> None:
    figure.subplots().hist([1, 2, 2, 3, 8], bins=[0, 1, 3, 10])


@converted
def errors(figure: Any) -> None:
    axes = figure.subplots()
    axes.errorbar(
        [1, 2, 3], [3, 2, 5], yerr=[[0.1, 0.2, 0.3], [1, 2, 3]], xerr=0.2, fmt="o", capsize=3, label="m"
    )
    axes.legend()


@converted
def bands(figure: Any) -> None:
    axes = figure.subplots()
    x = np.arange(5.0)
    axes.plot(x, x, label="mean")
    axes.fill_between(x, x - 1, x + 1, where=x != 2, alpha=0.3, label="spread")
    axes.axhline(2, color="gray", linestyle="--", label="limit")
    axes.axvspan(1, 2, alpha=0.2)
    axes.legend()


@converted
def gaps(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([0, 1, 2, 3], [1, float("nan"), 3, float("inf")])
    axes.plot(np.ma.masked_equal([0, 1, 2, 3], 2), [4, 3, 2, 1])


@converted
def dashes(figure: Any) -> None:
    axes = figure.subplots()
    for number, style in enumerate(["-", "--", ":", "-.", (0, (5, 1)), (0, (1, 4, 8, 4))]):
        axes.plot([0, 1], [number, number], linestyle=style)


@converted
def order_of_a_legend(figure: Any) -> None:
    axes = figure.subplots()
    lines = [axes.plot([0, 1], [0, number], label=f"line {number}")[0] for number in range(3)]
    axes.legend(handles=[lines[2], lines[0]], labels=["last", "first"])


@converted
def samples_of_a_legend(figure: Any) -> None:
    # As seaborn does it.
    axes = figure.subplots()
    for colour, name in (("red", "a"), ("blue", "b")):
        axes.plot([0, 1], [1, len(colour)], color=colour)
        axes.plot([], [], color=colour, label=name)
    axes.plot([], [], color="white", marker="", linestyle="", label="heading")
    axes.plot([], [], color="black", marker="s", label="nothing")
    axes.legend()


@converted
def what_lies_in_front(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], linewidth=20, color="red", zorder=5)
    axes.plot([0, 1], [1, 0], linewidth=20, color="blue", zorder=3)
    axes.fill_between([0, 1], [0, 0], [1, 1], color="green", zorder=4)


@converted
def matrix(figure: Any) -> None:
    axes = figure.subplots()
    axes.imshow([[1, 2, 3], [4, 5, 6]])
    for row in range(2):
        for column in range(3):
            axes.text(column, row, str(3 * row + column + 1), color="white", ha="center", va="center")
    axes.set_xticks(range(3), labels=["<s>", "a", "b"])


@converted
def upright_image(figure: Any) -> None:
    axes = figure.subplots()
    axes.imshow([[1, 2], [3, 4]], origin="lower", extent=(10, 30, -1, 1), aspect="auto")
    axes.plot([10, 30], [-1, 1], color="white")


@converted
def mesh(figure: Any) -> None:
    axes = figure.subplots()
    found = axes.pcolormesh([0, 1, 3], [0, 2, 3], [[1, 2], [3, 4]], cmap="jet")
    figure.colorbar(found, orientation="horizontal")


@converted
def two_colour_bars(figure: Any) -> None:
    for axes in figure.subplots(1, 2):
        found = axes.pcolormesh([0, 1, 3], [0, 2, 3], [[1, 2], [3, 4]])
        figure.colorbar(found)


@converted
def dates(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([datetime.datetime(2024, 5, day) for day in (1, 2, 9)], [1, 2, 3])


@converted
def formatted_dates(figure: Any) -> None:
    from matplotlib.dates import DateFormatter

    axes = figure.subplots()
    axes.plot([datetime.datetime(2024, 5, day) for day in (1, 2, 9)], [1, 2, 3])
    axes.xaxis.set_major_formatter(DateFormatter("week %W"))


@converted
def equal_scales(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([0, 10], [0, 1])
    axes.set_aspect("equal")


@converted
def notes(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([0, 10], [0, 1])
    axes.annotate("", (10, 1), (2, 0.2), arrowprops={"arrowstyle": "<->"})
    axes.annotate("peak", (5, 0.5), xytext=(10, 10), textcoords="offset points")
    axes.text(12, 0.5, "beyond")
    axes.text(0.5, 0.9, "in the axes", transform=axes.transAxes)
    axes.set_title("left", loc="left")
    axes.set_title("right", loc="right")


@converted
def dark(figure: Any) -> None:
    figure.set_facecolor("black")
    axes = figure.subplots()
    axes.set_facecolor("black")
    axes.plot([0, 1], [0, 1], color="white")


@converted
def pie(figure: Any) -> None:
    figure.subplots().pie([1, 2, 3], labels=["a", "b", "<c>"])


@converted
def boxes(figure: Any) -> None:
    figure.subplots().boxplot([[1, 2, 3, 9], [2, 3, 4]])


@converted
def stairs(figure: Any) -> None:
    axes = figure.subplots()
    axes.step([0, 1, 2], [1, 3, 2], where="post")
    axes.hist([1, 2, 2], bins=2, histtype="step")


@converted
def many_kinds(figure: Any) -> None:
    places = figure.subplot_mosaic("ABC;DDE")
    places["A"].stackplot([1, 2, 3], [1, 2, 3], [2, 2, 2], labels=["a", "b"])
    places["A"].legend(loc="upper left")
    places["B"].stem([1, 2, 3], [1, 3, 2], label="stems")
    places["B"].legend(loc="lower right")
    places["C"].violinplot([[1, 2, 3, 9], [2, 3, 4, 4]])
    places["D"].hlines([1, 2], 0, [3, 4], colors=["red", "blue"], linestyles="--")
    places["E"].plot([1, 2, 8], [1, 2, 3])
    places["E"].set_xscale("log", base=2)


@picture
def two_legends_in_one_place(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([1, 2], label="a")
    axes.add_artist(axes.legend(loc="upper left"))
    axes.plot([2, 1], label="b")
    axes.legend(loc="lower left")


@picture
def symmetric_logarithm(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([-10, 10], [-10, 10])
    axes.set_yscale("symlog")


@picture
def zero_on_a_logarithm(figure: Any) -> None:
    axes = figure.subplots()
    axes.semilogy([0, 1, 2], [1, 0, 10])


@picture
def contour(figure: Any) -> None:
    figure.subplots().contour([[1, 2], [3, 4]])


@picture
def arrows(figure: Any) -> None:
    figure.subplots().quiver([0, 1], [0, 1], [1, 1], [1, 0])


@picture
def polar(figure: Any) -> None:
    figure.add_subplot(projection="polar").plot([0, 1], [1, 2])


@picture
def space(figure: Any) -> None:
    figure.add_subplot(projection="3d").plot([0, 1], [1, 2], [1, 2])


@picture
def hatches(figure: Any) -> None:
    figure.subplots().bar([0, 1], [1, 2], hatch="//")


@picture
def half_markers(figure: Any) -> None:
    figure.subplots().plot([0, 1], [1, 2], "o", fillstyle="left")


@picture
def markers_at_some_points(figure: Any) -> None:
    figure.subplots().plot([0, 1, 2], [1, 2, 3], "o-", markevery=2)


@picture
def formula(figure: Any) -> None:
    figure.subplots().set_title(r"$\frac{a}{b}$")


@picture
def words_beside(figure: Any) -> None:
    figure.subplots().plot([0, 1])
    figure.supxlabel("below all")


@picture
def inset(figure: Any) -> None:
    figure.subplots().inset_axes([0.5, 0.5, 0.4, 0.4]).plot([0, 1])


@picture
def axes_over_axes(figure: Any) -> None:
    figure.subplots().plot([0, 1])
    figure.add_axes((0.4, 0.4, 0.3, 0.3)).plot([1, 0])


@picture
def colours_by_powers(figure: Any) -> None:
    from matplotlib.colors import LogNorm

    axes = figure.subplots()
    figure.colorbar(axes.pcolormesh([[1, 10], [100, 1000]], norm=LogNorm()))


@picture
def bars_in_front_of_lines(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([0, 1], [1, 1], zorder=0)
    axes.bar([0, 1], [1, 2])


@picture
def smoothed_image(figure: Any) -> None:
    axes = figure.subplots()
    axes.imshow([[1, 2], [3, 4]], interpolation="bilinear")
    axes.plot([0, 1])


@picture
def cut_by_a_shape(figure: Any) -> None:
    from matplotlib.patches import Circle

    axes = figure.subplots()
    (line,) = axes.plot([0, 1])
    line.set_clip_path(Circle((0.5, 0.5), 0.1, transform=axes.transData))


@picture
def an_artist_of_the_program(figure: Any) -> None:
    from matplotlib.lines import Line2D

    class Thick(Line2D):
        pass

    figure.subplots().add_line(Thick([0, 1], [0, 1]))


@picture
def lines_coloured_by_numbers(figure: Any) -> None:
    from matplotlib.collections import LineCollection

    figure.subplots().add_collection(LineCollection([[(0, 0), (1, 1)], [(1, 0), (0, 1)]], array=[1, 2]))


@picture
def third_scale(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([0, 1])
    axes.twinx().plot([5, 6])
    third = axes.twinx()
    third.spines["right"].set_position(("axes", 1.2))
    third.plot([7, 8])
