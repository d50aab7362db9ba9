"""What a configuration would run, for people: endpoints and how they are guarded, pipelines, where things are kept."""

from collections.abc import Iterator
from typing import Any

from infersight_collector.config import Configuration
from infersight_collector.config.listening import BearerToken
from infersight_collector.health import HealthConfig
from infersight_collector.pipeline import Graph
from infersight_collector.receivers.otlp_config import GrpcConfig, HttpConfig, OtlpConfig


def outline(configuration: Configuration, graph: Graph) -> list[str]:
    """One line for each endpoint, pipeline and place.

    Args:
        configuration: the configuration.
        graph: what was built of it.
    """
    used = dict.fromkeys(name for part in configuration.pipelines.values() for name in part.receivers)
    extensions = {name: configuration.components["extensions"][name] for name in configuration.extensions}
    log = graph.log
    asking: set[str] = {name for name, part in extensions.items() if isinstance(part, BearerToken) and part.asks}
    return [
        *(line for name in used for line in _endpoints(name, configuration.components["receivers"][name], asking)),
        *(f"{name}: {part.endpoint}" for name, part in extensions.items() if isinstance(part, HealthConfig)),
        *(
            f"{name}: {' -> '.join([*part.receivers, *part.processors, *part.exporters])}"
            for name, part in configuration.pipelines.items()
        ),
        f"kept in {log.path}, write-ahead log of at most {log.max_log_size_mib} MiB, fsync {log.fsync}",
    ]


def _endpoints(name: str, receiver: Any, asking: set[str]) -> Iterator[str]:
    """Where a receiver would listen; nothing for one that reads files."""
    if isinstance(receiver, OtlpConfig):
        for protocol, server in (("gRPC", receiver.protocols.grpc), ("HTTP", receiver.protocols.http)):
            if server is not None:
                yield f"{name}: {protocol} on {server.endpoint}, {', '.join(_guards(server, asking))}"


def _guards(server: GrpcConfig | HttpConfig, asking: set[str]) -> Iterator[str]:
    if server.tls is None:
        yield "no TLS"
    elif server.tls.insecure:
        yield "no TLS here (insecure)"
    else:
        yield "TLS, client certificates" if server.tls.client_ca_file else "TLS"
    name = server.auth.authenticator if server.auth else ""
    yield f"tokens of {name}" if name in asking else "no token"
