"""The prompt: reads queries and commands, answers them, and survives whatever goes wrong with one."""

import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import duckdb
from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer  # pyright: ignore[reportMissingTypeStubs]
from rich.table import Table
from rich.text import Text

from infersight_analysis.database import connect
from infersight_analysis.errors import AnalysisError
from infersight_analysis.macros import MACROS, Macro
from infersight_analysis.mistakes import explained
from infersight_analysis.options import Window
from infersight_analysis.prompt.catalogue import Catalogue
from infersight_analysis.prompt.completion import SqlCompleter, shorten
from infersight_analysis.report.output import console
from infersight_analysis.report.results import FORMATS, Question, form_of
from infersight_analysis.statements import read_only
from infersight_analysis.views import VIEWS, View

SHOWN_ROWS: Final = 100
"""Most rows of a table at the prompt."""

_PROMPT: Final = "infersight> "
_CONTINUED: Final = "        ... "
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


def is_complete(text: str) -> bool:
    """Whether Enter ends what was typed: a command, nothing at all, or a query up to its semicolon."""
    stripped = text.strip()
    if not stripped or stripped.startswith("."):
        return True
    bare = _QUOTED.sub("", stripped)
    return bare.rstrip().endswith(";") and not any(quote in bare for quote in ("'", '"', "/*"))


class Command(NamedTuple):
    """A command that begins with a dot."""

    usage: str
    about: str
    run: Callable[[str], None]


