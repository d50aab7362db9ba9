# pyright: reportUnknownMemberType=false
# (matplotlib's types leave its keyword arguments open)
"""How plots become SVG in a page: drawn by matplotlib, coloured by the page's style."""

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE: Final = 6.4, 2.1
TEXT, SERIES, OTHER, MARK = "#010203", "#010204", "#010205", "#010206"
"""Colours that stand for those of the page, which knows whether it is dark."""

_COLOURS: Final = {TEXT: "currentColor", SERIES: "var(--series)", OTHER: "var(--other)", MARK: "var(--mark)"}
_HEAD: Final = re.compile(r"^.*?(?=<svg )|<metadata>.*?</metadata>", re.DOTALL)
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",  # text stays text
    "font.size": 9,
    "font.family": "sans-serif",
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), TEXT),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.use_mathtext": False,
}


def drawn(draw: Callable[["Axes"], None], about: str, height: float = _SIZE[1]) -> Markup:
    """A plot as SVG for a page.

    Args:
        draw: draws it, in the colours above, without any text of telemetry.
        about: the text alternative.
        height: inches, of the 6.4 that it is wide.
    """
    # Loaded when something is drawn: a verb that names its page must not wait for it.
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context({**_STYLE, "svg.hashsalt": about}):
        figure = Figure(figsize=(_SIZE[0], height), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    svg = _HEAD.sub("", written.getvalue())
    svg = re.sub(r' id="[a-z]+[0-9]*_[0-9_]+"', "", svg)  # the same in every plot, and nothing refers to them
    for placeholder, colour in _COLOURS.items():
        svg = svg.replace(placeholder, colour)
    described = Markup('<svg role="img" aria-label="{}" class="plot" ').format(about)
    return described + Markup(svg.removeprefix("<svg "))  # noqa: S704 - drawn from numbers only


def si_axis(axes: "Axes") -> None:
    """Number the upright axis in thousands and millions, thousandths and millionths."""
    from matplotlib.ticker import EngFormatter  # noqa: PLC0415 - see `drawn`

    axes.yaxis.set_major_formatter(EngFormatter(sep=""))
