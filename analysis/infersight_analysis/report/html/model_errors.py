"""The page of what a model is wrong about."""

from markupsafe import Markup

from infersight_analysis.findings.model_errors import Confusion, ModelErrors, Slices
from infersight_analysis.quality.telling import in_words
from infersight_analysis.report.html.environment import page
from infersight_analysis.report.html.quality_plots import points_more, reliability
from infersight_analysis.report.model_errors import example_line, percent

_SHADE = 0.75
"""How strong the colour of the fullest cell is: its number must stay readable."""


def model_errors_page(found: ModelErrors) -> str:
    """One file of HTML that needs nothing else."""
    return page(
        "model_errors",
        "Model errors",
        found=found,
        slices=[(each, _intervals(each)) for each in found.slices],
        shades=_shades(found.confusion),
        reliability=reliability(found.calibration) if found.calibration is not None else None,
        percentage=percent,
        example_line=example_line,
        in_words=in_words,
    )


def _shades(confusion: Confusion | None) -> list[list[float]]:
    """How strong the colour of each cell is, by its share of its row."""
    if confusion is None:
        return []
    return [[_SHADE * count / max(1, sum(row)) for count in row] for row in confusion.counts]


def _intervals(found: Slices) -> Markup | None:
    """How much more often each slice is bad; slices by their number, because their names are of telemetry."""
    if not found.slices:
        return None
    rows = [(each.difference, *each.difference_interval) for each in found.slices]
    return points_more(
        rows, f"by how many points each slice is more often {found.what} than elsewhere, with 95 % intervals"
    )