class Shell:
    """A prompt over a store.

    Args:
        store: directory of the store.
        window: the time that the views are narrowed to.
        form: how results are printed at first.
        timeout: how long a query may take, as in `30s`.

    Raises:
        StoreError: there is no store that can be read.
    """

    def __init__(self, store: Path, window: Window, form: str, timeout: str | None) -> None:
        self._store = store
        self._window = window
        self._timeout = timeout
        self._form = form
        self._output: Path | None = None
        self._console = console()
        self._commands = {
            ".tables": Command("", "the views and macros", self._tables),
            ".schema": Command("NAME", "columns of a view or macro, their types and meaning", self._schema),
            ".format": Command("FORM", f"how to print: {', '.join(FORMATS)}", self._set_format),
            ".output": Command(
                "FILE", "write the next result to a file, in the form that its name says", self._set_output
            ),
            ".refresh": Command("", "look at the store as it is now", self._refresh),
            ".help": Command("", "this", self._help),
            ".quit": Command("", "leave, as Ctrl-D does", self._quit),
        }
        self._open()
        arguments = {".schema": [*self._catalogue.views, *self._catalogue.macros], ".format": FORMATS}
        self._completer = SqlCompleter({name: arguments.get(name, ()) for name in self._commands}, self._catalogue)

    def run(self) -> None:
        """Read and answer until the end."""
        session: PromptSession[str] = PromptSession(
            history=_history(),
            completer=self._completer,
            complete_while_typing=True,
            auto_suggest=AutoSuggestFromHistory(),
            lexer=PygmentsLexer(SqlLexer),
            multiline=Condition(lambda: not is_complete(get_app().current_buffer.text)),
            prompt_continuation=_CONTINUED,
        )
        self._say(f"{self._store}, {self._snapshot}; end a query with ; and see .help")
        while True:
            try:
                self.answer(session.prompt(_PROMPT))
            except KeyboardInterrupt:
                self._say("cancelled")
            except EOFError:
                break
        self._connection.close()

    def answer(self, text: str) -> None:
        """Answer what was typed; a mistake is printed and that is all that it does.

        Args:
            text: a command, or queries, each up to its semicolon.

        Raises:
            EOFError: to leave.
            KeyboardInterrupt: a query was cancelled.
        """
        try:
            if text.lstrip().startswith("."):
                self._run_command(*text.strip().rstrip(";").partition(" ")[::2])
                return
            for statement in self._statements(text):
                self._run_query(statement)
        except AnalysisError as error:
            self._console.print(Text(str(error), style="red"))
            if error.detail:
                self._console.print(Text(error.detail), soft_wrap=True)

    def _statements(self, text: str) -> list[str]:
        try:
            return [statement.query for statement in self._connection.extract_statements(text)]
        except duckdb.Error as error:
            raise explained(self._connection, text, error) from error

    def _run_query(self, query: str) -> None:
        question = Question(self._connection, query)
        try:
            read_only(self._connection, query)
            if self._output is not None:
                path, self._output = self._output, None
                progress = question.write_file(form_of(path), path)
                self._say(f"{progress.summary} in {path}")
            elif self._form == "table":
                grid = question.look(SHOWN_ROWS)
                grid.print(self._console)
                more = f"the first {SHOWN_ROWS} rows, .format json or .output FILE has all"
                self._say(f"{more} · {grid.took}" if grid.more else grid.took)
            else:
                self._say(question.write_stdout(self._form).summary)
        except duckdb.InterruptException as error:
            raise AnalysisError(f"the query took longer than {self._timeout}") from error
        except duckdb.Error as error:
            raise explained(self._connection, query, error) from error

    def _run_command(self, name: str, argument: str) -> None:
        command = self._commands.get(name)
        if command is None:
            raise AnalysisError(f"no command {name}: .help lists those that there are")
        command.run(argument.strip())

    def _open(self) -> None:
        window = self._window
        self._connection = connect(self._store, start=window.start_ns, end=window.end_ns, timeout=self._timeout)
        self._snapshot = f"as it was at {datetime.now(UTC):%H:%M:%S} UTC"
        self._catalogue = Catalogue.of(self._connection)

    def _refresh(self, _argument: str) -> None:
        self._connection.close()
        self._open()
        self._completer.catalogue = self._catalogue
        self._say(f"{self._store}, {self._snapshot}")

    def _tables(self, _argument: str) -> None:
        self._list({view.name: [f"one row is {view.about}"] for view in VIEWS})
        self._list({f"{macro.name}(...)": [f"one row is {macro.about}"] for macro in MACROS})

    def _schema(self, name: str) -> None:
        known: dict[str, View | Macro] = {found.name: found for found in (*VIEWS, *MACROS)}
        found = known.get(name.partition("(")[0])
        if found is None:
            raise AnalysisError(f"no view or macro {name}: .tables lists those that there are")
        if isinstance(found, Macro):
            self._say(found.signature)
            self._list({parameter: [meaning.about] for parameter, meaning in found.parameters.items()})
            self._say("gives")
        types = self._catalogue.views.get(found.name, {})
        self._list({column: [shorten(types.get(column, "")), about] for column, about in found.columns.items()})

    def _set_format(self, form: str) -> None:
        if form not in FORMATS:
            raise AnalysisError(f"{form or 'no format'}: choose one of {', '.join(FORMATS)}; now it is {self._form}")
        self._form = form

    def _set_output(self, name: str) -> None:
        path = Path(name).expanduser() if name else None
        if path is not None:
            form_of(path)
        self._output = path

    def _help(self, _argument: str) -> None:
        self._list({f"{name} {command.usage}": [command.about] for name, command in self._commands.items()})
        self._say("A query ends with ; and may have many lines. Tab completes. Ctrl-C cancels, Ctrl-D leaves.")

    def _quit(self, _argument: str) -> None:
        raise EOFError

    def _list(self, entries: dict[str, Sequence[str]]) -> None:
        grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        grid.add_column(style="bold", no_wrap=True)
        for name, facts in entries.items():
            grid.add_row(*map(Text, (name, *facts)))
        self._console.print(grid)

    def _say(self, text: str) -> None:
        self._console.print(Text(text, style="dim"))


def _history() -> History:
    """Earlier input, in the user's state directory; where that cannot be written, only of this run."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    file = state / "infersight" / "sql_history"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(file))
