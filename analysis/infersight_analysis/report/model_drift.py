"""What has drifted, on the terminal."""

from typing import Final

from rich.console import Console
from rich.text import Text

from infersight_analysis.findings.model_drift import DriftGroup, FeatureDrift, ModelDrift
from infersight_analysis.report.output import bar, console, plain_table, print_next
from infersight_analysis.times import readable_time

_FEATURES: Final = 12
_BAR_WIDTH: Final = 10
_LARGE: Final = 0.5
"""An index whose bar is full."""


def print_model_drift(found: ModelDrift) -> None:
    """Print what has drifted of all predictions, then of each group, the largest changes first."""
    out = console()
    out.print(Text(found.summary, style="bold"))
    for note in found.notes:
        out.print(Text(note, style="yellow"))
    for group in found.groups:
        _print_group(out, group)
    traces = [trace for group in found.groups for each in group.features for trace in each.evidence.trace_ids]
    if traces:
        print_next(out, "investigate", traces[0])


def when(found: FeatureDrift) -> str | None:
    """Since when, with the interval; None where no moment can be told."""
    if found.began is None:
        return None
    at, earliest, latest = map(readable_time, (found.began.time, found.began.earliest, found.began.latest))
    return f"since {at} ({earliest} to {latest})"


def _print_group(out: Console, group: DriftGroup) -> None:
    name = group.group or "all predictions"
    against = f"{group.reference:,} of {'the reference' if group.against == 'all' else 'the same in the reference'}"
    out.print()
    out.print(Text.assemble((name, "bold cyan"), (f" ({group.current:,} against {against})", "dim")))
    table = plain_table()
    table.add_column("", no_wrap=True)
    table.add_column("what changed", overflow="fold")
    for heading in ("index", "95 %", "by chance", "q"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for each in group.features[:_FEATURES]:
        low, high = each.psi_interval
        table.add_row(
            "drift" if each.is_drift else "",
            Text(each.statement),
            f"{each.psi:.3f}",
            f"{low:.3f} to {high:.3f}",
            f"{each.psi_noise:.3f}",
            f"{each.q_value:.1g}",
            bar(0, min(1.0, each.psi / _LARGE), _BAR_WIDTH),
            style=None if each.is_drift else "dim",
        )
        if (since := when(each)) is not None:
            table.add_row("", Text(since, style="yellow"))
    out.print(table)
    if len(group.features) > _FEATURES:
        out.print(Text(f"... and {len(group.features) - _FEATURES} that changed less", style="dim"))
