"""What works, but others could misuse or somebody did not mean: told at the start and by `validate`."""

import stat
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from infersight_collector.config import Configuration
from infersight_collector.config.listening import Authentication, BearerToken
from infersight_collector.exporters.store import StoreConfig
from infersight_collector.journal import FileStorageConfig


def precautions(configuration: Configuration, file: Path | None) -> list[str]:
    """One line for each, with what to do.

    Args:
        configuration: what the collector runs.
        file: where that was read, None for the built-in one.
    """
    return [
        *([] if file is None else _of_file(file, configuration)),
        *(line for directory in _directories(configuration) for line in _writable(directory)),
        *_private(configuration),
        *_unused(configuration),
        *_unasked(configuration),
    ]


def _of_file(file: Path, configuration: Configuration) -> Iterator[str]:
    """Whether others may change the configuration, or read and change the secrets in it."""
    yield from _writable(file)
    if configuration.secret_lines and _mode(file) & (stat.S_IWGRP | stat.S_IROTH):
        line = configuration.secret_lines[0]
        yield (
            f"{file}:{line} holds a secret and others may read or change the file: chmod 600 {file}, or take the "
            "secret from the environment with ${env:NAME}"
        )


def _directories(configuration: Configuration) -> Iterator[Path]:
    """Where received data is kept. A directory that does not exist yet is made for the collector alone."""
    for role in ("exporters", "extensions"):
        for part in configuration.components[role].values():
            if isinstance(part, StoreConfig):
                yield Path(part.path)
            elif isinstance(part, FileStorageConfig):
                yield Path(part.directory)


def _writable(path: Path) -> Iterator[str]:
    if _mode(path) & stat.S_IWOTH:
        yield f"{path} can be changed by everybody on this machine: chmod o-w {path}"


def _private(configuration: Configuration) -> Iterator[str]:
    """Files with keys and tokens that others can read."""
    named = {path for role in configuration.components.values() for part in role.values() for path in _files_of(part)}
    for path in sorted(named):
        if _mode(path) & (stat.S_IWGRP | stat.S_IWOTH | stat.S_IROTH):
            yield f"{path} holds a secret and others may read or change it: chmod 600 {path}"


def _files_of(component: Any) -> Iterator[Path]:
    """The files of a component, or of what is in it, whose fields are marked as private."""
    if is_dataclass(component):
        for field in fields(component):
            value = getattr(component, field.name)
            if field.metadata.get("private"):
                yield from [Path(value)] if value else []
            else:
                yield from _files_of(value)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _unused(configuration: Configuration) -> Iterator[str]:
    """Components that are defined and take no part."""
    used = {
        role: {name for pipeline in configuration.pipelines.values() for name in getattr(pipeline, role)}
        for role in ("receivers", "processors", "exporters")
    }
    used["extensions"] = set(configuration.extensions)
    for role, components in configuration.components.items():
        place = "service.extensions" if role == "extensions" else "any pipeline"
        for name in sorted(components.keys() - used[role]):
            yield f"{configuration.source}: '{name}' under {role} is not used: add it to {place}, or remove it"


def _unasked(configuration: Configuration) -> Iterator[str]:
    """Tokens that no endpoint asks for."""
    asked = {name for part in configuration.components["receivers"].values() for name in _authenticators(part)}
    for name in configuration.extensions:
        if isinstance(configuration.components["extensions"][name], BearerToken) and name not in asked:
            yield (
                f"{configuration.source}: no endpoint asks for the tokens of '{name}': add auth: "
                f"{{authenticator: {name}}} to one, or remove it from service.extensions"
            )


def _authenticators(component: Any) -> Iterator[str]:
    if isinstance(component, Authentication):
        yield component.authenticator
    elif is_dataclass(component):
        for field in fields(component):
            yield from _authenticators(getattr(component, field.name))
