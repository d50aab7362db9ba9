"""What a model answered: a class or a number, and how sure it was, read from whatever it returned."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from infersight_analysis.errors import AnalysisError
from infersight_analysis.models.kinds import is_list, is_object, is_real
from infersight_analysis.models.paths import Steps, found_at

Label: TypeAlias = str | bool | int | float

_LABELS: Final = ("label", "prediction", "predicted", "class", "output")
_SCORES: Final = ("confidence", "score", "probability")
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        label: the class, or the number that was predicted.
        score: how sure the model was of it, where it says so.
    """

    label: Label
    score: float | None = None

    @property
    def is_number(self) -> bool:
        """Whether it is a quantity, of which another one may lie near."""
        return isinstance(self.label, float)

    def __str__(self) -> str:
        said = f"{self.label:.6g}" if isinstance(self.label, float) else str(self.label)
        return said if self.score is None else f"{said} ({self.score:.3g})"


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """Where label and score lie in what a model returns.

    Attributes:
        label_at: path of the label; None takes the usual names, or the most probable class.
        score_at: path of the score.
    """

    label_at: Steps | None = None
    score_at: Steps | None = None

    def read(self, output: Any) -> Answer:
        """The answer in an output.

        Raises:
            LookupError: there is none.
        """
        output = _plain(output)
        found = _usual(output if self.label_at is None else _plain(found_at(output, self.label_at)))
        if self.score_at is not None:
            score = _plain(found_at(output, self.score_at))
            if not is_real(score):
                raise LookupError(f"the score is {type(score).__name__}")
            found = dataclasses.replace(found, score=float(score))
        return found


def are_same(one: Answer, other: Answer, tolerance: float | None) -> bool:
    """Whether two answers say the same: equal labels, or numbers no further apart than the tolerance.

    Raises:
        AnalysisError: they are numbers and there is no tolerance.
    """
    if one.is_number or other.is_number:
        if tolerance is None:
            raise AnalysisError("the answers are numbers: say with --tolerance how far apart the same ones may be")
        if is_real(one.label) and is_real(other.label):
            near = abs(float(one.label) - float(other.label)) <= tolerance
            return near or (math.isnan(float(one.label)) and math.isnan(float(other.label)))
    return one.label == other.label


def _plain(output: Any) -> Any:
    """An output of arrays, tensors, dataclasses and pydantic models as Python's own values."""
    if hasattr(output, "detach"):  # PyTorch
        output = output.detach().cpu()
    if hasattr(output, "tolist"):
        return output.tolist()
    if hasattr(output, "model_dump"):
        return output.model_dump()
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        return vars(output) if hasattr(output, "__dict__") else dataclasses.asdict(output)
    return output


def _usual(output: Any) -> Answer:
    if isinstance(output, str | bool | int | float):
        return Answer(output)
    if is_object(output):
        return _of_members(output)
    if is_list(output):
        return _of_elements([_plain(each) for each in output])
    raise LookupError(f"{type(output).__name__} is no label, number, list or object")


def _of_members(members: Mapping[str, Any]) -> Answer:
    label = next((members[name] for name in _LABELS if name in members), None)
    if label is not None:
        score: Any = next((_plain(members[name]) for name in _SCORES if name in members), None)
        found = _usual(_plain(label))
        return Answer(found.label, float(score)) if is_real(score) else found
    values = {str(name): _plain(value) for name, value in members.items()}
    if values and all(map(is_real, values.values())):
        best = max(values, key=lambda name: float(values[name]))
        return Answer(best, float(values[best]))
    raise LookupError(f"there is none of {', '.join(_LABELS)} in it")


def _of_elements(elements: list[Any]) -> Answer:
    if len(elements) == 1:
        return _usual(elements[0])
    if len(elements) == _PAIR and isinstance(elements[0], str) and is_real(elements[1]):
        return Answer(elements[0], float(elements[1]))
    if elements and all(map(is_real, elements)):
        best = max(range(len(elements)), key=elements.__getitem__)
        return Answer(best, float(elements[best]))
    raise LookupError("it is a list of something other than the scores of classes")
