"""The page of critical paths: a flame graph, and the same as a table."""

from typing import Final

from markupsafe import Markup

from infersight_analysis.findings import CriticalPaths
from infersight_analysis.report.critical_path import shown_paths, what_if_line
from infersight_analysis.report.flame_graph import flame_graph, frames_of
from infersight_analysis.report.html.environment import page

_PATHS: Final = 300


def critical_paths_page(found: CriticalPaths) -> str:
    """One file of HTML that needs nothing else."""
    flames = flame_graph(frames_of(found), "Critical paths of the requests; the table below says the same", alone=False)
    return page(
        "critical_paths",
        "Critical paths",
        found=found,
        flames=Markup(flames),  # noqa: S704 - a template of ours, escaped
        paths=shown_paths(found, _PATHS),
        what_if=[what_if_line(effect) for effect in found.what_if],
    )
