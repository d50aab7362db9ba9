"""The possible causes of a slow request, ranked.

Nothing is claimed of a request that is like the others, and what is only a place, not a cause, is called unknown.
"""

from infersight_analysis.findings import Evidence, Hypothesis
from infersight_analysis.investigation.case import Case
from infersight_analysis.investigation.causes import CAUSES
from infersight_analysis.investigation.causes.place import unknown
from infersight_analysis.investigation.causes.release import deployment
from infersight_analysis.times import short_duration


def hypotheses(case: Case) -> list[Hypothesis]:
    """The possible causes, the most likely first; always at least one, be it `unknown`."""
    found = deployment(case)
    place: list[Hypothesis] = []
    if case.outlying > 0:
        found += [hypothesis for cause in CAUSES for hypothesis in cause(case)]
        place = unknown(case) or [_unexplained(case)]
    elif not found:
        return [_ordinary(case)]
    ranked = sorted(found, key=lambda hypothesis: -hypothesis.confidence)
    # A place says nothing besides a cause that explains more of it.
    is_explained = ranked and (not place or ranked[0].confidence > place[0].confidence)
    return ranked if is_explained else [*place, *ranked]


def _ordinary(case: Case) -> Hypothesis:
    statement = f"nothing stands out: the request took as long as others (p{case.comparison.percentile or 0:.0f})"
    return Hypothesis("unknown", 0.0, statement, Evidence([case.trace_id], [case.trace_sql()]))


def _unexplained(case: Case) -> Hypothesis:
    statement = f"no stage and no lag explains the {short_duration(case.excess_ns)} that it took longer"
    return Hypothesis("unknown", 0.0, statement, Evidence([case.trace_id], [case.trace_sql()]))
