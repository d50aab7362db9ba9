"""The graph of components, built from the configuration: the only module that knows every component."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from infersight_collector.component import Consumer, Receiver
from infersight_collector.config import ConfigError, Configuration, Endpoint, Kinds, Pipeline
from infersight_collector.config.listening import BearerToken
from infersight_collector.exporters.store import StoreConfig, StoreExporter
from infersight_collector.flush import Outlets
from infersight_collector.health import HealthConfig
from infersight_collector.receivers.otlp import OtlpConfig, OtlpReceiver

if TYPE_CHECKING:
    from infersight_collector.signals import Signal

PROCESSORS: Final[dict[type, Callable[[Any, Consumer], Consumer]]] = {}
"""How a processor is made, by the dataclass of its configuration: from that and its next consumer."""

KINDS: Final[Kinds] = {
    "receivers": {"otlp": OtlpConfig},
    "processors": {},
    "exporters": {"store": StoreConfig},
    "extensions": {"health_check": HealthConfig, "bearertokenauth": BearerToken},
}
"""Every kind of component, by role and by the name that configurations use."""


@dataclass(frozen=True, slots=True)
class Graph:
    """The components of one collector, wired but not started.

    Attributes:
        store: configuration of the store, which holds the write-ahead log as well.
        receivers: all of them.
        outlets: the pipelines behind the log, and all exporters.
        health: where to serve the health pages, if anywhere.
    """

    store: StoreConfig
    receivers: Sequence[Receiver]
    outlets: Outlets
    health: Endpoint | None


def build(configuration: Configuration) -> Graph:
    """Makes the components that the service uses and connects them.

    Raises:
        ConfigError: the configuration cannot work.
    """
    used = {name for pipeline in configuration.pipelines.values() for name in pipeline.exporters}
    if len(used) != 1:
        raise ConfigError(
            f"{configuration.source}: the pipelines must share one store exporter, which keeps the "
            f"write-ahead log; found: {', '.join(sorted(used))}"
        )
    store: StoreConfig = configuration.components["exporters"][used.pop()]
    exporter = StoreExporter(Path(store.path))
    pipelines = {
        signal: _chain(configuration, pipeline, exporter) for signal, pipeline in configuration.pipelines.items()
    }
    health = [part.endpoint for part in _extensions(configuration).values() if isinstance(part, HealthConfig)]
    return Graph(
        store=store,
        receivers=_receivers(configuration),
        outlets=Outlets(pipelines, [exporter]),
        health=health[0] if health else None,
    )


def _chain(configuration: Configuration, pipeline: Pipeline, end: Consumer) -> Consumer:
    """The first consumer of a pipeline: its processors in their order, then its end."""
    consumer = end
    for name in reversed(pipeline.processors):
        config = configuration.components["processors"][name]
        consumer = PROCESSORS[type(config)](config, consumer)
    return consumer


def _receivers(configuration: Configuration) -> list[Receiver]:
    """Each receiver that a pipeline names, for the signals of these pipelines."""
    signals: dict[str, set[Signal]] = {}
    for signal, pipeline in configuration.pipelines.items():
        for name in pipeline.receivers:
            signals.setdefault(name, set()).add(signal)
    extensions = _extensions(configuration)
    tokens = {name: part.token or None for name, part in extensions.items() if isinstance(part, BearerToken)}
    return [OtlpReceiver(configuration.components["receivers"][name], fed, tokens) for name, fed in signals.items()]


def _extensions(configuration: Configuration) -> dict[str, Any]:
    return {name: configuration.components["extensions"][name] for name in configuration.extensions}
