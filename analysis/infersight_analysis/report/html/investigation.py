"""The page of an investigation: why one request was slow, with everything that says so."""

from typing import Final

from markupsafe import Markup

from infersight_analysis.call_tree import CallPath, Calls, call_tree
from infersight_analysis.findings import Investigation, MetricPoint
from infersight_analysis.illustrations import Illustrations
from infersight_analysis.report.flame_graph import Frame, colours, flame_graph, stacked
from infersight_analysis.report.html import plots
from infersight_analysis.report.html.environment import page, percent, printable
from infersight_analysis.report.html.waterfall import nodes_of, waterfall
from infersight_analysis.report.output import joined
from infersight_analysis.times import short_duration
from infersight_analysis.trace import Node

_LOGS: Final = 500
_METRICS: Final = 30
_LEAST: Final = 8


def investigation_page(found: Investigation, drawn: Illustrations) -> str:
    """One file of HTML that needs nothing else.

    Args:
        found: the investigation.
        drawn: `illustrations_of` it.
    """
    nodes = nodes_of(found)
    rows = waterfall(found, nodes)
    return page(
        "investigation",
        f"{found.name} took {short_duration(found.total_ns)}",
        found=found,
        about=joined(found.service, found.start_time, f"trace {found.trace_id}"),
        rows=rows,
        hidden=len(nodes) - len(rows),
        flames=_flames(nodes[0], found) if nodes else "",
        distribution=_distribution(found, drawn),
        plots=[(_caption(metric), _plot(found, metric, points)) for metric, points in drawn.series],
        logs=found.logs[:_LOGS],
        metrics=found.metrics[:_METRICS],
        queries=list(dict.fromkeys(found.evidence.sql)),
    )


def _flames(request: Node, found: Investigation) -> Markup:
    calls = call_tree(request)
    colour = colours([path[-1][:2] for path in calls])
    frames = [
        _frame(path, calls[path], time_ns, found.total_ns, colour[path[-1][:2]])
        for path, time_ns in stacked({path: float(each.critical_ns) for path, each in calls.items()})
    ]
    title = f"What {found.name} waited for; the breakdown says it as a table"
    return Markup(flame_graph(frames, title, alone=False))  # noqa: S704 - a template of ours, escaped


def _frame(path: CallPath, calls: Calls, time_ns: float, total_ns: int, colour: str) -> Frame:
    name, service = path[-1].name, path[-1].service or "no service"
    label = f"{calls.count:,} \N{MULTIPLICATION SIGN} {name}" if calls.count > 1 else name
    share = percent(time_ns / (total_ns or 1))
    detail = f"{label} ({service}): {short_duration(time_ns)}, {share}; itself {short_duration(calls.critical_ns)}"
    return Frame(len(path) - 1, printable(label), printable(detail), time_ns, colour)


def _distribution(found: Investigation, drawn: Illustrations) -> Markup | None:
    if len(drawn.durations_ns) < _LEAST:
        return None
    share = sum(duration < found.total_ns for duration in drawn.durations_ns) / len(drawn.durations_ns)
    longer = "longer than any of them" if share == 1 else f"longer than {percent(share)} of them"
    about = (
        f"Durations of {len(drawn.durations_ns):,} requests like it in the hours before and after. This one took "
        f"{short_duration(found.total_ns)}, {longer}."
    )
    return Markup("<figure>{}<figcaption>{}</figcaption></figure>").format(
        plots.distribution(drawn.durations_ns, found.total_ns, about), about
    )


def _caption(metric: MetricPoint) -> str:
    attributes = ", ".join(f"{key} {value}" for key, value in metric.attributes.items())
    reading = {"rate": "a second", "mean": "mean"}.get(metric.reading, "")
    unusual = "" if metric.deviation is None else f"deviation {metric.deviation:+.1f}"
    return printable(joined(metric.name, metric.unit, reading, attributes, unusual))


def _plot(found: Investigation, metric: MetricPoint, points: list[tuple[float, float]]) -> Markup:
    readings = [reading for _, reading in points]
    about = (
        f"{_caption(metric)}: {len(points)} points from an hour before the request, between {min(readings):.4g} and "
        f"{max(readings):.4g}, {metric.value:.4g} after it"
    )
    return plots.metric(points, (0.0, found.total_ns / 1e9), about)
