"""The page of a triage."""

from infersight_analysis.findings.triage import Triage
from infersight_analysis.report.html.environment import page


def triage_page(found: Triage) -> str:
    """One file of HTML that needs nothing else."""
    return page("triage", f"{found.id} {found.title}", found=found)
