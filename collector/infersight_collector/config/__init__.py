"""The collector's configuration: YAML in the shape of the OpenTelemetry Collector's.

What kinds of components exist is told by the caller (`pipeline.KINDS`); this package knows the shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from infersight_collector.config.binding import Binder, Reference
from infersight_collector.config.values import Duration, Endpoint
from infersight_collector.errors import ConfigError
from infersight_collector.signals import Signal

__all__ = [
    "ConfigError",
    "Configuration",
    "Duration",
    "Endpoint",
    "Kinds",
    "Pipeline",
    "Reference",
    "load",
    "read",
    "signal_of",
]

ROLES: Final = ("receivers", "processors", "exporters", "extensions")
BUILT_IN: Final = "embedded.yaml"

Kinds = Mapping[str, Mapping[str, type]]
"""The dataclass of each kind of component, by role: `{"receivers": {"otlp": OtlpConfig}, ...}`."""


@dataclass(frozen=True)
class Pipeline:
    """The way of one signal, as names of components."""

    receivers: list[Reference]
    exporters: list[Reference]
    processors: list[Reference] = field(default_factory=list[Reference])


@dataclass(frozen=True)
class MetricsTelemetry:
    """What the collector tells about itself: `service.telemetry.metrics`.

    Attributes:
        level: whether its metrics go into its own pipelines of metrics; they are on the page for Prometheus anyway.
        interval: time between two reports.
    """

    level: Literal["none", "normal"] = "normal"
    interval: Duration = Duration(15.0)  # noqa: RUF009 - a float


@dataclass(frozen=True)
class _Telemetry:
    metrics: MetricsTelemetry = MetricsTelemetry()


@dataclass(frozen=True)
class _Service:
    pipelines: dict[str, Pipeline]
    telemetry: _Telemetry = _Telemetry()
    extensions: list[Reference] = field(default_factory=list[Reference])


@dataclass(frozen=True)
class Configuration:
    """A configuration whose every name is known.

    Attributes:
        source: where it was read, for messages.
        components: by role and name (`otlp`, `otlp/second`), the dataclass of its kind.
        extensions: names of the extensions that are switched on.
        pipelines: by name: a signal, or a signal and a name of one's own, as in `traces/audit`.
        secret_lines: lines of the source that have a secret in them.
        own_metrics: what the collector tells about itself.
    """

    source: str
    components: dict[str, dict[str, Any]]
    extensions: list[Reference]
    pipelines: dict[str, Pipeline]
    secret_lines: tuple[int, ...] = ()
    own_metrics: MetricsTelemetry = MetricsTelemetry()


def read(path: Path | None, kinds: Kinds, environment: Mapping[str, str]) -> Configuration:
    """The configuration in a file, or the built-in one.

    Raises:
        ConfigError: the file cannot be read or does not fit.
    """
    if path is None:
        text = resources.files("infersight_collector").joinpath(BUILT_IN).read_text("utf-8")
        return load(text, BUILT_IN, kinds, environment)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return load(text, str(path), kinds, environment)


def load(text: str, source: str, kinds: Kinds, environment: Mapping[str, str]) -> Configuration:
    """The configuration that a YAML text says.

    Args:
        text: the YAML document.
        source: its name, for messages.
        kinds: the components that exist.
        environment: variables for `${env:NAME}`.

    Raises:
        ConfigError: with file, line and the nearest valid name.
    """
    binder = Binder(source, environment)
    root = binder.compose(text)
    sections = binder.mapping(root)
    for name, (key, _) in sections.items():
        if name not in (*ROLES, "service"):
            raise binder.unknown(key, "section", name, (*ROLES, "service"))
    if "service" not in sections:
        raise binder.error(root, "the section 'service' is missing")
    components = {
        role: _components(binder, role, sections[role][1], kinds[role]) if role in sections else {} for role in ROLES
    }
    service_node = sections["service"][1]
    service: _Service = binder.bind(service_node, _Service)
    return Configuration(
        source=source,
        components=components,
        extensions=_known(source, "extensions", service.extensions, components),
        pipelines=_pipelines(binder, service_node, service, components),
        secret_lines=tuple(binder.secret_lines),
        own_metrics=service.telemetry.metrics,
    )


def _components(binder: Binder, role: str, node: yaml.Node, kinds: Mapping[str, type]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, (key, value) in binder.mapping(node).items():
        kind, slash, own = name.partition("/")
        if slash and not own:
            raise binder.error(key, f"'{name}' has no name behind the slash: write '{kind}' or '{kind}/NAME'")
        try:
            target = kinds[kind]
        except KeyError:
            raise binder.unknown(key, role.removesuffix("s"), kind, kinds) from None
        except ValueError as error:
            raise binder.error(key, str(error)) from error
        found[name] = binder.bind(value, target)
    return found


def _pipelines(
    binder: Binder, node: yaml.Node, service: _Service, components: dict[str, dict[str, Any]]
) -> dict[str, Pipeline]:
    keys = binder.mapping(binder.mapping(node)["pipelines"][1])
    for name, pipeline in service.pipelines.items():
        key = keys[name][0]
        if signal_of(name) not in list(Signal):
            raise binder.unknown(key, "pipeline", name, list(Signal))
        for role in ("receivers", "processors", "exporters"):
            names: list[Reference] = getattr(pipeline, role)
            _known(binder.source, role, names, components)
            if not names and role != "processors":
                raise binder.error(key, f"the pipeline '{name}' has no {role}")
    if not service.pipelines:
        raise binder.error(node, "there is no pipeline: nothing would be received")
    return service.pipelines


def signal_of(pipeline: str) -> str:
    """The signal that a pipeline's name begins with."""
    return pipeline.split("/", 1)[0]


def _known(
    source: str, role: str, names: list[Reference], components: Mapping[str, Mapping[str, Any]]
) -> list[Reference]:
    for name in names:
        if name not in components[role]:
            defined = ", ".join(sorted(components[role])) or "nothing"
            raise ConfigError(f"{source}:{name.line}: '{name}' is not defined under {role}; defined there: {defined}")
        if names.count(name) > 1:
            raise ConfigError(f"{source}:{name.line}: '{name}' is in this list twice: remove one of them")
    return names
