"""The graph of components, built from the configuration: the only module that knows every component."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from infersight_collector.component import Exporter, LookAhead, Processor, Receiver, Route, Startable, Surroundings
from infersight_collector.config import ConfigError, Configuration, Endpoint, Kinds, Pipeline, signal_of
from infersight_collector.config.listening import BearerToken
from infersight_collector.exporters.debug import DebugConfig, DebugExporter
from infersight_collector.exporters.file import FileConfig, FileExporter
from infersight_collector.exporters.otlp import OtlpExporter, OtlpExporterConfig, OtlpHttpExporterConfig
from infersight_collector.exporters.store import StoreConfig, StoreExporter
from infersight_collector.health import HealthConfig
from infersight_collector.journal import FileStorageConfig, LogSettings
from infersight_collector.plugins import ProcessorKinds
from infersight_collector.processors.attributes import AttributesProcessor, ResourceProcessor
from infersight_collector.processors.batch import BatchProcessor
from infersight_collector.processors.filter import FilterProcessor
from infersight_collector.processors.log_templates import LogTemplates
from infersight_collector.processors.memory_limiter import MemoryLimiter
from infersight_collector.processors.redaction import RedactionProcessor
from infersight_collector.processors.span_metrics import SpanMetrics
from infersight_collector.processors.tail_sampling import TailSampling
from infersight_collector.processors.transform import TransformProcessor
from infersight_collector.receivers.otlp import Authenticators, OtlpReceiver
from infersight_collector.receivers.otlp_config import OtlpConfig
from infersight_collector.receivers.otlp_json_file import OtlpJsonFileConfig, OtlpJsonFileReceiver
from infersight_collector.receivers.token import BearerTokens
from infersight_collector.signals import Signal
from infersight_collector.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Feed:
    """What a receiver is made with, besides its configuration.

    Attributes:
        name: as configured.
        signals: the signals whose pipelines it feeds.
        authenticators: what senders have to show, by the name of the extension that checks it.
        surroundings: what it may use of the collector.
    """

    name: str
    signals: set[Signal]
    authenticators: Authenticators
    surroundings: Surroundings


RECEIVERS: Final[dict[type, Callable[[Any, Feed], Receiver]]] = {
    OtlpConfig: lambda config, feed: OtlpReceiver(config, feed.signals, feed.authenticators),
    OtlpJsonFileConfig: lambda config, feed: OtlpJsonFileReceiver(config, feed.signals, feed.name, feed.surroundings),
}
"""How a receiver is made, by the dataclass of its configuration."""

EXPORTERS: Final[dict[type, Callable[[Any, Surroundings], Exporter]]] = {
    StoreConfig: StoreExporter,
    OtlpExporterConfig: OtlpExporter,
    OtlpHttpExporterConfig: OtlpExporter,
    FileConfig: lambda config, _surroundings: FileExporter(config),
    DebugConfig: lambda config, _surroundings: DebugExporter(config),
}
"""How an exporter is made, by the dataclass of its configuration."""

KINDS: Final[Kinds] = {
    # The OpenTelemetry Collector knows the file receiver by both names, the second one is the older.
    "receivers": {"otlp": OtlpConfig, "otlp_json_file": OtlpJsonFileConfig, "otlpjsonfile": OtlpJsonFileConfig},
    "processors": ProcessorKinds(
        {
            "attributes": AttributesProcessor,
            "batch": BatchProcessor,
            "filter": FilterProcessor,
            "log_templates": LogTemplates,
            "memory_limiter": MemoryLimiter,
            "redaction": RedactionProcessor,
            "resource": ResourceProcessor,
            "spanmetrics": SpanMetrics,
            "tail_sampling": TailSampling,
            "transform": TransformProcessor,
        }
    ),
    "exporters": {
        "debug": DebugConfig,
        "file": FileConfig,
        "otlp": OtlpExporterConfig,
        "otlphttp": OtlpHttpExporterConfig,
        "store": StoreConfig,
    },
    "extensions": {"health_check": HealthConfig, "bearertokenauth": BearerToken, "file_storage": FileStorageConfig},
}
"""Every kind of component, by role and by the name that configurations use. A processor is its own configuration."""


@dataclass(frozen=True, slots=True)
class Graph:
    """The components of one collector, wired but not started.

    Attributes:
        log: where the write-ahead log is.
        receivers: all of them.
        routes: the pipelines behind the log.
        processors: those that the routes use, by name.
        exporters: those that the routes use, by name.
        health: where to serve the health pages, if anywhere.
        telemetry: the metrics of this collector.
        due_records: records of a signal that wait before a delivery does not wait for its interval.
        own_metrics_s: seconds between two reports of the collector's own metrics to its pipelines, or None for none.
        pipelines: names of the components of each pipeline.
    """

    log: LogSettings
    receivers: Sequence[Receiver]
    routes: Sequence[Route]
    processors: Mapping[str, Processor]
    exporters: Mapping[str, Exporter]
    health: Endpoint | None
    telemetry: Telemetry
    due_records: Mapping[Signal, int]
    own_metrics_s: float | None
    pipelines: Mapping[str, Pipeline]

    def surroundings(self, name: str) -> Surroundings:
        """What the component of this name may use."""
        return _surroundings(self.log, name, self.telemetry)

    def start_processors(self) -> None:
        """Starts those processors that want it.

        Raises:
            CollectorError: one cannot work.
        """
        for name, processor in self.processors.items():
            if isinstance(processor, Startable):
                processor.start(self.surroundings(name))


def build(configuration: Configuration) -> Graph:
    """Makes the components that the service uses and connects them.

    Raises:
        ConfigError: the configuration cannot work.
    """
    _check_pipelines(configuration)
    log, telemetry = _log(configuration), Telemetry()
    used = {
        role: {name: configuration.components[role][name] for name in _used(configuration, role)}
        for role in ("processors", "exporters")
    }
    exporters = {
        name: EXPORTERS[type(config)](config, _surroundings(log, name, telemetry))
        # Stores first: they make the directory in which the log and what other components keep are.
        for name, config in sorted(used["exporters"].items(), key=lambda part: not isinstance(part[1], StoreConfig))
    }
    health = [part.endpoint for part in _extensions(configuration).values() if isinstance(part, HealthConfig)]
    routes = [_route(name, pipeline, used["processors"]) for name, pipeline in configuration.pipelines.items()]
    return Graph(
        log=replace(log, flush_interval=min((part.timeout for part in _batching(routes)), default=log.flush_interval)),
        receivers=_receivers(configuration, log, telemetry),
        routes=routes,
        processors=used["processors"],
        exporters=exporters,
        health=health[0] if health else None,
        telemetry=telemetry,
        due_records=_due_records(routes),
        own_metrics_s=_own_metrics_s(configuration, routes),
        pipelines=configuration.pipelines,
    )


def _own_metrics_s(configuration: Configuration, routes: Sequence[Route]) -> float | None:
    """Seconds between two reports of the collector's own metrics; None where none are wanted, or none would be kept."""
    taken = any(route.signal == Signal.METRICS for route in routes)
    wanted = configuration.own_metrics
    return wanted.interval if taken and wanted.level != "none" else None


