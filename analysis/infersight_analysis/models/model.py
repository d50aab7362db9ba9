"""A model that is asked: each input becomes an answer or a failure, never an exception."""

import importlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, cast

from infersight_analysis.errors import AnalysisError
from infersight_analysis.models.answers import Answer, AnswerForm
from infersight_analysis.models.endpoint import Endpoint, RefusedError, UnreachableError, new_trace_id
from infersight_analysis.models.kinds import is_array, is_list
from infersight_analysis.models.paths import Steps, found_at
from infersight_analysis.models.worker import Worker

_PATIENCE: Final = 5
"""After so many calls in a row without any answer the model counts as gone."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an input got no answer.

    Attributes:
        status: `HTTP 500`, `timed out`, `unreachable`, `no answer in it`, or the class of an exception.
        message: what was said.
    """

    status: str
    message: str

    def __str__(self) -> str:
        return self.message if self.message.startswith(self.status) else f"{self.status}: {self.message}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of an input: an answer or a failure.

    Attributes:
        trace_id: of the request, where the model is an endpoint.
    """

    answer: Answer | None
    failure: Failure | None = None
    trace_id: str | None = None


class ModelGoneError(Exception):
    """Call after call there is no answer at all."""


class Model:
    """A callable or an endpoint, as something to ask.

    Args:
        target: the callable, or the endpoint. With a batch size it takes and returns several at once.
        name: what to call it.
        form: where the label is in its answers.
        timeout_s: how long one call may take.
        batch_size: how many inputs are given at once; None gives one that is no list.
        answers_at: where the list of answers is, for batches.
    """

    def __init__(
        self,
        target: Callable[[Any], Any] | Endpoint,
        name: str,
        *,
        form: AnswerForm = AnswerForm(),  # noqa: B008 - immutable
        timeout_s: float = 10.0,
        batch_size: int | None = None,
        answers_at: Steps = (),
    ) -> None:
        self.name: Final = name
        self.batch_size: Final = batch_size
        self.calls: int = 0
        self._target: Final = target
        self._form: Final = form
        self._timeout_s: Final = timeout_s
        self._answers_at: Final = answers_at
        self._worker: Final = Worker()
        self._without_answer = 0

    def ask(self, given: object) -> Reply:
        """The reply to one input, alone in its batch where it takes batches.

        Raises:
            ModelGoneError: there were too many calls in a row without an answer.
        """
        return self._alone(given) if self.batch_size is None else self._batch([given])[0]

    def each(self, inputs: Iterable[object]) -> Iterator[Reply]:
        """The replies to inputs, in their order, each as soon as it is there.

        Raises:
            ModelGoneError: there were too many calls in a row without an answer.
        """
        if self.batch_size is None:
            yield from map(self._alone, inputs)
            return
        remaining = iter(inputs)
        while batch := list(islice(remaining, self.batch_size)):
            yield from self._batch(batch)

    def _alone(self, given: object) -> Reply:
        return Reply(*self._called(given, self._form.read))

    def _batch(self, batch: Sequence[object]) -> Sequence[Reply]:
        answers, failure, trace_id = self._called(_stacked(batch), lambda output: self._answers(output, len(batch)))
        if failure is None:
            return [Reply(answer, failed, trace_id) for answer, failed in answers]
        if len(batch) == 1:
            return [Reply(None, failure, trace_id)]
        return [reply for given in batch for reply in self._batch([given])]  # one of them made all of them fail

    def _answers(self, output: Any, count: int) -> list[tuple[Answer | None, Failure | None]]:
        outputs = found_at(output, self._answers_at)
        outputs = outputs.tolist() if hasattr(outputs, "tolist") else outputs
        if not is_list(outputs) or len(outputs) != count:
            raise LookupError(f"{count} inputs did not get a list of {count} answers")
        return [self._read(each) for each in outputs]

    def _read(self, output: Any) -> tuple[Answer | None, Failure | None]:
        try:
            return self._form.read(output), None
        except LookupError as error:
            return None, _failure(error)

    def _called(self, given: object, read: Callable[[Any], Any]) -> tuple[Any, Failure | None, str | None]:
        """One call: what `read` makes of the output, or the failure; and the request's trace."""
        self.calls += 1
        trace_id = new_trace_id() if isinstance(self._target, Endpoint) else None
        try:
            if isinstance(self._target, Endpoint):
                output = self._worker.call(self._target.ask, given, trace_id, timeout_s=self._timeout_s)
            else:
                output = self._worker.call(self._target, given, timeout_s=self._timeout_s)
            answer = read(output)
        except AnalysisError:
            raise
        except Exception as error:  # whatever the model raises
            failure = _failure(error)
            gone = isinstance(error, UnreachableError | TimeoutError)
            self._without_answer = self._without_answer + 1 if gone else 0
            if self._without_answer >= _PATIENCE:
                raise ModelGoneError(f"{_PATIENCE} calls in a row without an answer: {failure}") from error
            return None, failure, trace_id
        self._without_answer = 0
        return answer, None, trace_id


def load(target: str) -> Callable[..., Any]:
    """The callable that `module:name` names; modules of the current directory are found, too.

    Raises:
        AnalysisError: there is none, or it cannot be imported.
    """
    module_name, colon, path = target.partition(":")
    if not colon or not module_name or not path:
        raise AnalysisError(f"{target!r} is neither module:callable nor an address that begins with http")
    if (here := os.getcwd()) not in sys.path:  # noqa: PTH109 - as an entry of sys.path
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
        for name in path.split("."):
            found = getattr(found, name)
    except Exception as error:
        raise AnalysisError(f"cannot load {target}: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise AnalysisError(f"{target} cannot be called: it is {type(found).__name__}")
    return cast("Callable[..., Any]", found)


def _stacked(batch: Sequence[object]) -> object:
    """A batch of arrays of one shape is an array, of anything else a list."""
    if not all(map(is_array, batch)) or len({getattr(each, "shape", None) for each in batch}) > 1:
        return list(batch)
    import numpy as np  # noqa: PLC0415 - there are arrays, so it is loaded

    return np.stack(cast("Sequence[Any]", batch))


def _failure(error: Exception) -> Failure:
    said = " ".join(str(error).split())
    match error:
        case RefusedError():
            return Failure(f"HTTP {error.status}", said)
        case UnreachableError():
            return Failure("unreachable", said)
        case TimeoutError():
            return Failure("timed out", said)
        case LookupError() if type(error) is LookupError:
            return Failure("no answer in it", said)
        case _:
            return Failure(type(error).__name__, said)
