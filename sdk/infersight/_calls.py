"""Functions wrapped so that each call is observed, whatever their kind, and their callers notice nothing.

A generator works step by step, between which its consumer goes on in the same thread or task. So each iteration has a
copy of the context of its own, in which all its steps run, on whichever thread: what is current inside does not leak
to the consumer, and what the generator left current is so again in its next step.
"""

import functools
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextvars import Context, copy_context
from typing import Any, Protocol, TypeAlias

from infersight._configure import state

AnyGenerator: TypeAlias = Generator[Any, Any, Any]
AnyAsyncGenerator: TypeAlias = AsyncGenerator[Any, Any]


class Call(Protocol):
    """One running call; one of the two is called at its end."""

    def returned(self, result: object) -> None:
        """It ended with a result; a generator is exhausted."""
        ...

    def raised(self, error: BaseException) -> None:
        """It ended with an exception; GeneratorExit where a generator was closed before its end."""
        ...


class Observer(Protocol):
    """Observes all calls of one function."""

    def begin(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Call | None:
        """A call begins; None where it is not observed."""
        ...


def wrap_function(function: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    """The function, observed from its call to its end."""

    @functools.wraps(function)
    def observing(*args: Any, **kwargs: Any) -> Any:
        call = observer.begin(args, kwargs)
        if call is None:
            return function(*args, **kwargs)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            call.raised(error)
            raise
        call.returned(result)
        return result

    return observing


def wrap_coroutine_function(function: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    """The coroutine function, observed while it is awaited."""

    @functools.wraps(function)
    async def observing(*args: Any, **kwargs: Any) -> Any:
        call = observer.begin(args, kwargs)
        if call is None:
            return await function(*args, **kwargs)
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            call.raised(error)
            raise
        call.returned(result)
        return result

    return observing


def wrap_generator_function(function: Callable[..., AnyGenerator], observer: Observer) -> Callable[..., AnyGenerator]:
    """The generator function, observed from the first step of an iteration until it is exhausted, closed or failed."""

    def steps(args: tuple[Any, ...], kwargs: dict[str, Any]) -> AnyGenerator:
        call = observer.begin(args, kwargs)
        if call is None:
            return (yield from function(*args, **kwargs))
        try:
            result = yield from function(*args, **kwargs)
        except BaseException as error:
            call.raised(error)
            raise
        call.returned(None)
        return result

    @functools.wraps(function)
    def observing(*args: Any, **kwargs: Any) -> AnyGenerator:
        if state.telemetry is None:
            return (yield from function(*args, **kwargs))
        return (yield from _InContext(steps(args, kwargs), copy_context()))

    return observing


def wrap_async_generator_function(
    function: Callable[..., AnyAsyncGenerator], observer: Observer
) -> Callable[..., AnyAsyncGenerator]:
    """The async generator function, as `wrap_generator_function` does."""

    @functools.wraps(function)
    async def observing(*args: Any, **kwargs: Any) -> AnyAsyncGenerator:
        context = copy_context()
        call = context.run(observer.begin, args, kwargs)
        steps = function(*args, **kwargs)
        step: Awaitable[Any] = steps.asend(None)
        try:
            while True:
                try:
                    item = await _in_context(step, context)
                except StopAsyncIteration:
                    break
                try:
                    sent = yield item
                except GeneratorExit:
                    await _in_context(steps.aclose(), context)
                    raise
                except BaseException as error:  # noqa: BLE001 - the generator's to handle, as in `yield from`
                    step = steps.athrow(error)
                else:
                    step = steps.asend(sent)
        except BaseException as error:
            if call is not None:
                context.run(call.raised, error)
            raise
        if call is not None:
            context.run(call.returned, None)

    return observing


class _InContext(Generator[Any, Any, Any]):
    """A generator, or what awaits step by step, each of its steps run in one context."""

    def __init__(self, steps: AnyGenerator, context: Context) -> None:
        self._steps = steps
        self._context = context

    def send(self, value: Any, /) -> Any:
        return self._context.run(self._steps.send, value)

    def throw(self, kind: Any, value: Any = None, traceback: types.TracebackType | None = None, /) -> Any:  # noqa: ARG002 - the error carries its traceback
        return self._context.run(self._steps.throw, kind if value is None else value)

    def close(self) -> None:
        self._context.run(self._steps.close)


@types.coroutine
def _in_context(awaitable: Awaitable[Any], context: Context) -> AnyGenerator:
    """Await it with all its steps in one context."""
    return (yield from _InContext(awaitable.__await__(), context))
