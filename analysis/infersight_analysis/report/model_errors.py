"""What a model is wrong about, on the terminal."""

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infersight_analysis.findings.model_errors import ErrorSlice, Example, ModelErrors, Share, Slices
from infersight_analysis.quality.telling import in_words
from infersight_analysis.report.output import bar, clipped, console, joined, plain_table, print_next

_EXAMPLES: Final = 3
_CLASSES: Final = 12
_BAR_WIDTH: Final = 12
_LABEL_WIDTH: Final = 24


def print_model_errors(found: ModelErrors) -> None:
    """Print where it is wrong, what it takes for what, how sure it was, and what happens at the edges."""
    out = console()
    out.print(Text(found.summary, style="bold"))
    for note in found.notes:
        out.print(Text(note, style="yellow"))
    for each in found.slices:
        _print_slices(out, each)
    if found.classes and found.wrong.of:
        _print_classes(out, found)
    if found.bands:
        _print_bands(out, found)
    if found.calibration is not None:
        out.print()
        out.print(Text(found.calibration.statement))
    _print_edges(out, found)
    if found.written is not None:
        out.print(Text(f"\n{found.written:,} mistakes were written as a regression set", style="dim"))
    traces = [trace for each in found.slices for one in each.slices for trace in one.evidence.trace_ids]
    if traces:
        print_next(out, "investigate", traces[0])


def percent(share: Share) -> str:
    """A share with its interval: `12 % (8 to 17)`, `-` where there is none."""
    if share.share is None or share.interval is None:
        return "-"
    value, low, high = (
        f"{100 * each:.0f}" if each >= 0.0995 else f"{100 * each:.2g}" for each in (share.share, *share.interval)
    )
    return f"{value} % ({low} to {high})"


def example_line(example: Example) -> str:
    """One prediction: `positive, not negative (0.97) · 4b1f... · trace 0af7...`."""
    right = f"{example.label}, not {example.label_true}" if example.label_true is not None else example.label
    sure = "" if example.confidence is None else f" ({example.confidence:.3g})"
    trace = f"trace {example.trace_id}" if example.trace_id else None
    return joined(f"{right}{sure}", example.prediction_id, trace)


def _print_slices(out: Console, found: Slices) -> None:
    heading = f"Where it is {found.what}" if found.what != "failed" else "Where it failed"
    out.print(f"\n[bold cyan]{heading}[/] [dim]({percent(found.bad)} in all, {found.tests:,} tests)[/]")
    if not found.slices:
        out.print("  nowhere more than chance explains")
    for number, each in enumerate(found.slices, 1):
        out.print(_slice(number, each))


def _slice(number: int, found: ErrorSlice) -> Table:
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_column(justify="right", width=3, style="dim")
    line.add_column(overflow="fold")
    line.add_row(str(number), Text(found.statement))
    examples = "; ".join(example_line(each) for each in found.examples[:1])
    line.add_row("", Text(joined(f"q = {found.q_value:.1g}", f"e.g. {examples}" if examples else None), style="dim"))
    if found.same_as:
        same = ", ".join(in_words([each.attribute], [each.value]) for each in found.same_as[:_EXAMPLES])
        line.add_row("", Text(f"the same predictions: {same}", style="dim"))
    return line


def _table(*headings: str, left: int = 1) -> Table:
    table = plain_table()
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < left else "right", no_wrap=True)
    return table


def _print_classes(out: Console, found: ModelErrors) -> None:
    out.print("\n[bold cyan]By class[/]")
    table = _table("label", "is right for", "recall", "precision", "f1")
    table.add_column("mistaken for", overflow="fold")
    for each in found.classes[:_CLASSES]:
        mistaken = ", ".join(f"{clipped(label, _LABEL_WIDTH)} {count:,}" for label, count in each.mistaken_for)
        table.add_row(
            Text(clipped(each.label, _LABEL_WIDTH)),
            f"{each.recall.of:,}",
            percent(each.recall),
            percent(each.precision),
            "-" if each.f1 is None else f"{each.f1:.2f}",
            Text(mistaken),
        )
    out.print(table)
    if len(found.classes) > _CLASSES:
        out.print(Text(f"... and {len(found.classes) - _CLASSES} rarer classes", style="dim"))


def _print_bands(out: Console, found: ModelErrors) -> None:
    out.print("\n[bold cyan]By how sure it was[/]")
    table = _table("confidence", "", "predictions", "wrong", "", left=2)
    for band in found.bands:
        share = band.wrong.share or 0.0
        table.add_row(
            band.name,
            f"{band.low:g} to {band.high:g}",
            f"{band.predictions:,}",
            f"{band.wrong.count:,} of {band.wrong.of:,}, {percent(band.wrong)}" if band.wrong.of else "-",
            bar(0, share, _BAR_WIDTH) if share else "",
        )
    out.print(table)


def _print_edges(out: Console, found: ModelErrors) -> None:
    if not found.edge_cases:
        return
    worse = [each for each in found.edge_cases if each.is_worse]
    out.print(f"\n[bold cyan]At the edges of the inputs[/] [dim]({len(found.edge_cases)} looked at)[/]")
    if not worse:
        told = (
            "none is wrong more often than chance explains" if found.wrong.of else "nothing can be said without labels"
        )
        out.print(f"  {told}")
    for each in worse:
        said = f"{percent(each.wrong)} of {each.wrong.of:,} are wrong, elsewhere {percent(each.elsewhere)}"
        out.print(Text(f"  {each.statement}: {said}; q = {each.q_value:.1g}"))
