"""The page of a model's robustness: each variation's consistency with its interval, and what was answered otherwise."""

from infersight_analysis.findings import Robustness
from infersight_analysis.report.html.environment import page
from infersight_analysis.report.robustness import answers, asked_again, failures, interval, quoted


def robustness_page(found: Robustness) -> str:
    """One file of HTML that needs nothing else."""
    words = {"answers": answers, "failures": failures, "interval": interval, "quoted": quoted}
    return page("robustness", f"Robustness of {found.model}", found=found, again=asked_again(found.repeated), **words)
