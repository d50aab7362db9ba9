"""Arguments of the command line that go before the configuration."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infersight_collector.config import ConfigError, Configuration, Endpoint


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says; None where it says nothing."""

    store: Path | None = None
    grpc: Endpoint | None = None
    http: Endpoint | None = None
    health: Endpoint | None = None

    def apply(self, configuration: Configuration) -> Configuration:
        """The configuration with these values in the components `store`, `otlp` and `health_check`.

        Raises:
            ConfigError: a value is for a component that the configuration has not.
        """
        changed = configuration
        if self.store is not None:
            exporter = _component(changed, "exporters", "store", "--store")
            changed = _with(changed, "exporters", "store", replace(exporter, path=str(self.store)))
        for protocol, endpoint in (("grpc", self.grpc), ("http", self.http)):
            if endpoint is not None:
                changed = _with_protocol(changed, protocol, endpoint)
        if self.health is not None:
            check = _component(changed, "extensions", "health_check", "--health-endpoint")
            changed = _with(changed, "extensions", "health_check", replace(check, endpoint=self.health))
        return changed


def _with_protocol(configuration: Configuration, protocol: str, endpoint: Endpoint) -> Configuration:
    receiver = _component(configuration, "receivers", "otlp", f"--{protocol}-endpoint")
    server = getattr(receiver.protocols, protocol)
    if server is None:
        raise ConfigError(f"{configuration.source}: the receiver 'otlp' has no protocol '{protocol}': add it there")
    protocols = replace(receiver.protocols, **{protocol: replace(server, endpoint=endpoint)})
    return _with(configuration, "receivers", "otlp", replace(receiver, protocols=protocols))


def _component(configuration: Configuration, role: str, name: str, option: str) -> Any:
    if name not in configuration.components[role]:
        raise ConfigError(f"{configuration.source}: {option} is for '{name}', which is not defined under {role}")
    return configuration.components[role][name]


def _with(configuration: Configuration, role: str, name: str, component: Any) -> Configuration:
    components = {**configuration.components, role: {**configuration.components[role], name: component}}
    return replace(configuration, components=components)
