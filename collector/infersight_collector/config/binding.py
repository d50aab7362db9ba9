"""YAML nodes into typed dataclasses, so that every complaint names its line.

The target's type hints are the schema: dataclasses, `list[X]`, `dict[str, X]`, `X | None`, `Literal[...]`, `str`,
`int`, `float`, `bool`, `Scalar`, and classes with `parse(text)`. Nothing unknown is accepted.
"""

import dataclasses
import difflib
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from infersight_collector.config.environment import expand
from infersight_collector.config.values import Scalar, parse_scalar
from infersight_collector.errors import ConfigError

_NULL = "tag:yaml.org,2002:null"
_SECRET_LENGTH = 8  # a shorter one may be a part of any word
_BOOLEANS = {"true": True, "false": False}
_NUMBERS: dict[Any, str] = {int: "a whole number", float: "a number"}


class Binder:
    """Binds the nodes of one document.

    Args:
        source: name of the document, for messages.
        environment: variables for `${env:NAME}`.

    Attributes:
        secret_lines: where secrets are written out, as values of fields that `repr` leaves out.
    """

    def __init__(self, source: str, environment: Mapping[str, str]) -> None:
        self.source = source
        self.secret_lines: list[int] = []
        self._environment = environment

    def compose(self, text: str) -> yaml.Node:
        """The root node of a YAML document."""
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ConfigError(f"{self.source}:{line}: not valid YAML: {error.problem}") from error
        except yaml.YAMLError as error:
            raise ConfigError(f"{self.source}: not valid YAML: {error}") from error
        if root is None:
            raise ConfigError(f"{self.source}:1: the file is empty")
        return root

    def error(self, node: yaml.Node, problem: str, place: yaml.Node | None = None) -> ConfigError:
        """The complaint about a node, to be raised; what comes from the environment is not shown in it.

        Args:
            node: what is wrong.
            problem: why, and what to write instead.
            place: the node whose line is told, if not that of the first one.
        """
        for scalar in _scalars(node):
            if "${" in scalar.value and (said := self._expanded(scalar)):
                problem = problem.replace(f"'{said}'", f"'{scalar.value}'")
                problem = problem.replace(said, scalar.value) if len(said) >= _SECRET_LENGTH else problem
        return ConfigError(f"{self.source}:{(place or node).start_mark.line + 1}: {problem}")

    def unknown(self, node: yaml.Node, what: str, name: str, valid: Iterable[str]) -> ConfigError:
        """The complaint about a name that is none of the valid ones, with the nearest of them."""
        names = sorted(valid)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"valid here: {', '.join(names) or 'nothing'}"
        return self.error(node, f"unknown {what} '{name}': {hint}")

    def mapping(self, node: yaml.Node) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """The pairs of a mapping node as key -> (key node, value node); nothing at all is an empty mapping."""
        if node.tag == _NULL:
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, "expected a mapping of names to values here")
        pairs: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.error(key, "expected a name here")
            if key.value in pairs:
                raise self.error(key, f"'{key.value}' is here twice")
            pairs[key.value] = (key, value)
        return pairs

    def bind(self, node: yaml.Node, target: Any) -> Any:  # noqa: PLR0911 - one for each kind of type
        """The value of a node as an instance of the target type.

        Raises:
            ConfigError: the node does not fit the type.
        """
        origin = get_origin(target)
        if origin in (Union, types.UnionType):
            if set(get_args(Scalar)) <= set(get_args(target)):
                return self._bind_typed(node)
            return self.bind(node, next(option for option in get_args(target) if option is not types.NoneType))
        if hasattr(target, "parse"):
            return self._bind_scalar(node, target)
        if dataclasses.is_dataclass(target):
            return self._bind_fields(node, target)
        if origin is list:
            if not isinstance(node, yaml.SequenceNode):
                raise self.error(node, "expected a list here, as in [a, b]")
            return [self.bind(item, get_args(target)[0]) for item in node.value]
        if origin is dict:
            value_type = get_args(target)[1]
            return {name: self.bind(value, value_type) for name, (_, value) in self.mapping(node).items()}
        if origin is Literal:
            return self._bind_choice(node, get_args(target))
        return self._bind_scalar(node, target)

    def _bind_fields(self, node: yaml.Node, target: Any) -> Any:
        hints = get_type_hints(target)
        # A key that is no name in Python, as `and`, is in the metadata of its field.
        fields = {field.metadata.get("key", field.name): field for field in dataclasses.fields(target) if field.init}
        values: dict[str, Any] = {}
        pairs = self.mapping(node)
        for name, (key, value) in pairs.items():
            if name not in fields:
                raise self.unknown(key, "key", name, fields)
            values[fields[name].name] = self.bind(value, hints[fields[name].name])
            if not fields[name].repr:
                written = [part for part in _scalars(value) if part.value and "${" not in part.value]
                self.secret_lines += [part.start_mark.line + 1 for part in written]
        for name, field in fields.items():
            required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            if required and name not in pairs:
                raise self.error(node, f"'{name}' is missing here")
        try:
            return target(**values)
        except ValueError as error:
            raise self.error(node, str(error), _named(pairs, str(error))) from error

    def _bind_choice(self, node: yaml.Node, choices: tuple[str, ...]) -> str:
        text = self._text(node)
        if text not in choices:
            raise self.unknown(node, "value", text, choices)
        return text

    def _bind_scalar(self, node: yaml.Node, target: Any) -> Any:
        text = self._text(node)
        if target is str:
            return text
        if target is bool:
            if text not in _BOOLEANS:
                raise self.error(node, f"expected true or false, found '{text}'")
            return _BOOLEANS[text]
        try:
            value = target(text) if target in _NUMBERS else target.parse(text)
        except ValueError as error:
            problem = f"expected {_NUMBERS[target]}, found '{text}'" if target in _NUMBERS else str(error)
            raise self.error(node, problem) from error
        if isinstance(value, Reference):
            value.line = node.start_mark.line + 1
        return value

    def _bind_typed(self, node: yaml.Node) -> Scalar:
        """A value that has the type in which it is written: in quotes it is text."""
        text = self._text(node)
        try:
            plain = isinstance(node, yaml.ScalarNode) and node.style is None
            return parse_scalar(text) if plain else text
        except ValueError as error:
            raise self.error(node, str(error)) from error

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag == _NULL:
            raise self.error(node, "expected a single value here")
        try:
            return expand(node.value, self._environment)
        except ValueError as error:
            raise self.error(node, str(error)) from error

    def _expanded(self, node: yaml.ScalarNode) -> str:
        """What a value says, "" where it says nothing."""
        try:
            return expand(node.value, self._environment)
        except ValueError:
            return ""


def _scalars(node: yaml.Node, above: tuple[yaml.Node, ...] = ()) -> Iterator[yaml.ScalarNode]:
    """The single values in a node, which an alias may make a part of itself."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif node not in above:
        parts: list[yaml.Node | tuple[yaml.Node, yaml.Node]] = node.value  # pairs in a mapping
        for part in parts:
            for inner in part if isinstance(part, tuple) else (part,):
                yield from _scalars(inner, (*above, node))


def _named(pairs: Mapping[str, tuple[yaml.Node, yaml.Node]], problem: str) -> yaml.Node | None:
    """The key of a mapping that a problem speaks of."""
    words = set(re.findall(r"\w+", problem))
    return next((key for name, (key, _) in pairs.items() if name in words), None)


class Reference(str):
    """The name of a component where a list uses it; knows its line, for the complaint when there is no such one."""

    __slots__ = ("line",)
    line: int

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """The reference that a text is."""
        return cls(text)
