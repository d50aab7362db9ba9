"""The page of a release check: the verdict, the intervals against their limits, and what they were made from."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from infersight_analysis.findings import ReleaseCheck, ReleaseMeasure
from infersight_analysis.releases import wording
from infersight_analysis.report.html import plots
from infersight_analysis.report.html.environment import page
from infersight_analysis.report.releases import about, headline, standing

_MOST_ROUTES = 12
_FAR = 1e9


def releases_page(found: ReleaseCheck) -> str:
    """One file of HTML that needs nothing else."""
    # A label is the sender's text, and a plot has none of that.
    named = [(each.name, each) for each in found.measures if not each.name.startswith("predicts")]
    numbered = [(f"{place}. {each.name}", each) for place, each in enumerate(found.routes[:_MOST_ROUTES], 1)]
    return page(
        "releases",
        "Release check",
        found=found,
        headline=headline(found),
        about=about(found),
        plot=_plot(named, "changes of all routes against their limits"),
        routes_plot=_plot(numbered, "changes of single routes against their limits"),
        tables=[("", _rows(found.measures)), ("By route", _rows(found.routes))],
    )


def _rows(measures: Sequence[ReleaseMeasure]) -> list[dict[str, object]]:
    return [
        {
            "name": each.name,
            "route": each.route,
            "standing": each.standing,
            "facts": (
                f"{wording.figure(each.baseline, each.unit)} ({each.baseline_count:,})",
                f"{wording.figure(each.candidate, each.unit)} ({each.candidate_count:,})",
                wording.change(each.change, is_relative=each.is_relative),
                wording.interval(each) if each.change is not None else "-",
                each.limit_text or "-",
            ),
            "said": standing(each),
        }
        for each in measures
    ]


def _plot(named: Sequence[tuple[str, ReleaseMeasure]], what: str) -> Markup | None:
    rows = [(name, *ends) for name, each in named for ends in _ends(each)]
    return plots.intervals(rows, what) if rows else None


def _ends(measure: ReleaseMeasure) -> Iterator[tuple[float, float, float]]:
    """Change and interval in parts of the limit, to the right where it is worse; an open end lies far out."""
    if not measure.limit or measure.change is None:
        return
    text = measure.limit_text or ""
    ends: tuple[float | None, ...] = (measure.low, measure.change, measure.high)
    if not text.startswith(("+", "-", "±")):  # a limit of the candidate's own figure
        ends = (measure.candidate_low, measure.candidate, measure.candidate_high)
    open_ends = (-_FAR, 0.0, _FAR)
    low, value, high = (
        default if end is None else end / measure.limit for end, default in zip(ends, open_ends, strict=True)
    )
    yield (-high, -value, -low) if text.startswith("-") else (low, value, high)
