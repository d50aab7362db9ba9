"""The page of fairness: the rates of groups with their intervals, beside the reference."""

from infersight_analysis.fairness.wording import WORDS
from infersight_analysis.findings import Fairness
from infersight_analysis.report.fairness import facts, gap_of, impact, interval, points
from infersight_analysis.report.html.environment import page


def fairness_page(found: Fairness) -> str:
    """One file of HTML that needs nothing else."""
    rates = {
        words: [rate for rate in found.rates if rate.measure == measure and rate.rate is not None]
        for measure, words in WORDS.items()
    }
    return page(
        "fairness",
        f"Fairness by {found.attribute}",
        found=found,
        facts=facts(found),
        rates={words: of_measure for words, of_measure in rates.items() if of_measure},
        impact=[impact(each, found.reference or "") for each in found.impact],
        gaps=[gap_of(gap) for gap in found.gaps],
        interval=interval,
        points=points,
    )
