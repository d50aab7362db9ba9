"""The reference of the command line, from what `--help` says: `python -m infersight_analysis.cli_reference`."""

from collections.abc import Iterator
from typing import Any, Final

import click

from infersight_analysis.cli import root

_HEAD = """# Command line

The reference of every verb, as `--help` prints it; made by `python -m infersight_analysis.cli_reference`.

Conventions of all verbs: a table on a terminal and JSON when piped, or as `--format` says; the store is `--store`, or
`INFERSIGHT_STORE`, or `./infersight-store`; times are ISO 8601 in UTC, durations as in `500ms`, `15m` or `2h`. An
error is one line on stderr. Exit codes: 0 done, 1 a finding that a script must see, 2 wrong use or unreadable input,
3 more data is needed; 130 after an interrupt, 141 when the reader of the output went away.
"""
_WIDTHS: Final[dict[str, Any]] = {"terminal_width": 100, "max_content_width": 100}


def reference() -> str:
    """The page in Markdown."""
    context = root.make_context("infersight", [], resilient_parsing=True, **_WIDTHS)
    return "\n".join([_HEAD, _section("infersight", root.get_help(context), "#"), *_commands(root, context)])


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    """A section for each command of a group, groups before their commands."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            raise LookupError(name)
        own = command.make_context(name, [], context, resilient_parsing=True, **_WIDTHS)
        yield _section(own.command_path, command.get_help(own), "##")
        if isinstance(command, click.Group):
            yield from _commands(command, own)


def _section(title: str, text: str, level: str) -> str:
    heading = "" if level == "#" else f"{level} `{title}`\n\n"
    body = "\n".join(line.rstrip() for line in text.splitlines())
    return f"{heading}```\n{body}\n```\n"


if __name__ == "__main__":
    click.echo(reference(), nl=False)
