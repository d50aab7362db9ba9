"""The values behind the hashes, and the trace ids behind examples: read once, for what was found."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from infersight_analysis.cohorts.attributes import Attribute
from infersight_analysis.cohorts.candidates import Candidate, Candidates
from infersight_analysis.cohorts.columns import Scan, hash_of
from infersight_analysis.cohorts.population import Population, Rows
from infersight_analysis.stored import literals

_EXAMPLES: Final = 5
_OWNERS: Final = 2
"""Requests that are looked at for the value of each trait."""


def examples_of(candidate: Candidate, population: Population) -> Rows:
    """The requests of the target on its side of a candidate that took longest."""
    requests = population.requests
    side = np.unpackbits(candidate.bits, count=len(requests)).astype(np.bool_) & requests.is_target
    found = np.flatnonzero(side)
    return found[np.argsort(-requests.duration_ns[found], kind="stable")[:_EXAMPLES]]


def owners_of(candidate: Candidate, candidates: Candidates) -> Rows:
    """Some requests that have the value of a candidate."""
    universe = candidates.universes.get(candidate.traits[0].subject, candidates.everything)
    bits = candidate.bits if candidate.more else universe.bits & ~candidate.bits
    flags = np.unpackbits(bits, count=len(candidates.is_target)).astype(np.bool_)
    in_target = np.flatnonzero(flags & candidates.is_target)[:_OWNERS]
    return np.concatenate([in_target, np.flatnonzero(flags)[:_OWNERS]])


def trace_ids(population: Population, requests: Iterable[int]) -> dict[int, str]:
    """The trace ids of requests, by their number."""
    wanted = {int(population.requests.trace[request]): request for request in requests}
    hashes = ", ".join(map(str, wanted)) or "null"
    sql = f"select distinct hash(trace_id), trace_id from spans where {population.scan.where} and hash(trace_id) in ({hashes})"  # noqa: E501,S608
    return {wanted[row[0]]: row[1] for row in population.scan.connection.execute(sql).fetchall()}


def values_of(scan: Scan, traces: Iterable[str], attributes: Iterable[Attribute]) -> dict[tuple[Attribute, int], Any]:
    """The values of attributes in some traces, by attribute and hash.

    Args:
        scan: of spans or log records.
        traces: ids of traces.
        attributes: which attributes; those that are numbers are their own values.
    """
    hashed = [attribute for attribute in dict.fromkeys(attributes) if not attribute.is_number]
    if not hashed:
        return {}
    columns = ", ".join(f"{hash_of(attribute.sql)}, {attribute.sql}" for attribute in hashed)
    sql = f"select {columns} from {scan.view} where {scan.where} and trace_id in ({literals(traces)})"  # noqa: S608
    found: dict[tuple[Attribute, int], Any] = {}
    for row in scan.connection.execute(sql).fetchall():
        for place, attribute in enumerate(hashed):
            found[attribute, row[2 * place]] = row[2 * place + 1]
    return found
