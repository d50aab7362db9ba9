"""`${env:NAME}` and `${env:NAME:-default}` in values, as in the OpenTelemetry Collector; `$$` is a dollar sign."""

import re
from collections.abc import Mapping

_EXPRESSION = re.compile(r"\$\$|\$\{([^}]*)\}")
_VARIABLE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Replaces every expression of a text.

    Args:
        text: a value of the configuration.
        environment: the variables.

    Raises:
        ValueError: an expression of another form, or a variable that is not set and has no default.
    """

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        variable = _VARIABLE.fullmatch(match[1])
        if variable is None:
            raise ValueError(f"'{match[0]}' is not understood: write ${{env:NAME}} or ${{env:NAME:-default}}")
        name, default = variable.groups()
        # As in a shell, `:-` is for a variable that is empty as well.
        found = environment.get(name) or default
        if found is None:
            raise ValueError(f"the environment variable {name} is not set: set it or write ${{env:{name}:-default}}")
        return found

    return _EXPRESSION.sub(value, text)
