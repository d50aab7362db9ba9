"""`generation`: a stream of tokens, with the span attributes and metrics of the `gen_ai.*` conventions."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable
from types import TracebackType
from typing import Any, Final, Self, TypeVar, overload

from infersight import _attributes as names
from infersight._calls import wrap_async_generator_function, wrap_generator_function
from infersight._configure import state
from infersight._faults import report
from infersight._spans import Block
from infersight._telemetry import Telemetry, model_attributes
from infersight._values import AttributeValue, qualified_name

T = TypeVar("T")

_NANOSECOND: Final = 1e-9


def generation(
    *, model: str, version: str | None = None, input_tokens: int | None = None, operation: str = "text_completion"
) -> "Generation":
    """Observe one generation: time to the first token, time per token after it, and token counts.

    Either around code that calls `token()` for each token, or around the iterable that yields them, with `stream()`.
    In a generator function of yours use `stream()`: a `with` block around a `yield` would be current for the consumer.

    The span is named "OPERATION MODEL" and has `gen_ai.operation.name`, `gen_ai.request.model`,
    `gen_ai.usage.input_tokens` and `.output_tokens`, `gen_ai.response.time_to_first_chunk` (s) and, ours,
    `infersight.generation.token.duration` (s, mean). The metrics are `gen_ai.server.request.duration`,
    `.time_to_first_token`, `.time_per_output_token` (s; the last two of successes only, as the conventions say) and
    `gen_ai.client.token.usage`.

    Args:
        model: name of the model, `gen_ai.request.model` and `infersight.model.name`.
        version: its version, `infersight.model.version`.
        input_tokens: tokens of the prompt, where they are known.
        operation: `gen_ai.operation.name`: `text_completion`, `chat`, or `generate_content` for several media.

    Returns:
        The generation, usable once.
    """
    return Generation(model, version, input_tokens, operation)


class Generation(Block):
    """One stream of tokens; made by `generation`."""

    __slots__ = ("_first_ns", "_input_tokens", "_last_ns", "_output_tokens", "_series")

    def __init__(self, model: str, version: str | None, input_tokens: int | None, operation: str) -> None:
        self._series: dict[str, str] = {names.GEN_AI_OPERATION_NAME: operation, names.GEN_AI_REQUEST_MODEL: model}
        attributes: dict[str, AttributeValue] = {
            names.OPERATION: names.OPERATION_GENERATION,
            **model_attributes((model, version)),
            **self._series,
        }
        if input_tokens is not None:
            attributes[names.GEN_AI_INPUT_TOKENS] = input_tokens
        super().__init__(f"{operation} {model}", attributes)
        self._input_tokens = input_tokens
        self._output_tokens = 0
        self._first_ns: int | None = None
        self._last_ns = 0

    def token(self, count: int = 1) -> None:
        """So many tokens were generated since the last call, or since the beginning."""
        opened = self._open
        if opened is not None and count > 0:
            try:
                self._last_ns = opened.elapsed_ns()
                if self._first_ns is None:
                    self._first_ns = self._last_ns
                self._output_tokens += count
            except Exception:  # noqa: BLE001 - the token is delivered in any case
                report("count a token")

    @overload
    def stream(self, items: AsyncIterable[T], tokens_in: Callable[[T], int] | None = None) -> AsyncGenerator[T]: ...
    @overload
    def stream(self, items: Iterable[T], tokens_in: Callable[[T], int] | None = None) -> Generator[T]: ...
    def stream(
        self, items: AsyncIterable[T] | Iterable[T], tokens_in: Callable[[T], int] | None = None
    ) -> AsyncGenerator[T] | Generator[T]:
        """The same items, observed from the first request for one until they are exhausted, closed or failed.

        Closing the result closes `items`, so that a client that goes away stops the model.

        Args:
            items: what the model yields, an async iterable or an iterable; use it nowhere else.
            tokens_in: how many tokens an item has; one by default.

        Returns:
            An async generator or a generator.
        """

        def saw(item: T) -> None:
            try:
                count = 1 if tokens_in is None else tokens_in(item)
            except Exception:  # noqa: BLE001 - the item is delivered in any case
                report("count the tokens of an item")
            else:
                self.token(count)

        if isinstance(items, AsyncIterable):
            return wrap_async_generator_function(_relay_async, _Iteration(self))(saw, items)
        return wrap_generator_function(_relay, _Iteration(self))(saw, items)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        telemetry = state.telemetry
        if self._open is not None and telemetry is not None:
            try:
                self._summarise(telemetry, error)
            except Exception:  # noqa: BLE001 - the block's outcome is not ours to change
                report("summarise a generation")
        super().__exit__(kind, error, traceback)

    def _summarise(self, telemetry: Telemetry, error: BaseException | None) -> None:
        opened = self._open
        if opened is None:
            return
        metrics, series = telemetry.generation, self._series
        opened.span.set_attribute(names.GEN_AI_OUTPUT_TOKENS, self._output_tokens)
        if self._first_ns is not None:
            first = self._first_ns * _NANOSECOND
            opened.span.set_attribute(names.GEN_AI_TIME_TO_FIRST_CHUNK, first)
            if error is None:
                metrics.time_to_first_token.record(first, series)
            if self._output_tokens > 1:
                per_token = (self._last_ns - self._first_ns) * _NANOSECOND / (self._output_tokens - 1)
                opened.span.set_attribute(names.TOKEN_DURATION, per_token)
                if error is None:
                    metrics.time_per_output_token.record(per_token, series)
        if self._input_tokens is not None:
            metrics.tokens.record(self._input_tokens, {**series, names.GEN_AI_TOKEN_TYPE: "input"})
        metrics.tokens.record(self._output_tokens, {**series, names.GEN_AI_TOKEN_TYPE: "output"})
        outcome = {} if error is None else {names.ERROR_TYPE: qualified_name(type(error))}
        metrics.duration.record(opened.elapsed_ns() * _NANOSECOND, {**series, **outcome})


class _Iteration:
    """Observes an iteration of `stream` as a call is observed, with the generation's own block."""

    def __init__(self, observed: Generation) -> None:
        self._generation = observed

    def begin(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Self:  # noqa: ARG002 - as an observer has it
        self._generation.__enter__()
        return self

    def returned(self, result: object) -> None:  # noqa: ARG002 - as a call has it
        self._generation.__exit__(None, None, None)

    def raised(self, error: BaseException) -> None:
        self._generation.__exit__(type(error), error, error.__traceback__)


def _relay(saw: Callable[[T], None], items: Iterable[T]) -> Generator[T]:
    iterator = iter(items)
    try:
        for item in iterator:
            saw(item)
            yield item
    finally:
        close = getattr(iterator, "close", None)
        if callable(close):
            close()


async def _relay_async(saw: Callable[[T], None], items: AsyncIterable[T]) -> AsyncGenerator[T]:
    iterator = aiter(items)
    try:
        async for item in iterator:
            saw(item)
            yield item
    finally:
        close: Callable[[], Awaitable[None]] | None = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
