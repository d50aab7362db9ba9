"""The prompt of `infersight sql`, in a process at a terminal of its own."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# (pyarrow publishes no type information)

import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from tests.analysis.recording import MS, Recording
from tests.support.terminals import Terminal

from infersight_analysis import connect
from infersight_analysis.prompt.catalogue import Catalogue
from infersight_analysis.prompt.completion import SqlCompleter
from infersight_analysis.prompt.shell import is_complete

ENDLESS = "select sum(a.range * b.range) from range(10000000) a, range(10000000) b;"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    facts = {"http.route": "/predict", "http.response.status_code": 200}
    recording.span(1, 1, "POST /predict", 0, 5 * MS, kind="SERVER", attributes=facts)
    recording.log(1, "hello", trace=1, attributes={"user.name": "ada"})
    return recording.write(tmp_path_factory.mktemp("prompt") / "store")


@pytest.fixture
def prompt(store: Path, tmp_path: Path) -> Generator[Callable[..., Terminal]]:
    """Starts `infersight sql` at a terminal, and waits for its prompt."""
    started: list[Terminal] = []

    def start(*options: str | Path) -> Terminal:
        command = [sys.executable, "-m", "infersight_analysis", "sql", "--store", store, *options]
        terminal = Terminal(command, {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")})
        started.append(terminal)
        terminal.wait_for("infersight>")
        return terminal

    yield start
    for terminal in started:
        terminal.close()


def ask(terminal: Terminal, text: str, *answers: str) -> None:
    """Types a line, waits for what must come, and for the next prompt."""
    terminal.type(f"{text}\r")
    for answer in answers:
        terminal.wait_for(answer)
    terminal.wait_for("infersight>")


def test_a_query_may_have_many_lines_and_is_answered_with_its_time(prompt: Callable[..., Terminal]) -> None:
    terminal = prompt()
    terminal.type("select name,\r")
    terminal.wait_for("...")
    ask(terminal, "count(*) from spans group by 1;", "POST /predict", "1 row · ")


def test_a_mistake_shows_its_place_and_does_not_end_the_session(prompt: Callable[..., Terminal]) -> None:
    terminal = prompt()
    ask(terminal, "select nam from spans;", 'Referenced column "nam" not found', "^^^")
    ask(terminal, "selec 1;", "syntax error", "^^^")
    ask(terminal, "drop view spans;", "the store is read-only")
    ask(terminal, ".nope", "no command .nope")
    ask(terminal, "select 6 * 7 as answer; select 5 * 5 as other;", "42", "25")


def test_ctrl_c_cancels_the_query_and_ctrl_d_leaves(prompt: Callable[..., Terminal]) -> None:
    terminal = prompt()
    terminal.type(f"{ENDLESS}\r")
    terminal.wait_for("(Ctrl-C ends it)")
    terminal.type("\x03")
    terminal.wait_for("cancelled")
    terminal.wait_for("infersight>")
    ask(terminal, "select 6 * 7 as answer;", "42")
    terminal.type("\x04")
    assert terminal.end() == 0


def test_a_query_that_takes_too_long_ends_and_the_session_goes_on(prompt: Callable[..., Terminal]) -> None:
    terminal = prompt("--timeout", "300ms")
    ask(terminal, ENDLESS, "the query took longer than 300ms")
    ask(terminal, "select 6 * 7 as answer;", "42")


def test_commands_list_views_and_columns_and_change_the_form(prompt: Callable[..., Terminal]) -> None:
    terminal = prompt()
    ask(terminal, ".tables", "one row is one log record or log event", "waterfall(...)")
    ask(terminal, ".schema traces", "number of spans with the status `ERROR`")
    ask(terminal, ".schema slowest", "slowest(service := null", "most rows", "32 lower-case hex digits")
    ask(terminal, ".schema nothing", "no view or macro nothing")
    ask(terminal, ".format json")
    ask(terminal, "select 1 as a;", '[{"a": 1}]')
    ask(terminal, ".format parquet")
    ask(terminal, "select 1 as a;", "parquet is not for a terminal")
    ask(terminal, ".help", "as Ctrl-D does")


def test_a_result_goes_to_a_file_once(prompt: Callable[..., Terminal], tmp_path: Path) -> None:
    terminal = prompt()
    ask(terminal, f".output {tmp_path / 'spans.parquet'}")
    ask(terminal, "from spans;", "1 row · ", "spans.parquet")
    ask(terminal, "select 6 * 7 as answer;", "42")
    assert pq.read_table(tmp_path / "spans.parquet")["name"].to_pylist() == ["POST /predict"]


def test_refresh_shows_what_was_written_since(prompt: Callable[..., Terminal], tmp_path: Path) -> None:
    store = Recording().write(tmp_path / "store")
    terminal = prompt("--store", store)
    recording = Recording()
    recording.span(1, 1, "later", 0, MS)
    recording.write(store, writer="later")
    ask(terminal, "select count(*) || ' spans' from spans;", "0 spans")
    ask(terminal, ".refresh", "as it was at")
    ask(terminal, "select count(*) || ' spans' from spans;", "1 spans")


def test_what_was_typed_is_kept_for_the_next_session_readable_to_its_user_alone(
    prompt: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = prompt()
    ask(terminal, "select 1234567;", "1 row · ")
    terminal.type("\x04")
    assert terminal.end() == 0
    kept = tmp_path / "state" / "infersight" / "sql_history"
    assert "select 1234567;" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    ask(prompt(), "\x1b[A", "1 row · ")


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("", True),
        (".help", True),
        ("select 1", False),
        ("select 1;", True),
        ("select 1;  \n", True),
        ("select ';", False),
        ("select ';';", True),
        ("select 1 -- ;", False),
        ("select 1; -- done", True),
        ('select "a;', False),
        ("select 1 /* ;", False),
    ],
)
def test_enter_ends_a_query_at_its_semicolon_only(text: str, complete: bool) -> None:
    assert is_complete(text) is complete


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("select attributes['ro", ["http.route']"]),
        ("select attributes['http.res", ["http.response.status_code']"]),
        ("select attributes['us", ["user.name']"]),
        ("select resource_attributes['service.n", ["service.name']"]),
        ("from tra", ["traces"]),
        ("describe deploy", ["deployments"]),
        ("select root_n", ["root_name"]),
        ("select quantile_co", ["quantile_cont("]),
        ("select * from spans wher", ["where"]),
        ("select 'fro", []),
        (".sch", [".schema"]),
        (".schema span_e", ["span_events"]),
    ],
)
def test_names_keys_words_and_commands_are_completed(store: Path, typed: str, offered: list[str]) -> None:
    with connect(store) as connection:
        catalogue = Catalogue.of(connection)
    completer = SqlCompleter({".schema": list(catalogue.views)}, catalogue)
    found = [completion.text for completion in completer.get_completions(Document(typed), CompleteEvent())]
    assert [text for text in found if text in offered] == offered
    assert bool(found) == bool(offered)


def test_only_columns_and_keys_of_the_views_that_are_named_are_offered(store: Path) -> None:
    with connect(store) as connection:
        completer = SqlCompleter({}, Catalogue.of(connection))

    def offered(before: str, after: str) -> list[str]:
        document = Document(before + after, len(before))
        return [completion.text for completion in completer.get_completions(document, CompleteEvent())]

    assert offered("select attributes['user", "'] from spans") == []
    assert offered("select attributes['user", "'] from logs") == ["user.name"]
    assert "severity_text" not in offered("select s", " from spans")
    assert "severity_text" in offered("select s", " from logs")
