"""The page of what has drifted."""

from markupsafe import Markup

from infersight_analysis.findings.model_drift import FeatureDrift, ModelDrift
from infersight_analysis.report.html.environment import page
from infersight_analysis.report.html.quality_plots import score_over_time
from infersight_analysis.report.model_drift import when
from infersight_analysis.times import SECOND_NS, parse_time

_PLOTS = 8


def model_drift_page(found: ModelDrift) -> str:
    """One file of HTML that needs nothing else."""
    drifted = [each for group in found.groups for each in group.features if each.scores][:_PLOTS]
    return page(
        "model_drift",
        "Model drift",
        found=found,
        plots={id(each): _plot(each) for each in drifted},
        identity=id,
        when=when,
    )


def _plot(found: FeatureDrift) -> Markup:
    began_s = None
    if found.began is not None and found.first_time is not None:
        first = parse_time(found.first_time)
        earliest, latest = (parse_time(time) - first for time in (found.began.earliest, found.began.latest))
        began_s = earliest / SECOND_NS, latest / SECOND_NS
    about = "how much the predictions of each part of the time speak for the new distribution, rather than the old one"
    return score_over_time(found.scores, began_s, about)
