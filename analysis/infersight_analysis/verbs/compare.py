"""`infersight compare`: what distinguishes two cohorts of requests."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.allocation import keep_memory
from infersight_analysis.cohorts.candidates import LEAST_REQUESTS
from infersight_analysis.cohorts.comparison import compare
from infersight_analysis.cohorts.question import MARGIN_NS, OUTCOMES, Question, Slow
from infersight_analysis.critical_paths.what_if import Change
from infersight_analysis.errors import AnalysisError
from infersight_analysis.illustrations import durations_of
from infersight_analysis.options import Window
from infersight_analysis.report.compare import print_comparison
from infersight_analysis.report.html.comparison import comparison_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.session import opened
from infersight_analysis.stored import literal

__all__ = ["compare", "compare_command"]

NEED_MORE_DATA: Final = 3


def slow(over: str = "p95") -> Question:
    """Slow requests against the others.

    Args:
        over: a least duration such as `500ms`, or a percentile of the requests considered, such as `p95`.

    Raises:
        AnalysisError: it is neither.
    """
    return Question(Slow.of(over), about=("the slow requests", "the others"))


def failed() -> Question:
    """Failed requests against the others; how a request ended is not said of it again."""
    return Question("status_code = 'ERROR'", about=("the failed requests", "the others"), restated=OUTCOMES)


def versions(target: str, baseline: str | None = None) -> Question:
    """Requests to one version of their service against those to another one, or to all others."""
    other = None if baseline is None else f"service_version = {literal(baseline)}"
    about = (f"version {target}", "the other versions" if baseline is None else f"version {baseline}")
    return Question(f"service_version = {literal(target)}", other, about)


def windows(target: Window, baseline: Window | None = None) -> Question:
    """Requests that began in one time against those that began in another one, or in all others."""
    during = [_during(window) for window in (target, baseline) if window is not None]
    about = ("the target window", "the rest of the time" if baseline is None else "the baseline window")
    return Question(during[0], during[1] if baseline else None, about)


def _during(window: Window) -> str:
    return f"start_time_ns >= {window.start_ns} and start_time_ns < {window.end_ns}"


def _question(
    *,
    target: str | None,
    baseline: str | None,
    is_slow: bool,
    over: str | None,
    errors: bool,
    of_windows: tuple[str | None, str | None],
    of_versions: tuple[str | None, str | None],
) -> Question:
    """The question that the options ask.

    Raises:
        AnalysisError: it is none, or more than one.
    """
    named = [each is not None for each in (target, of_windows[0], of_versions[0])]
    if sum((*named, errors, is_slow or over is not None)) != 1:
        ways = "--target EXPR, --slow, --errors, --target-window or --target-version"
        raise AnalysisError(f"say in one way which requests to compare: {ways}")
    for other, of_target, name in (
        (baseline, target, "--baseline"),
        (of_windows[1], of_windows[0], "--baseline-window"),
        (of_versions[1], of_versions[0], "--baseline-version"),
    ):
        if other is not None and of_target is None:
            raise AnalysisError(f"{name} goes with {name.replace('baseline', 'target')}")
    if target is not None:
        return Question(target, baseline)
    if errors:
        return failed()
    if of_windows[0] is not None:
        return windows(Window.between(of_windows[0]), None if of_windows[1] is None else Window.between(of_windows[1]))
    if of_versions[0] is not None:
        return versions(of_versions[0], of_versions[1])
    return slow() if over is None else slow(over)


@click.command(name="compare")
@click.option("--target", metavar="EXPR", help="The requests whose span meets this condition, in SQL on `spans`.")
@click.option("--baseline", metavar="EXPR", help="Against these; by default against all others.")
@click.option("--slow", "is_slow", is_flag=True, help="The slow requests against the others.")
@click.option("--over", metavar="DURATION|pNN", help="What is slow: at least 500ms, or at least p95, the default.")
@click.option("--errors", is_flag=True, help="The failed requests against the others.")
@click.option("--target-window", metavar="START..END", help="The requests that began between two times, ISO 8601.")
@click.option("--baseline-window", metavar="START..END", help="Against these; by default against all others.")
@click.option("--target-version", metavar="VERSION", help="The requests to this version of their service.")
@click.option("--baseline-version", metavar="VERSION", help="Against these; by default against all others.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Most findings to list.")
@options.SERVICE
@options.ROUTE
@options.CALLED_MODEL
@options.WHAT_IF
@options.STORE
@options.report("table", "json", "html")
@options.window
def compare_command(
    *,
    target: str | None,
    baseline: str | None,
    is_slow: bool,
    over: str | None,
    errors: bool,
    target_window: str | None,
    baseline_window: str | None,
    target_version: str | None,
    baseline_version: str | None,
    limit: int,
    service: str | None,
    route: str | None,
    model: str | None,
    what_if: tuple[str, ...],
    store: Path,
    form: str,
    output: Path | None,
    window: Window,
) -> int:
    """What distinguishes two cohorts of requests: slow or failed ones, two times, two versions, any two conditions.

    Every attribute of the requests, their parents, the spans below them, predictions and logs is tested, on all
    requests, with a false-discovery rate of 1 %; then the difference of their critical paths, call path by call path.
    A condition is SQL on the request's span, with the columns of the view `spans`.

    Exit code 3 when a cohort has fewer than 5 requests.

    \b
    infersight compare --slow --service sentiment --last 1h
    infersight compare --target "attributes['app.tenant'] = 'acme'" --last 1d
    infersight compare --target-version 1.9.0 --baseline-version 1.8.0
    """  # noqa: D301 - click's mark for lines that stay lines
    keep_memory()
    question = _question(
        target=target,
        baseline=baseline,
        is_slow=is_slow,
        over=over,
        errors=errors,
        of_windows=(target_window, baseline_window),
        of_versions=(target_version, baseline_version),
    )
    question = replace(
        question, service=service, route=route, model=model, window=_narrowed(window, target_window, baseline_window)
    )
    changes = [Change.of(text) for text in what_if]
    reach = question.window.widened(MARGIN_NS)
    with opened(store, start_ns=reach.start_ns, end_ns=reach.end_ns) as connection:
        found = compare(connection, question, limit=limit, changes=changes)
        publish_finding(
            form,
            output,
            found,
            print_comparison,
            lambda found: comparison_page(found, durations_of(connection, question, found)),
        )
    if min(found.target.count, found.baseline.count) < LEAST_REQUESTS:
        click.echo(found.notes[0], err=True)
        return NEED_MORE_DATA
    return 0


def _narrowed(window: Window, target: str | None, baseline: str | None) -> Window:
    """The time to read: that of both windows, where no other is given."""
    if target is None or baseline is None or window != Window():
        return window
    both = [Window.between(target), Window.between(baseline)]
    return Window(min(each.start_ns or 0 for each in both), max(each.end_ns or 0 for each in both))
