"""The `infersight` command: verbs are loaded when they are called, so that it starts fast and small."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from infersight_analysis.errors import AnalysisError

OK: Final = 0
WRONG_USE: Final = 2
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells say it
PIPE_CLOSED: Final = 141  # 128 + SIGPIPE


@dataclass(frozen=True)
class Verb:
    """A verb that is not loaded yet.

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


VERBS: Final = {
    "demo": Verb(
        "infersight_analysis.demo.cli", "demo_command", "all", "Run a server with real faults, and explain them."
    ),
    "doctor": Verb("infersight.doctor", "doctor_command", "all", "Say what is configured, and whether it arrives."),
    "run": Verb("infersight.cli", "run_command", "fastapi", "Run a server with its telemetry on."),
    "collector": Verb(
        "infersight_collector.cli", "collector_command", "collector", "Take OTLP and keep it in a store."
    ),
    "import": Verb("infersight_collector.cli", "import_command", "collector", "Put OTLP files into a store."),
    "sql": Verb("infersight_analysis.verbs.sql", "sql_command", "analysis", "Ask the store in SQL."),
    "slow": Verb(
        "infersight_analysis.verbs.slow", "slow_command", "analysis", "The slow requests, what their time went to."
    ),
    "investigate": Verb(
        "infersight_analysis.verbs.investigate", "investigate_command", "analysis", "Why one request was slow."
    ),
    "errors": Verb("infersight_analysis.verbs.errors", "errors_command", "analysis", "What broke, grouped."),
}

_OUR_PACKAGES: Final = ("infersight", "infersight_collector", "infersight_analysis")


class Verbs(click.Group):
    """Commands by `VERBS`; listing them loads none."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """The verbs, in the order in which one meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's interface
        """The loaded command, None where there is no such verb.

        Raises:
            AnalysisError: its extra is not installed.
        """
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        try:
            command = getattr(import_module(verb.module), verb.attribute)
        except ModuleNotFoundError as error:
            raise _missing_extra(cmd_name, error) from error
        if not isinstance(command, click.Command):
            raise TypeError(f"{verb.module}.{verb.attribute} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the registry."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, VERBS[name].about) for name in self.list_commands(ctx)])

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
            raise _missing_extra(ctx.invoked_subcommand or "", error) from error
        return outcome


def _missing_extra(verb: str, error: ModuleNotFoundError) -> Exception:
    """What to say about a missing module; a missing one of our own is a fault, not an extra."""
    if (error.name or "").partition(".")[0] in _OUR_PACKAGES:
        return error
    extra = VERBS[verb].extra
    return AnalysisError(f"infersight {verb} needs the '{extra}' extra: pip install 'infersight[{extra}]'")


@click.group(cls=Verbs, name="infersight", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="infersight", message="infersight %(version)s")
def root() -> None:
    """Flight recorder and forensics bench for Python model servers.

    Verbs exit with 0 when done, 1 for a finding that a script must see, 2 for wrong use or unreadable input, 3 when
    more data is needed.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Args:
        arguments: without the program's name; those of the process by default.
    """
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; an error is one line on stderr.

    Returns:
        The exit code.
    """
    try:
        outcome = root.main(args=arguments, prog_name="infersight", standalone_mode=False)
    except click.Abort:
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return WRONG_USE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "infersight"
        return _fail(f"{error.format_message()} (see {path} --help)")
    except click.ClickException as error:
        return _fail(error.format_message())
    except AnalysisError as error:
        return _fail(str(error))
    return outcome if isinstance(outcome, int) else OK


def _fail(message: str) -> int:
    click.echo(" ".join(message.split()), err=True)
    return WRONG_USE
