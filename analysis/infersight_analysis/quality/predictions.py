"""Predictions as columns, wherever they were kept: what was said, what was right, and what is known of the inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.columns import Column
from infersight_analysis.errors import AnalysisError

Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

INPUT: Final = "infersight.input."
"""What the keys of an input's characteristics begin with."""

SERVICE_VERSION, MODEL_VERSION = "service_version", "infersight.model.version"


@dataclass(frozen=True)
class Feature:
    """Something that is known of predictions before the model answers.

    Args:
        name: of the column, or the attribute's key.
        column: of the predictions that have any: a number, or the index of a text; a prediction with a list of texts
            has a row for each.
        texts: the texts, None where it is a number.
        sql: a condition on the origin whose last `{}` stands for the comparison; None where no SQL reaches it.
        many: whether a prediction may have several.
    """

    name: str
    column: Column
    texts: list[str] | None = None
    sql: str | None = None
    many: bool = False

    @property
    def is_number(self) -> bool:
        """Whether more and less of it mean something."""
        return self.texts is None

    def values(self, count: int) -> npt.NDArray[Any]:
        """One value for each of `count` predictions: a number or NaN, the index of a text or -1; of many any one."""
        found: npt.NDArray[Any] = np.full(count, np.nan if self.is_number else -1, np.float64)
        found[self.column.rows] = self.column.values
        return found if self.is_number else found.astype(np.int32)


@dataclass(frozen=True)
class Origin:
    """Where predictions come from, so that evidence can name them in SQL.

    Args:
        about: in words.
        relation: what stands behind FROM; None where no SQL reaches them.
        where: conditions on it.
    """

    about: str
    relation: str | None = None
    where: tuple[str, ...] = ()


@dataclass(frozen=True)
class Predictions:
    """Predictions; one element each of every array.

    Args:
        classes: the labels that were predicted or right.
        label: index of what was predicted, -1 where nothing was.
        label_true: index of what was right, -1 where nobody has said.
        confidence: how sure the model was, 0 to 1; NaN where it did not say.
        error_type: why there is no prediction; None where there is one.
        time_ns: when, nanoseconds since the epoch; None where the origin has no times.
        ids: `prediction_id`, `trace_id` and `input`, as Arrow's columns of text, where there are such.
        features: what else is known.
        origin: where they come from.
        notes: what was left out of them.
    """

    classes: list[str]
    label: Codes
    label_true: Codes
    confidence: Numbers
    error_type: Feature | None
    time_ns: Times | None
    ids: Mapping[str, Any]
    features: list[Feature] = field(default_factory=list[Feature])
    origin: Origin = Origin("the predictions")
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.label)

    @property
    def is_judged(self) -> Flags:
        """Whether there is a prediction, and somebody has said what was right."""
        both: Flags = (self.label >= 0) & (self.label_true >= 0)
        return both

    @property
    def is_wrong(self) -> Flags:
        """Whether it is judged, and another label was right."""
        wrong: Flags = self.is_judged & (self.label != self.label_true)
        return wrong

    @property
    def is_failed(self) -> Flags:
        """Whether it ended with an error."""
        found = np.zeros(len(self), np.bool_)
        if self.error_type is not None:
            found[self.error_type.column.rows] = True
        return found

    def feature(self, name: str) -> Feature:
        """The feature of a name.

        Raises:
            AnalysisError: there is none.
        """
        for each in self.features:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.features) or "nothing"
        raise AnalysisError(f"{self.origin.about} have no {name!r}; known is {known}")

    def identity(self, at: int, what: str) -> str | None:
        """The `prediction_id`, `trace_id` or `input` of one of them."""
        column = self.ids.get(what)
        return None if column is None else column[int(at)].as_py()

    def only(self, chosen: Flags) -> "Predictions":
        """Some of them."""
        rows = np.flatnonzero(chosen)
        place = np.full(len(self), -1, np.int32)
        place[rows] = np.arange(len(rows))

        def of(feature: Feature) -> Feature:
            return replace(feature, column=feature.column.at(place))

        return replace(
            self,
            label=self.label[rows],
            label_true=self.label_true[rows],
            confidence=self.confidence[rows],
            error_type=None if self.error_type is None else of(self.error_type),
            time_ns=None if self.time_ns is None else self.time_ns[rows],
            ids={name: column.take(rows) for name, column in self.ids.items()},
            features=[of(each) for each in self.features],
        )


def condition(feature: Feature, *comparisons: str) -> str | None:
    """The condition in SQL on the origin that a feature meets comparisons such as `= 'upper'`; None without SQL."""
    if feature.sql is None:
        return None
    before, _, after = feature.sql.rpartition("{}")
    return " and ".join(f"{before} {comparison}{after}" for comparison in comparisons)


def counting(origin: Origin, outcome: str, conditions: Sequence[str | None]) -> list[str]:
    """The query that counts predictions by an outcome, those that meet all conditions apart; none where no SQL can.

    Args:
        origin: of the predictions.
        outcome: an expression in SQL.
        conditions: what makes a slice; None where no SQL reaches it.
    """
    known = [each for each in conditions if each is not None]
    if origin.relation is None or len(known) < len(conditions):
        return []
    where = f" where {' and '.join(origin.where)}" if origin.where else ""
    counts = f"count(*) filter ({' and '.join(known) or 'true'}) as having, count(*) as predictions"
    return [f"select {outcome} as outcome, {counts} from {origin.relation}{where} group by 1 order by 1"]  # noqa: S608
