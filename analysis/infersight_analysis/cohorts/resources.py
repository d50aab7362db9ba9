"""What is known of the processes that served the requests: their resource attributes, by service."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.attributes import Attribute
from infersight_analysis.cohorts.candidates import Candidates
from infersight_analysis.cohorts.columns import NO_VALUE, Column, Hashes, codes_of
from infersight_analysis.cohorts.places import Places
from infersight_analysis.cohorts.population import Numbers32, Population
from infersight_analysis.cohorts.trees import FIRST_OPERATION, PARENT, REQUEST, Trees
from infersight_analysis.cohorts.values import look_at_values

_RESOURCE: Final = "hash(service_name, service_version, service_instance_id, resource_attributes)"


@dataclass(frozen=True)
class Resources:
    """The resources of the spans, each once, those of a service together.

    Args:
        services: names of the services, by their number.
        service: number of each resource's service.
        texts: the values of each attribute, the first of them none.
        values: index of the value of each resource by attribute.
        code: number of the resource of each span of the population.
    """

    services: list[str | None]
    service: Numbers32
    texts: dict[Attribute, list[Any]]
    values: dict[Attribute, Hashes]
    code: Numbers32


def look_at_resources(
    candidates: Candidates, population: Population, trees: Trees, resources: Resources, first_service: int
) -> None:
    """Test the attributes of the resources: that of the request's span, of its parent, and of each service below.

    A service is looked at as one, not operation by operation: its operations run in the same processes. The process of
    the request itself is not looked at again below it.

    Args:
        candidates: takes note of the tests, and of who calls which services.
        population: both cohorts.
        trees: what each of its spans is to its request.
        resources: of `read_resources`.
        first_service: the first service's number as a subject.
    """
    code = resources.code
    own = code[population.top]
    is_parent = np.flatnonzero(trees.subject == PARENT)
    below = (trees.subject >= FIRST_OPERATION) & (code != own[population.request])
    request, resource = _pairs(population.request[below], code[below])
    service = resources.service[resource]
    for each in np.unique(service).tolist():
        flags = np.zeros(len(population.requests), np.bool_)
        flags[request[service == each]] = True
        candidates.universes[first_service + each] = candidates.universe(flags)
    parts = (
        (np.arange(len(own), dtype=np.int32), np.full(len(own), REQUEST, np.int32), own),
        (population.request[is_parent], np.full(len(is_parent), PARENT, np.int32), code[is_parent]),
        (request, service + np.int32(first_service), resource),
    )
    of_request, subject, of_resource = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    places, _ = Places.of(subject, of_request, candidates.is_target)
    for attribute, values in resources.values.items():
        look_at_values(candidates, attribute, places, Column.of(np.where(values == 0, NO_VALUE, values)[of_resource]))


def read_resources(population: Population, attributes: Sequence[Attribute]) -> Resources:
    """The resources of the spans of a population.

    Args:
        population: both cohorts.
        attributes: of resources, which ones to read.
    """
    code, hashes = codes_of(*population.read(_RESOURCE))
    columns = ", ".join(["any_value(service_name)", *(f"any_value({attribute.sql})" for attribute in attributes)])
    sql = f"select {_RESOURCE}, {columns} from spans where {population.scan.where} group by 1"  # noqa: S608
    rows = sorted(population.scan.connection.execute(sql).fetchall(), key=lambda row: (row[1] or "", row[0]))
    services = list(dict.fromkeys(row[1] for row in rows))
    of_service = np.array([services.index(row[1]) for row in rows], np.int32)
    texts: dict[Attribute, list[Any]] = {}
    values: dict[Attribute, Hashes] = {}
    for column, attribute in enumerate(attributes, start=2):
        distinct: dict[Any, int] = {None: 0}
        values[attribute] = np.array([distinct.setdefault(row[column], len(distinct)) for row in rows], np.uint64)
        texts[attribute] = list(distinct)
    place = {row[0]: number for number, row in enumerate(rows)}
    number = np.array([place.get(each, 0) for each in hashes.tolist()], np.int32)
    return Resources(services, of_service, texts, values, number[code])


def _pairs(request: Numbers32, resource: Numbers32) -> tuple[Numbers32, Numbers32]:
    """The resources of requests, each once, by request."""
    pairs: npt.NDArray[np.int64] = np.sort(request.astype(np.int64) << 32 | resource)
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])] if len(pairs) else pairs
    return (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32)
