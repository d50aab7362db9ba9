"""The templates, and how text gets into them: whoever can send telemetry writes some of it, so all is escaped."""

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from infersight_analysis.times import readable_time, short_duration

if TYPE_CHECKING:
    from jinja2 import Environment

_UNPRINTABLE: Final = re.compile("[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_OVERRIDES: Final = re.compile("[\\u202a-\\u202e\\u2066-\\u2069]")


@cache
def environment() -> "Environment":
    """The templates of this folder; every value is escaped but for markup that says it is some."""
    # here, so that a verb can name its page without loading what draws it
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    loader = PackageLoader("infersight_analysis.report.html", "templates")
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.filters.update(
        duration=short_duration,
        time=readable_time,
        signed=signed,
        printable=lambda value: printable(str(value)),
        percent=percent,
    )
    return found


@cache
def asset(name: str) -> str:
    """A style or script of ours, to be written into a page."""
    return (resources.files("infersight_analysis.report.html") / "assets" / name).read_text("utf-8")


def page(name: str, title: str, **values: object) -> str:
    """A page of the template `NAME.html.j2`, with our styles and script in it; the page lets no other script run.

    Args:
        name: of the template.
        title: of the page.
        values: what the template names.
    """
    script = asset("flame_graph.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        environment()
        .get_template(f"{name}.html.j2")
        .render(
            title=printable(title),
            style=asset("style.css") + asset("flame_graph.css"),
            script=script,
            script_hash=f"sha256-{digest}",
            **values,
        )
    )


def printable(text: str) -> str:
    """A text without what XML forbids, and without marks that change the direction of what follows."""
    return _OVERRIDES.sub("", _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text))


def signed(duration_ns: float) -> str:
    """A duration with its sign."""
    return f"+{short_duration(duration_ns)}" if duration_ns > 0 else short_duration(duration_ns)


def percent(share: float) -> str:
    """A share for people: `4.2 %`."""
    return f"{100 * share:.1f}\N{NARROW NO-BREAK SPACE}%"
