"""Whose attributes are compared: what a subject is called, and the SQL that finds the requests that have something."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from infersight_analysis.cohorts.columns import Hashes, Scan
from infersight_analysis.cohorts.trees import FIRST_OPERATION, PARENT, REQUEST
from infersight_analysis.stored import literal

Operation = tuple[str | None, str | None, str | None]
"""Service, name and kind."""

_IS_PREDICTION: Final = "event_name = 'infersight.prediction'"


@dataclass(frozen=True)
class Subjects:
    """The subjects of one population: the request's span, its parent, operations, log records, predictions, services.

    Args:
        operations: by their number.
        services: by their number.
        between: condition on the time of spans, so that SQL reads no more than it has to.
    """

    operations: list[Operation]
    services: list[str | None]
    between: str

    @property
    def of_log(self) -> int:
        """The subject of log records."""
        return FIRST_OPERATION + len(self.operations)

    @property
    def of_prediction(self) -> int:
        """The subject of predictions."""
        return self.of_log + 1

    @property
    def first_service(self) -> int:
        """The subject of the first service."""
        return self.of_log + 2

    def name(self, subject: int) -> str:
        """What a subject is called."""
        fixed = {REQUEST: "request", PARENT: "parent", self.of_log: "log", self.of_prediction: "prediction"}
        if subject in fixed:
            return fixed[subject]
        if subject >= self.first_service:
            return f"service {self.services[subject - self.first_service]}"
        service, name, kind = self.operations[subject - FIRST_OPERATION]
        same = Counter(operation[:2] for operation in self.operations)[service, name]
        return f"{name} of {service}" if same == 1 else f"{name} of {service} ({kind})"

    def spans(self, subject: int) -> str:
        """The condition in SQL on spans, or log records, of a subject that is below the request."""
        if subject == self.of_log:
            return "true"
        if subject == self.of_prediction:
            return _IS_PREDICTION
        if subject >= self.first_service:
            return _equals("service_name", self.services[subject - self.first_service])
        columns = zip(("service_name", "name", "kind"), self.operations[subject - FIRST_OPERATION], strict=True)
        return " and ".join(_equals(column, value) for column, value in columns)

    def rows(self, subject: int) -> str:
        """`FROM` and `WHERE` of the spans, or log records, of a subject that is below the request."""
        table = "logs" if subject in {self.of_log, self.of_prediction} else "spans"
        between = f" and {self.between}" if table == "spans" else ""
        return f"from {table} where {self.spans(subject)}{between}"


def read_operations(scan: Scan, hashes: Hashes) -> list[Operation]:
    """Service, name and kind of operations.

    Args:
        scan: the spans.
        hashes: of the operations.
    """
    sql = f"select distinct hash(service_name, name, kind), service_name, name, kind from spans where {scan.where}"  # noqa: S608
    known = {row[0]: row[1:] for row in scan.connection.execute(sql).fetchall()}
    return [known[each] for each in hashes.tolist()]


def _equals(column: str, value: str | None) -> str:
    return f"{column} is null" if value is None else f"{column} = {literal(value)}"
