"""What `import infersight` offers and what it loads."""

import json
from typing import TYPE_CHECKING

import infersight

if TYPE_CHECKING:
    from tests.sdk.conftest import Script


def test_the_public_names() -> None:
    assert sorted(infersight.__all__) == [
        "Batch",
        "InfersightError",
        "MissingExtraError",
        "QueuedItem",
        "Violation",
        "__version__",
        "configure",
        "detail",
        "feedback",
        "force_flush",
        "generation",
        "instrument_fastapi",
        "instrument_loguru",
        "instrument_structlog",
        "instrument_torch",
        "observe",
        "prediction",
        "query",
        "shutdown",
        "stage",
        "validate_input",
        "variant",
    ]
    assert all(hasattr(infersight, name) for name in infersight.__all__)
    assert issubclass(infersight.MissingExtraError, infersight.InfersightError)
    assert issubclass(infersight.MissingExtraError, ImportError)


def test_importing_loads_neither_heavy_packages_nor_the_opentelemetry_sdk(script: "Script") -> None:
    loaded = set(json.loads(script("import infersight, sys, json; print(json.dumps(sorted(sys.modules)))").stdout))
    heavy = {"torch", "numpy", "duckdb", "pyarrow", "fastapi", "starlette", "grpc", "google.protobuf", "requests"}
    assert not loaded & (heavy | {"opentelemetry.sdk", "opentelemetry.sdk.trace"})


def test_configure_does_not_load_grpc_before_there_is_something_to_send(script: "Script") -> None:
    code = (
        "import infersight, sys; infersight.configure(); print('grpc' in sys.modules); "
        "infersight.configure(); infersight.shutdown()"
    )
    assert script(code, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9").stdout == "False\n"
