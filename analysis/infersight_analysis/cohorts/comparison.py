"""The comparison of two cohorts, from the question to the findings."""

from collections.abc import Sequence
from dataclasses import replace

import duckdb
import numpy as np

from infersight_analysis.cohorts.attributes import OF_RESOURCES, OF_SPANS, attributes_of
from infersight_analysis.cohorts.candidates import LEAST_REQUESTS, Candidates
from infersight_analysis.cohorts.evidence import counting
from infersight_analysis.cohorts.logs import attributes_of_logs, look_at_logs
from infersight_analysis.cohorts.paths import groups_of, path_differences
from infersight_analysis.cohorts.population import Population, Requests, Rows
from infersight_analysis.cohorts.question import Question
from infersight_analysis.cohorts.resources import look_at_resources, read_resources
from infersight_analysis.cohorts.selection import discoveries
from infersight_analysis.cohorts.spans import look_at_spans
from infersight_analysis.cohorts.subjects import Subjects, read_operations
from infersight_analysis.cohorts.telling import Teller
from infersight_analysis.cohorts.trees import Trees
from infersight_analysis.critical_paths.what_if import Change, what_if
from infersight_analysis.findings import Cohort, Comparison, Evidence
from infersight_analysis.times import short_duration


def compare(
    connection: duckdb.DuckDBPyConnection, question: Question, *, limit: int = 20, changes: Sequence[Change] = ()
) -> Comparison:
    """Find what distinguishes two cohorts of requests.

    Args:
        connection: from `connect`.
        question: which cohorts.
        limit: most findings to list.
        changes: what would be otherwise, see `profile.what_if`.

    Returns:
        the comparison; without findings, and with a note, where a cohort has fewer than 5 requests.

    Raises:
        AnalysisError: a condition is none, or a change names no operation.
        duckdb.Error: a condition cannot be evaluated.
    """
    question = question.checked(connection)
    population = Population.of(connection, question)
    requests = population.requests
    if min(requests.counts) < LEAST_REQUESTS:
        return _without_findings(question, requests)
    trees = Trees.of(population, groups_of(requests))
    resources = read_resources(
        population, attributes_of(connection, "resource_attributes", OF_RESOURCES, question.restated)
    )
    operations = read_operations(population.scan, trees.operations)
    subjects = Subjects(operations, resources.services, population.scan.where)
    candidates = Candidates(requests.is_target)
    look_at_spans(candidates, population, trees, attributes_of(connection, "attributes", OF_SPANS, question.restated))
    look_at_resources(candidates, population, trees, resources, subjects.first_service)
    look_at_logs(candidates, population, attributes_of_logs(connection), subjects.of_log, subjects.of_prediction)
    found = discoveries(candidates)
    difference_ns, tail_difference_ns = _differences(requests)
    return replace(
        _without_findings(question, requests),
        summary=_summary(question, requests, len(found)),
        tests=candidates.tests,
        found=len(found),
        findings=Teller(question, population, candidates, resources, subjects).findings(found[:limit]),
        difference_ns=difference_ns,
        tail_difference_ns=tail_difference_ns,
        critical_path_difference=path_differences(
            trees.paths,
            requests,
            {number: (service, name or "") for number, (service, name, _) in enumerate(operations)},
        ),
        what_if=what_if(population, operations, changes),
    )


def _without_findings(question: Question, requests: Requests) -> Comparison:
    target, baseline = requests.counts
    least = f"need more data: at least {LEAST_REQUESTS} requests in each cohort are a comparison"
    notes = [
        f"{about} has only {count} requests: {least}" if count else f"no request is in {about}: {least}"
        for about, count in zip(question.about, (target, baseline), strict=True)
        if count < LEAST_REQUESTS
    ]
    if requests.both:
        notes.append(f"{requests.both} requests meet both conditions and count as {question.about[0]}")
    cohorts = (requests.is_target, ~requests.is_target)
    return Comparison(
        target=_cohort(question.about[0], requests.duration_ns[cohorts[0]]),
        baseline=_cohort(question.about[1], requests.duration_ns[cohorts[1]]),
        considered=requests.considered,
        summary=f"{target} requests against {baseline}",
        threshold_ns=requests.threshold_ns,
        tests=0,
        found=0,
        findings=[],
        difference_ns=None,
        tail_difference_ns=None,
        critical_path_difference=[],
        notes=notes,
        evidence=Evidence([], [counting(question, requests.threshold_ns, "true")]),
    )


def _cohort(about: str, duration_ns: Rows) -> Cohort:
    if not len(duration_ns):
        return Cohort(0, about, None, None, None)
    median, p99 = np.quantile(duration_ns, [0.5, 0.99]).tolist()
    return Cohort(len(duration_ns), about, float(duration_ns.mean()), median, p99)


def _differences(requests: Requests) -> tuple[float, float]:
    """By how much the mean duration of the target is longer, and that of its tail."""
    target, baseline, target_tail, baseline_tail = (
        float(requests.duration_ns[group].mean()) for group in groups_of(requests)
    )
    return target - baseline, target_tail - baseline_tail


def _summary(question: Question, requests: Requests, found: int) -> str:
    target, baseline = requests.counts
    said = "nothing distinguishes them" if not found else "1 finding" if found == 1 else f"{found} findings"
    slow = "" if requests.threshold_ns is None else f" of at least {short_duration(requests.threshold_ns)}"
    return f"{question.about[0]}{slow} ({target:,}) against {question.about[1]} ({baseline:,}): {said}"
