"""A model is asked the same again, then the same in other words; what differs is asked once more before it counts."""

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

from infersight_analysis.models.answers import are_same
from infersight_analysis.models.model import Failure, Model, ModelGoneError, Reply
from infersight_analysis.robustness.variations import Variation, kind_of

INTERRUPTED: Final = "interrupted"


@dataclass(frozen=True)
class Difference:
    """Two inputs that mean the same, and their replies, whose answers differ."""

    given: Any
    varied: Any
    reply: Reply
    varied_reply: Reply


@dataclass
class Tally:
    """What became of the inputs under one variation, or when they were asked again.

    Attributes:
        same: inputs that always got the same answer.
        failed: inputs that got none at some time.
        unsure: inputs whose answers differed, but did so by themselves, too.
        times: how often each was asked, where the same was asked again.
        failures: calls without an answer, by status.
        differences: inputs that got another answer.
    """

    same: int = 0
    failed: int = 0
    unsure: int = 0
    times: int = 0
    failures: Counter[str] = field(default_factory=Counter[str])
    differences: list[Difference] = field(default_factory=list[Difference])

    @property
    def inputs(self) -> int:
        """Those with an answer that counts."""
        return self.same + len(self.differences)


@dataclass(frozen=True)
class Measured:
    """All that was measured.

    Attributes:
        repeated: the same inputs, asked again.
        variations: by variation; those that change none of the inputs have an empty tally.
        first_failure: why an input got no answer at all.
        stopped: why it ended early.
    """

    repeated: Tally
    variations: dict[str, tuple[Variation, Tally]]
    first_failure: Failure | None
    stopped: str | None


class Session:
    """One measurement of a model.

    Args:
        model: what is asked.
        inputs: what it is asked.
        times: how often each input is asked at first, twice at least.
        tolerance: how far apart numbers may be that are the same answer.
        seed: of all chance.
        tick: called once a call or more.
    """

    def __init__(
        self,
        model: Model,
        inputs: Sequence[Any],
        *,
        times: int,
        tolerance: float | None,
        seed: int,
        tick: Callable[[], None],
    ) -> None:
        self._model: Final = model
        self._inputs: Final = inputs
        self._times: Final = times
        self._tolerance: Final = tolerance
        self._seed: Final = seed
        self._tick: Final = tick
        self._stable: dict[int, Reply] = {}
        self._first_failure: Failure | None = None

    def measure(self, variations: Sequence[Variation]) -> Measured:
        """Ask everything; an interrupt or a model that is gone ends it, and what was measured stays."""
        repeated = Tally()
        tallies = {variation.name: (variation, Tally()) for variation in variations}
        stopped: str | None = None
        with redirect_stdout(sys.stderr):  # what a model prints is no part of the report
            try:
                self._repeat(repeated)
                for variation, tally in tallies.values():
                    (self._rearrange if variation.arrangement else self._vary)(variation, tally)
            except KeyboardInterrupt:
                stopped = INTERRUPTED
            except ModelGoneError as error:
                stopped = str(error)
        return Measured(repeated, tallies, self._first_failure, stopped)

    def _repeat(self, tally: Tally) -> None:
        """Ask each input again and again; those that always get the same answer are varied later."""
        replies: list[list[Reply]] = [[] for _ in self._inputs]
        try:
            for _ in range(self._times):
                for place, reply in enumerate(self._ticked(self._model.each(self._inputs))):
                    replies[place].append(reply)
        finally:
            asked = {place: of_input for place, of_input in enumerate(replies) if len(of_input) > 1}
            tally.times = min(map(len, asked.values()), default=0)
            for place, of_input in asked.items():
                self._settle(place, of_input, tally)

    def _settle(self, place: int, replies: Sequence[Reply], tally: Tally) -> None:
        """Whether an input is answered, and always the same."""
        first, given = replies[0], self._inputs[place]
        succeeded = [self._succeeded(reply, tally) for reply in replies]
        other = next((reply for reply in replies if not self._agree(first, reply)), None)
        if not all(succeeded):
            tally.failed += 1
        elif other is not None:
            tally.differences.append(Difference(given, given, first, other))
        else:
            tally.same += 1
            self._stable[place] = first

    def _vary(self, variation: Variation, tally: Tally) -> None:
        """Ask the variants of all inputs, which are made as they are needed."""
        waiting: deque[tuple[int, list[Any]]] = deque()

        def variants() -> Iterator[Any]:
            for place in self._stable:
                given = self._inputs[place]
                if kind_of(given) in variation.kinds:
                    varied = list(variation.of(given, f"{self._seed}/{place}"))
                    waiting.extend([(place, varied)] if varied else [])
                    yield from varied

        replies: list[Reply] = []
        for reply in self._ticked(self._model.each(variants())):
            replies.append(reply)
            place, varied = waiting[0]
            if len(replies) == len(varied):
                self._count(place, list(zip(varied, replies, strict=True)), tally, partial(self._comes_again, place))
                waiting.popleft()
                replies = []

    def _rearrange(self, variation: Variation, tally: Tally) -> None:
        """Ask the inputs as they are, in another order or each alone; twice, for that is how an answer is confirmed."""
        places = list(self._stable)
        if variation.arrangement == "shuffled":
            Random(f"{self._seed}/{variation.name}").shuffle(places)  # noqa: S311 - no secret
        first = list(self._ticked(self._arranged(variation, places)))
        for place, reply, again in zip(places, first, self._ticked(self._arranged(variation, places)), strict=True):
            self._count(place, [(self._inputs[place], reply)], tally, partial(self._agrees_with, again))

    def _arranged(self, variation: Variation, places: Sequence[int]) -> Iterator[Reply]:
        inputs = (self._inputs[place] for place in places)
        return self._model.each(inputs) if variation.arrangement == "shuffled" else map(self._model.ask, inputs)

    def _count(
        self, place: int, varied: Sequence[tuple[Any, Reply]], tally: Tally, is_confirmed: Callable[[Any, Reply], bool]
    ) -> None:
        """One input with its variants: another answer, a failure, or the same each time."""
        succeeded = [self._succeeded(reply, tally) for _, reply in varied]
        own = self._stable[place]
        for given, reply in varied:
            if reply.answer is not None and not self._agree(own, reply):
                if is_confirmed(given, reply):
                    tally.differences.append(Difference(self._inputs[place], given, own, reply))
                else:
                    tally.unsure += 1
                return
        if all(succeeded):
            tally.same += 1
        else:
            tally.failed += 1

    def _comes_again(self, place: int, varied: Any, reply: Reply) -> bool:
        """Whether both answers come again, so that it is the variation and no chance of the model's."""
        again, varied_again = self._model.ask(self._inputs[place]), self._model.ask(varied)
        return self._agree(self._stable[place], again) and self._agree(reply, varied_again)

    def _ticked(self, replies: Iterator[Reply]) -> Iterator[Reply]:
        for reply in replies:
            self._tick()
            yield reply

    def _succeeded(self, reply: Reply, tally: Tally) -> bool:
        if reply.failure is not None:
            tally.failures[reply.failure.status] += 1
            self._first_failure = self._first_failure or reply.failure
        return reply.failure is None

    def _agrees_with(self, again: Reply, _given: Any, reply: Reply) -> bool:
        return self._agree(reply, again)

    def _agree(self, one: Reply, other: Reply) -> bool:
        if one.answer is None or other.answer is None:
            return False
        return are_same(one.answer, other.answer, self._tolerance)
