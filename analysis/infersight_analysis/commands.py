"""Groups of commands that are loaded when they are called, so that the command line starts fast and small."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import click

from infersight_analysis.errors import AnalysisError

PIPE_CLOSED: Final = 141  # 128 + SIGPIPE, as shells say it

_OUR_PACKAGES: Final = ("infersight", "infersight_collector", "infersight_analysis")


@dataclass(frozen=True)
class Verb:
    """A command that is not loaded yet.

    Args:
        module: where its command is.
        attribute: the command's name there.
        extra: the optional dependencies that it needs.
        about: one line of help.
    """

    module: str
    attribute: str
    extra: str
    about: str


class Verbs(click.Group):
    """A group of the commands of a registry; listing them loads none.

    Args:
        verbs: the commands by name, in the order in which one meets them.
        options: of `click.Group`.
    """

    def __init__(self, *, verbs: Mapping[str, Verb], **options: Any) -> None:
        super().__init__(**options)
        self.verbs: Final = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """The names, in the registry's order."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The loaded command, None where there is no such verb.

        Raises:
            AnalysisError: its extra is not installed.
        """
        verb = self.verbs.get(cmd_name)
        if verb is None:
            return None
        try:
            command = getattr(import_module(verb.module), verb.attribute)
        except ModuleNotFoundError as error:
            raise self._missing_extra(ctx, cmd_name, error) from error
        if not isinstance(command, click.Command):
            raise TypeError(f"{verb.module}.{verb.attribute} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the registry."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.verbs[name].about) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; a reader that closed the pipe ends it quietly."""
        try:
            outcome = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # The interpreter flushes once more when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(PIPE_CLOSED)
        except ModuleNotFoundError as error:
            raise self._missing_extra(ctx, ctx.invoked_subcommand or "", error) from error
        return outcome

    def _missing_extra(self, ctx: click.Context, name: str, error: ModuleNotFoundError) -> Exception:
        """What to say about a missing module; a missing one of our own is a fault, not an extra."""
        if (error.name or "").partition(".")[0] in _OUR_PACKAGES:
            return error
        extra = self.verbs[name].extra
        return AnalysisError(f"{ctx.command_path} {name} needs the '{extra}' extra: pip install 'infersight[{extra}]'")
