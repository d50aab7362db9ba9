"""SQL that shows a discovery: how many requests of each cohort it is about."""

from typing import Any

from infersight_analysis.cohorts.attributes import CALLED, CALLS, Attribute
from infersight_analysis.cohorts.candidates import Candidate
from infersight_analysis.cohorts.question import Question
from infersight_analysis.cohorts.subjects import Subjects
from infersight_analysis.cohorts.trees import PARENT, REQUEST


def counting(question: Question, threshold_ns: int | None, condition: str) -> str:
    """The query that counts the requests of each cohort that meet a condition.

    Args:
        question: which requests are compared.
        threshold_ns: what counts as slow, where that makes the cohorts.
        condition: on the span of a request.
    """
    target = question.is_target(threshold_ns)
    of_baseline = f" where ({target}) or ({question.baseline})" if question.baseline else ""
    return (
        f"with requests as ({_requests(question)}) "  # noqa: S608
        f"select coalesce(({target}), false) as is_target, count(*) filter ({condition}) as having, "
        f"count(*) as requests from requests{of_baseline} group by 1 order by 1 desc"
    )


def requests_sql(question: Question) -> str:
    """The query for the requests that the filters leave, slowest first."""
    columns = "trace_id, service_name, name, start_time, duration_ns"
    return f"with requests as ({_requests(question)}) select {columns} from requests order by duration_ns desc limit 20"  # noqa: S608


def durations_of_cohorts(question: Question, threshold_ns: int | None) -> str:
    """The query for the durations of both cohorts: whether a request is of the target, and nanoseconds."""
    target = question.is_target(threshold_ns)
    chosen = f"({target}) or ({question.baseline})" if question.baseline else "true"
    return (
        f"with requests as ({_requests(question)}) select coalesce(({target}), false), duration_ns "  # noqa: S608
        f"from requests where {chosen} order by hash(trace_id)"
    )


def _requests(question: Question) -> str:
    order = "start_time_ns, duration_ns desc, parent_span_id is not null, span_id"
    rank = f"row_number() over (partition by trace_id order by {order})"
    return f"select * from spans where {question.is_request} qualify {rank} = 1"  # noqa: S608 - quoted


def condition_of(subjects: Subjects, candidate: Candidate, values: list[Any]) -> str:
    """The condition on the span of a request that it has what a candidate is about.

    Args:
        subjects: what the subjects are.
        candidate: the candidate.
        values: the value of each trait, or the cut.
    """
    conditions = [
        _of_number(subjects, trait.subject, trait.attribute, value, candidate.more)
        if candidate.kind in {"number", "shape"}
        else _of_value(subjects, trait.subject, trait.attribute, value)
        for trait, value in zip(candidate.traits, values, strict=True)
    ]
    return " and ".join(conditions)


def _of_value(subjects: Subjects, subject: int, attribute: Attribute, value: Any) -> str:
    if subject == REQUEST:
        return attribute.equals(value)
    if subject == PARENT:
        if attribute == CALLED:
            return "parent_span_id is not null"
        parents = f"select trace_id, span_id from spans where {subjects.between} and {attribute.equals(value)}"  # noqa: S608
        return f"(trace_id, parent_span_id) in ({parents})"
    rows = f"select trace_id {subjects.rows(subject)}"
    return f"trace_id in ({rows})" if attribute == CALLED else f"trace_id in ({rows} and {attribute.equals(value)})"


def _of_number(subjects: Subjects, subject: int, attribute: Attribute, cut: Any, above: bool) -> str:
    side = f"{'>=' if above else '<='} {cut}"
    if subject == REQUEST:
        return f"{attribute.sql} {side}"
    if subject == PARENT:
        parents = f"select trace_id, span_id from spans where {subjects.between} and {attribute.sql} {side}"  # noqa: S608
        return f"(trace_id, parent_span_id) in ({parents})"
    rows = f"select trace_id {subjects.rows(subject)} group by trace_id"
    if attribute == CALLS:
        return (
            f"trace_id in ({rows} having count(*) >= {cut})"
            if above
            else f"trace_id not in ({rows} having count(*) > {cut})"
        )
    return f"trace_id in ({rows} having max({attribute.sql}) {side})"
