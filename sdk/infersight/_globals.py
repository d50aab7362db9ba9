"""OpenTelemetry's process-wide providers: which are set, and replacing those that are ours.

The API sets each provider once and for good. That is right for applications, and we never replace a provider that is
not ours; but a process that shuts the SDK down and configures it again, and each test, need a fresh one. The private
names used here are the ones that OpenTelemetry's own test helpers reset.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import opentelemetry._logs
import opentelemetry._logs._internal
import opentelemetry.metrics
import opentelemetry.metrics._internal
import opentelemetry.trace
from opentelemetry._logs import LoggerProvider
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider
from opentelemetry.util._once import Once


class Globals(NamedTuple):
    """The provider that is set for each signal; None where there is none."""

    tracer: TracerProvider | None
    meter: MeterProvider | None
    logger: LoggerProvider | None


def _slots() -> list[tuple[ModuleType, str, Callable[[Any], None]]]:
    """Where each provider is kept, under which name, and the function that sets it, in the order of `Globals`."""
    return [
        (opentelemetry.trace, "_TRACER_PROVIDER", opentelemetry.trace.set_tracer_provider),
        (
            opentelemetry.metrics._internal,  # noqa: SLF001 - see the module
            "_METER_PROVIDER",
            opentelemetry.metrics.set_meter_provider,
        ),
        (
            opentelemetry._logs._internal,  # noqa: SLF001 - see the module
            "_LOGGER_PROVIDER",
            opentelemetry._logs.set_logger_provider,  # noqa: SLF001 - the logs API's package has an underscore
        ),
    ]


def current() -> Globals:
    """The providers as they are set now."""
    return Globals(*(getattr(module, name) for module, name, _ in _slots()))


def put(providers: Globals) -> None:
    """Set these providers; what is set already stays untouched."""
    for (module, name, install), provider in zip(_slots(), providers, strict=True):
        if getattr(module, name) is provider:
            continue
        setattr(module, name, None)
        setattr(module, f"{name}_SET_ONCE", Once())
        if provider is not None:
            install(provider)
