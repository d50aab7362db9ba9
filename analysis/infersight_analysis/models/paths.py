"""Where something lies in JSON: `$.instances[0].text`, the names and positions of RFC 9535."""

import re
from typing import Any, Final, TypeAlias

from infersight_analysis.errors import AnalysisError
from infersight_analysis.models.kinds import is_list, is_object

Steps: TypeAlias = tuple[str | int, ...]
"""Names of members and positions of elements, from the outside in; none is the whole."""

_NAME: Final = r"""\.?(?P<name>[^.\[\]'"]+)"""
_POSITION: Final = r"\[(?P<position>\d+)\]"
_QUOTED: Final = r"""\[(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\]"""
_STEP: Final = re.compile(f"{_NAME}|{_POSITION}|{_QUOTED}")


def steps(path: str) -> Steps:
    """The steps of a path; `$` in front may be left out.

    Raises:
        AnalysisError: it is no path of names and positions.
    """
    rest = path.strip().removeprefix("$")
    found: list[str | int] = []
    place = 0
    while place < len(rest):
        step = _STEP.match(rest, place)
        if step is None:
            raise AnalysisError(f"{path!r} is no path such as $.instances[0].text")
        found.append(int(step["position"]) if step["position"] else step["name"] or step["quoted"] or "")
        place = step.end()
    return tuple(found)


def found_at(value: Any, path: Steps) -> Any:
    """What lies there.

    Raises:
        LookupError: nothing does.
    """
    for step in path:
        if is_object(value) and step in value:
            value = value[str(step)]
        elif isinstance(step, int) and is_list(value):
            if step >= len(value):
                raise LookupError(f"it has only {len(value)} elements")
            value = value[step]
        else:
            raise LookupError(f"there is no {step!r} in it")
    return value


def placed(template: Any, path: Steps, value: Any) -> Any:
    """A copy of JSON with a value in its place; members on the way that are missing are made.

    An object that takes the place of the whole keeps the template's other members.

    Raises:
        AnalysisError: the template has a list or a value where the path goes on otherwise.
    """
    if not path:
        return {**template, **value} if is_object(template) and is_object(value) else value
    step, *rest = path
    if isinstance(step, str) and (template is None or is_object(template)):
        members = dict(template or {})
        return {**members, step: placed(members.get(step), tuple(rest), value)}
    if isinstance(step, int) and (template is None or is_list(template)):
        elements = list(template or [])
        elements += [None] * (step + 1 - len(elements))
        return [*elements[:step], placed(elements[step], tuple(rest), value), *elements[step + 1 :]]
    raise AnalysisError(f"the request has no place for {step!r}: it holds {type(template).__name__} there")
