"""Zero code: what `opentelemetry-instrument` and `infersight run` load before the application, by entry points.

The distribution leaves instrumentations out: FastAPI's, which comes with our request middleware; logging's, whose
records would be sent a second time; and those that `configure` switches on itself.
"""

import sys
from typing import Any, Final

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined] # that module is not typed

from infersight._configure import configure
from infersight.integrations import clients
from infersight.integrations.fastapi import instrument_every_fastapi

_REPLACED: Final = clients.NAMES | {"fastapi", "logging"}

_HELPERS: Final = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Python's own processes beside the application's; a child of the fork server is none."""


class Distro(BaseDistro):  # type: ignore[misc] # see the import
    """The entry point `opentelemetry_distro`."""

    def _configure(self, **_kwargs: object) -> None:
        """Nothing: `Configurator` does it."""

    def load_instrumentor(self, entry_point: Any, **kwargs: object) -> None:
        """Begin one instrumentation, unless ours stands for it or it has begun already."""
        if entry_point.name in _REPLACED:
            return
        instrumentor = entry_point.load()()
        if not getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
            instrumentor.instrument(**kwargs)


class Configurator:
    """The entry point `opentelemetry_configurator`: `infersight.configure()`, by the environment."""

    def configure(self, **_kwargs: object) -> None:
        """Start sending, where an application runs in this process."""
        if not any(helper in argument for argument in sys.orig_argv for helper in _HELPERS):
            configure()


class Instrumentor:
    """The entry point `opentelemetry_instrumentor`, which works under another distribution as well."""

    def instrument(self, **_kwargs: object) -> None:
        """Observe every FastAPI application."""
        instrument_every_fastapi()
