"""The page of an incident's origin: the ranking, and what speaks for each service."""

from infersight_analysis.findings import RootCause
from infersight_analysis.report.html.environment import page
from infersight_analysis.report.rootcause import signals


def rootcause_page(found: RootCause) -> str:
    """One file of HTML that needs nothing else."""
    most = max([suspect.score for suspect in found.services], default=0.0)
    listed = [signals(suspect) for suspect in found.services]
    return page("rootcause", "Where it began", found=found, most=most if most > 0 else 1.0, signals=listed)
