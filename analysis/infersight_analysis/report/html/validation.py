"""The page of inputs that break rules."""

from infersight_analysis.findings import Validation
from infersight_analysis.report.html.environment import page
from infersight_analysis.report.validation import example_of, facts, judged_of, reported_of


def validation_page(found: Validation) -> str:
    """One file of HTML that needs nothing else."""
    words = {"example_of": example_of, "judged_of": judged_of, "reported_of": reported_of}
    return page("validation", f"Inputs of {found.source}", found=found, facts=facts(found), **words)
