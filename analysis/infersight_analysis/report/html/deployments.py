"""The page of deployments: which versions ran when, on a line of time."""

from infersight_analysis.findings import Deployments
from infersight_analysis.report.deployments import version_name
from infersight_analysis.report.html.environment import page
from infersight_analysis.report.html.lanes import Span, lane


def deployments_page(found: Deployments) -> str:
    """One file of HTML that needs nothing else."""
    start = min([version.first_seen for version in found.versions], default="")
    end = max([version.last_seen for version in found.versions], default="")
    whole = Span.of(start, end) if found.versions else Span(0, 0)
    versions = [
        (version, version_name(version), [lane(Span.of(*run), whole) for run in version.runs])
        for version in found.versions
    ]
    return page("deployments", "Deployments", found=found, versions=versions, start=start, end=end)