def _surroundings(log: LogSettings, name: str, telemetry: Telemetry) -> Surroundings:
    return Surroundings(log.path / "components" / name.replace("/", "-"), telemetry)


def _used(configuration: Configuration, role: str) -> Iterator[str]:
    """The names of one role that pipelines use, each once."""
    return iter(dict.fromkeys(name for part in configuration.pipelines.values() for name in getattr(part, role)))


def _route(name: str, pipeline: Pipeline, processors: Mapping[str, Processor]) -> Route:
    parts = [processors[used] for used in pipeline.processors]
    route = Route(name, Signal(signal_of(name)), parts, pipeline.exporters, names=pipeline.processors)
    sizes = [part.send_batch_max_size for part in _batching([route]) if part.send_batch_max_size]
    return replace(route, max_rows=min(sizes, default=None))


def _batching(routes: Sequence[Route]) -> list[BatchProcessor]:
    """The processors that say how often and in which portions is delivered."""
    return [part for route in routes for part in route.processors if isinstance(part, BatchProcessor)]


def _due_records(routes: Sequence[Route]) -> dict[Signal, int]:
    """Of each signal, the smallest size at which one of its pipelines does not wait for the interval."""
    due: dict[Signal, int] = {}
    for route in routes:
        for part in _batching([route]):
            if part.send_batch_size:
                due[route.signal] = min(part.send_batch_size, due.get(route.signal, part.send_batch_size))
    return due


def _log(configuration: Configuration) -> LogSettings:
    """The log is in the directory of the one store, or where `file_storage` says."""
    exporters = configuration.components["exporters"]
    stores = [name for name in _used(configuration, "exporters") if isinstance(exporters[name], StoreConfig)]
    keepers = [part for part in _extensions(configuration).values() if isinstance(part, FileStorageConfig)]
    if keepers:
        return keepers[0].log
    if not stores:
        raise ConfigError(
            f"{configuration.source}: nothing says where the write-ahead log is kept: add the extension "
            "'file_storage' with its 'directory' to service.extensions, or a store exporter to a pipeline"
        )
    settings: LogSettings = exporters[stores[0]].log
    return settings


def _check_pipelines(configuration: Configuration) -> None:
    """Refuses what the pipelines cannot do together.

    Raises:
        ConfigError: with what to write instead.
    """
    fed: dict[str, list[str]] = {}
    for name, pipeline in configuration.pipelines.items():
        receivers: list[str] = sorted(pipeline.receivers)
        if fed.setdefault(signal_of(name), receivers) != receivers:
            raise ConfigError(
                f"{configuration.source}: the pipelines of {signal_of(name)} must have the same receivers, since they "
                f"read one write-ahead log; '{name}' has {', '.join(receivers)}"
            )
        processors = configuration.components["processors"]
        ahead = [used for used in pipeline.processors if isinstance(processors[used], LookAhead)]
        if len(ahead) > 1:
            raise ConfigError(
                f"{configuration.source}: the pipeline '{name}' has {' and '.join(ahead)}, and only one of them can "
                "decide by what comes later: put their rules into one"
            )


def _receivers(configuration: Configuration, log: LogSettings, telemetry: Telemetry) -> list[Receiver]:
    """Each receiver that a pipeline names, for the signals of these pipelines."""
    signals: dict[str, set[Signal]] = {}
    for name, pipeline in configuration.pipelines.items():
        for receiver in pipeline.receivers:
            signals.setdefault(receiver, set()).add(Signal(signal_of(name)))
    extensions = _extensions(configuration)
    asked = {name: BearerTokens.of(part) for name, part in extensions.items() if isinstance(part, BearerToken)}
    configs = configuration.components["receivers"]
    return [
        RECEIVERS[type(configs[name])](configs[name], Feed(name, fed, asked, _surroundings(log, name, telemetry)))
        for name, fed in signals.items()
    ]


def _extensions(configuration: Configuration) -> dict[str, Any]:
    return {name: configuration.components["extensions"][name] for name in configuration.extensions}
