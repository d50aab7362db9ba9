"""What speaks for a service, in words, with the numbers and where they can be checked."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from infersight_analysis.findings import Evidence, Sign
from infersight_analysis.forest import Rows
from infersight_analysis.rootcause import checking
from infersight_analysis.rootcause.blame import Blamed
from infersight_analysis.rootcause.delays import Delay
from infersight_analysis.rootcause.doings import FAILURES, KINDS
from infersight_analysis.rootcause.flows import Flow
from infersight_analysis.rootcause.messages import Message
from infersight_analysis.rootcause.scene import Scene
from infersight_analysis.rootcause.series import FAILURES as FAILED_SHARE
from infersight_analysis.rootcause.series import Stray
from infersight_analysis.stats.surprise import evidence
from infersight_analysis.times import short_duration

_MOST_SIGNS: Final = 3
"""Signs of one signal that are told."""

_MOST_EXAMPLES: Final = 5
_LONGEST: Final = 120


def signs(scene: Scene, service: str) -> list[Sign]:
    """What speaks for a service: of each signal the most telling, errors first, then what is least likely."""
    found = [
        *_of_behaviour(scene, service),
        *_of_delays(scene, service),
        *_of_metrics(scene, service),
        *_of_messages(scene, service),
    ]
    found.sort(key=lambda sign: (FAILURES.isdisjoint(sign.of), 1.0 if sign.p_value is None else sign.p_value))
    flow = scene.flows.get(service)
    first = [_of_flow(scene, flow)] if flow is not None and flow.evidence > 0 else []
    return [*first, *found, *_of_versions(scene, service)]


def _of_behaviour(scene: Scene, service: str) -> Iterator[Sign]:
    blame, visits = scene.blame, scene.visits
    number = scene.number(service)
    if number is None or number not in blame.services or evidence(blame.services[number].p_value) <= 0:
        return
    if blame.services[number].is_silent:
        yield _of_silence(scene, service, blame.services[number])
    changes = blame.changes
    is_own = (blame.service == number) & (visits.service[blame.visits] == number)
    blamed = blame.visits[is_own & visits.in_window[blame.visits]]
    rows = np.flatnonzero(np.isin(changes.operation, np.unique(visits.operation[blamed])))
    is_mild = np.array(
        [scene.doings.names[doing][0] not in FAILURES for doing in changes.doing[rows].tolist()], np.bool_
    )
    for row in rows[np.lexsort((changes.p_value[rows], is_mild))][:_MOST_SIGNS].tolist():
        kind, text = scene.doings.names[int(changes.doing[row])]
        operation = scene.operation(int(changes.operation[row]))
        during, before = (int(counts[row]) for counts in changes.doing_it)
        of_during, of_before = (int(counts[row]) for counts in changes.visits)
        told = f"{during} of {of_during} visits of {operation} {_plural(kind, text)}, {before} of {of_before} before"
        examples = blamed[visits.operation[blamed] == changes.operation[row]]
        yield Sign(
            signal="behaviour",
            statement=told,
            of={"operation": operation, kind: text, **_instance(scene, service, examples)},
            incident=during / of_during,
            baseline=before / of_before,
            p_value=float(changes.p_value[row]),
            evidence=Evidence(_traces(scene, examples), [checking.doing(scene.question, service, kind, text)]),
        )


def _of_silence(scene: Scene, service: str, blamed: Blamed) -> Sign:
    blame, visits = scene.blame, scene.visits
    operation = scene.operation(blamed.operation)
    rows = blame.visits[(blame.service == scene.number(service)) & (visits.operation[blame.visits] == blamed.operation)]
    caller = scene.service(int(visits.service[rows[0]]))
    told = f"{blamed.blamed[0]} of {blamed.visits[0]} visits of {operation} of {caller} got no answer from it"
    return Sign(
        signal="behaviour",
        statement=f"{told}, {blamed.blamed[1]} of {blamed.visits[1]} before",
        of={"operation": operation},
        incident=blamed.blamed[0] / blamed.visits[0],
        baseline=blamed.blamed[1] / blamed.visits[1],
        p_value=blamed.p_value,
        evidence=Evidence(
            _traces(scene, rows[visits.in_window[rows]]), [checking.spans(scene.question, caller, operation)]
        ),
    )


def _plural(kind: str, text: str) -> str:
    verb, _, rest = KINDS[kind].partition(" ")
    plural = {"does": "do", "calls": "call", "logs": "log", "raises": "raise", "fails": "fail"}[verb]
    return f"{plural} {rest}".format(_clipped(text))


def _of_delays(scene: Scene, service: str) -> Iterator[Sign]:
    slowness = scene.delays.get(service)
    if slowness is None or slowness.evidence <= 0:
        return
    for delay in slowness.delays[:_MOST_SIGNS]:
        if evidence(delay.p_value) > 0:
            yield _of_delay(scene, service, delay, slowness.share)


def _of_delay(scene: Scene, service: str, delay: Delay, share: float) -> Sign:
    during, before = (short_duration(median) for median in delay.medians_ns)
    if delay.way is None:
        operation = scene.operation(delay.operation or 0)
        of = {"operation": operation}
        what = f"{operation} takes {during} itself, {before} before"
        rows = np.flatnonzero((scene.visits.operation == delay.operation) & scene.visits.in_window)
        times = scene.visits.own_ns
    else:
        caller, called = (scene.service(number) for number in delay.way)
        of = {"way": f"{caller} to {called}"}
        what = f"the way from {caller} to {called} and back takes {during}, {before} before"
        rows = scene.visits_between(*delay.way)
        times = scene.visits.network_ns
    slowest = rows[np.argsort(-times[rows], kind="stable")]
    told = f"{what} (medians of {delay.visits[0]} and {delay.visits[1]} visits; {share:.0%} of all the extra waiting)"
    return Sign(
        signal="delay",
        statement=told,
        of={**of, **_instance(scene, service, slowest[: max(1, len(slowest) // 2)])},
        incident=delay.medians_ns[0],
        baseline=delay.medians_ns[1],
        p_value=delay.p_value,
        evidence=Evidence(_traces(scene, slowest), [checking.spans(scene.question, service, of.get("operation"))]),
    )


def _of_metrics(scene: Scene, service: str) -> Iterator[Sign]:
    straying = scene.strays.get(service)
    for stray in straying.strays[:_MOST_SIGNS] if straying is not None else []:
        if evidence(stray.p_value) > 0:
            yield _of_stray(scene, stray)


def _of_stray(scene: Scene, stray: Stray) -> Sign:
    series, sample = stray.series, stray.series.sample
    during, before = float(np.median(sample.incident)), float(np.median(sample.baseline))
    unit = f" {series.unit}" if series.unit not in {"", "1"} else ""
    reading = {"rate": " a second", "count": " a second", "mean": " on average", "value": ""}[series.reading]
    told = f"{series.name} reads {_number(during)}{unit}{reading}, {_number(before)} before"
    return Sign(
        signal="metric",
        statement=f"{told} ({abs(stray.deviation):.3g} deviations)",
        of={"metric": series.name, **({"instance": series.instance} if series.instance else {})},
        incident=during,
        baseline=before,
        p_value=stray.p_value,
        evidence=Evidence([], [checking.metric(scene.question, series)]),
    )


def _of_messages(scene: Scene, service: str) -> Iterator[Sign]:
    logging = scene.logs.get(service)
    for message in logging.messages[:_MOST_SIGNS] if logging is not None else []:
        if evidence(message.p_value) > 0:
            yield _of_message(scene, service, message)


def _of_message(scene: Scene, service: str, message: Message) -> Sign:
    kind = "error log" if message.is_error else "log"
    during, before = message.rates
    return Sign(
        signal="log",
        statement=f"logs “{_clipped(message.template)}” {_number(during)} times a second, {_number(before)} before",
        of={"template": message.template},
        incident=during,
        baseline=before,
        p_value=message.p_value,
        evidence=Evidence([], [checking.doing(scene.question, service, kind, message.template)]),
    )


def _of_flow(scene: Scene, flow: Flow) -> Sign:
    symptom = scene.question.symptom.service if scene.question.symptom is not None else ""
    what = "share of failures" if flow.kind == FAILED_SHARE else f"{flow.series.name} ({flow.series.unit or 'no unit'})"
    told = f"{what} is {_number(flow.incident)}, {_number(flow.baseline)} before"
    return Sign(
        signal="flow",
        statement=f"{told}; its own excess explains {flow.share:.0%} of what {symptom} has",
        of={"metric": flow.series.name},
        incident=flow.incident,
        baseline=None if np.isnan(flow.baseline) else flow.baseline,
        p_value=None,
        evidence=Evidence([], [checking.metric(scene.question, flow.series)], {"own": flow.own, "excess": flow.excess}),
    )


def _of_versions(scene: Scene, service: str) -> Iterator[Sign]:
    """The versions that the baseline does not have: no test, but worth knowing."""
    table = scene.visits.table
    of_service = scene.visits.service == scene.number(service)
    versions = table.version
    during, before = (
        set(np.unique(versions.codes[scene.visits.top[of_service & chosen]]).tolist())
        for chosen in (scene.visits.in_window, ~scene.visits.in_window)
    )
    for number in sorted(during - before) if before else []:
        if versions.values[number]:
            yield Sign(
                signal="version",
                statement=f"runs version {versions.values[number]}, which the baseline does not have",
                of={"version": versions.values[number]},
                incident=1.0,
                baseline=0.0,
                p_value=None,
                evidence=Evidence([], [checking.spans(scene.question, service, None)]),
            )


def _instance(scene: Scene, service: str, examples: Rows) -> dict[str, str]:
    """The instance, where all examples are of one and the service has others."""
    table = scene.visits.table
    every = np.unique(table.instance.codes[scene.visits.top[scene.visits.service == scene.number(service)]])
    of_examples = np.unique(table.instance.codes[scene.visits.top[examples]])
    if len(every) > 1 and len(of_examples) == 1 and (name := table.instance.values[int(of_examples[0])]):
        return {"instance": name}
    return {}


def _traces(scene: Scene, visits: Rows) -> list[str]:
    traces = scene.visits.table.trace_id.values
    return list(dict.fromkeys(traces[int(number)] for number in scene.visits.trace[visits]))[:_MOST_EXAMPLES]


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _number(value: float) -> str:
    """Three digits; thousands in groups."""
    return f"{value:.3g}" if abs(value) < 999.5 or abs(value) >= 1e15 else f"{value:,.0f}".replace(",", " ")
