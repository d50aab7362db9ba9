"""Databases, caches, HTTP clients and threads: OpenTelemetry's instrumentations, on when their library is used.

A library's instrumentation begins when the library is imported, so that `configure` imports none of them.
"""

import logging
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from infersight._faults import report
from infersight.integrations import use_stable_conventions

_LOG: Final = logging.getLogger("infersight")

_INSTRUMENTORS: Final = {
    "threading": ("threading", "opentelemetry.instrumentation.threading", "ThreadingInstrumentor"),
    "aiohttp": ("aiohttp-client", "opentelemetry.instrumentation.aiohttp_client", "AioHttpClientInstrumentor"),
    "asyncpg": ("asyncpg", "opentelemetry.instrumentation.asyncpg", "AsyncPGInstrumentor"),
    "httpx": ("httpx", "opentelemetry.instrumentation.httpx", "HTTPXClientInstrumentor"),
    "psycopg": ("psycopg", "opentelemetry.instrumentation.psycopg", "PsycopgInstrumentor"),
    "redis": ("redis", "opentelemetry.instrumentation.redis", "RedisInstrumentor"),
    "requests": ("requests", "opentelemetry.instrumentation.requests", "RequestsInstrumentor"),
    "sqlalchemy": ("sqlalchemy", "opentelemetry.instrumentation.sqlalchemy", "SQLAlchemyInstrumentor"),
    "urllib3": ("urllib3", "opentelemetry.instrumentation.urllib3", "URLLib3Instrumentor"),
}
"""Of each library: its instrumentation's name in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS, module and class."""


NAMES: Final = frozenset(name for name, _, _ in _INSTRUMENTORS.values())
"""What OpenTelemetry calls them."""


class ClientInstrumentation:
    """Switches instrumentations on until `stop`; one that is on already, by whomever, is left alone."""

    def __init__(self) -> None:
        self._running = True
        self._begun: list[Any] = []
        disabled = {name.strip() for name in os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")}
        for library, (name, module, _) in _INSTRUMENTORS.items():
            if not disabled & {name, "*"} and _is_installed(module):
                self._when_imported(library)

    def stop(self) -> None:
        """Switch off what was switched on here."""
        self._running = False
        for instrumentor in self._begun:
            instrumentor.uninstrument()
        self._begun.clear()

    def _when_imported(self, library: str) -> None:
        if library in sys.modules:
            import_module(library)  # waits for another thread that is importing it just now, as an exporter may be
            self._begin(library)
            return
        from wrapt import register_post_import_hook  # noqa: PLC0415 - comes with every instrumentation

        register_post_import_hook(lambda _module: self._begin(library), library)

    def _begin(self, library: str) -> None:
        if not self._running:
            return
        from opentelemetry.instrumentation.dependencies import DependencyConflictError  # noqa: PLC0415 - see above

        _, module, name = _INSTRUMENTORS[library]
        if module in sys.modules and not hasattr(sys.modules[module], name):
            return  # it is being imported, and imports the library: by an application that will begin it itself
        try:
            instrumentor: Any = getattr(import_module(module), name)()
            if not instrumentor.is_instrumented_by_opentelemetry:
                use_stable_conventions()
                instrumentor.instrument(raise_exception_on_conflict=True)
                self._begun.append(instrumentor)
        except DependencyConflictError as error:
            _LOG.warning("calls of %s are not observed: %s", library, error)
        except Exception:  # noqa: BLE001 - the library works in any case
            report(f"instrument {library}")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package
        return False
