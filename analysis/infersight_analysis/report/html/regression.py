"""The page of a regression set: how much of each slice is mended, and what is not."""

from infersight_analysis.findings import Regression
from infersight_analysis.report.html.environment import page
from infersight_analysis.report.regression import left_out, outcome
from infersight_analysis.report.robustness import quoted


def regression_page(found: Regression) -> str:
    """One file of HTML that needs nothing else."""
    title = f"Regressions of {found.model}"
    return page("regression", title, found=found, notes=left_out(found), outcome=outcome, quoted=quoted)
