"""The page of errors: each kind with its facts, when it occurred, and what to do."""

from infersight_analysis.findings import ErrorGroup, ErrorGroups
from infersight_analysis.report.errors import facts
from infersight_analysis.report.html import plots
from infersight_analysis.report.html.environment import page, printable
from infersight_analysis.times import parse_time


def errors_page(found: ErrorGroups) -> str:
    """One file of HTML that needs nothing else."""
    length_s = 0.0
    if found.start is not None and found.end is not None:
        length_s = (parse_time(found.end) - parse_time(found.start)) / 1e9
    groups = [
        (
            group,
            facts(group),
            plots.counts(group.trend, length_s, _about(group)) if any(group.trend) and length_s else None,
        )
        for group in found.errors
    ]
    return page("errors", "Errors", found=found, groups=groups)


def _about(group: ErrorGroup) -> str:
    return printable(f"failures of {group.type} over time, {len(group.trend)} parts, at most {max(group.trend):.6g}")
