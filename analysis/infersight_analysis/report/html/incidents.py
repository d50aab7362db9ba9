"""The page of an incident: where it stands, what was supposed and tested, and everything that was done."""

from infersight_analysis.findings.incidents import IncidentRecord
from infersight_analysis.report.html.environment import page


def incident_page(found: IncidentRecord) -> str:
    """One file of HTML that needs nothing else."""
    return page("incident", f"{found.status.id} {found.status.title}", found=found, status=found.status)
