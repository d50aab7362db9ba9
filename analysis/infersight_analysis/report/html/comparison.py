"""The page of a comparison: what distinguishes two cohorts, and where the difference in time is."""

from typing import Final

from markupsafe import Markup

from infersight_analysis.findings import CohortPath, Comparison
from infersight_analysis.report.critical_path import what_if_line
from infersight_analysis.report.flame_graph import Frame, flame_graph, stacked
from infersight_analysis.report.html import plots
from infersight_analysis.report.html.environment import page, printable, signed
from infersight_analysis.times import short_duration

_PATHS: Final = 60
_STEPS: Final = 0.5, 0.1, 0.01
"""From these parts of the largest difference on a frame has the first, second and third colour."""


def comparison_page(found: Comparison, durations_ns: tuple[list[int], list[int]]) -> str:
    """One file of HTML that needs nothing else.

    Args:
        found: the comparison.
        durations_ns: of requests of target and baseline, see `illustrations.durations_of`.
    """
    paths = [path for path in found.critical_path_difference if path.path]
    return page(
        "comparison",
        f"{found.target.about} against {found.baseline.about}",
        found=found,
        distribution=_distribution(found, durations_ns),
        flames=_flames(found, paths) if paths else None,
        paths=paths[:_PATHS],
        largest=max((abs(path.difference_ns) for path in paths), default=1.0) or 1.0,
        what_if=[f"{effect.cohort} {what_if_line(effect)}" for effect in found.what_if],
    )


def _distribution(found: Comparison, durations_ns: tuple[list[int], list[int]]) -> Markup | None:
    target, baseline = durations_ns
    if not target or not baseline:
        return None
    about = "How long the requests of both took; " + "; ".join(
        f"{cohort.about}: median {short_duration(cohort.median_ns)}, p99 {short_duration(cohort.p99_ns)}"
        for cohort in (found.target, found.baseline)
        if cohort.median_ns is not None and cohort.p99_ns is not None
    )
    return plots.two_distributions(target, baseline, printable(about))


def _flames(found: Comparison, paths: list[CohortPath]) -> Markup:
    """The target's time, coloured by how much more, or less, it is than the baseline's (a differential flame graph)."""
    known = {tuple(path.path): path for path in paths}
    largest = max(abs(path.difference_ns) for path in paths) or 1.0
    mean_ns = found.target.mean_ns or 0.0
    frames = [Frame(0, found.target.about, f"{short_duration(mean_ns)} on average", mean_ns, "all")]
    for stack, time_ns in stacked({stack: path.target_ns for stack, path in known.items()}):
        path = known.get(stack)
        difference = path.difference_ns if path else 0.0
        detail = f"{stack[-1]}: {short_duration(time_ns)} of a request, itself {signed(difference)}"
        colour = _colour(difference / largest)
        frames.append(Frame(len(stack), printable(stack[-1]), printable(detail), time_ns, colour))
    title = "Critical path of the target, coloured by the difference; the table below says the same"
    return Markup(flame_graph(frames, title, alone=False))  # noqa: S704 - a template of ours, escaped


def _colour(part: float) -> str:
    for step, least in zip((3, 2, 1), _STEPS, strict=True):
        if abs(part) >= least:
            return f"{'more' if part > 0 else 'less'}{step}"
    return "all"
