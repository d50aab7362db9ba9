"""The order of the method: what must be there before a step may be taken, and what is missing to close an incident.

data -> symptoms -> hypothesis, supported -> cause that explains every symptom -> fix -> verified -> prevented -> closed
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.log import OPENED, SEVERITIES, Event
from infersight_analysis.incidents.state import State, is_verified
from infersight_analysis.results import Json

ID: Final = "ID"
"""Stands for the incident in the commands below."""


@dataclass(frozen=True)
class Step:
    """A step of the method.

    Args:
        name: `data`, `symptoms`, `hypothesis`, `cause`, `fix`, `verification`, `prevention` or `postmortem`.
        done: whether it is done.
        about: what was done, or what is missing.
        command: what to do next about it, with `ID` for the incident.
        required: whether the incident cannot be closed without it.
    """

    name: str
    done: bool
    about: str
    command: str
    required: bool = True


@dataclass(frozen=True)
class Refusal:
    """Why a step may not be taken now, and which command to give instead, with `ID` for the incident."""

    reason: str
    command: str


_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    kinds.HYPOTHESIS: ("data",),
    kinds.CAUSE: ("data", "symptoms", "hypothesis"),
    kinds.FIX: ("data", "cause"),
    kinds.VERIFICATION: ("fix",),
    kinds.PREVENTION: ("cause",),
    kinds.POSTMORTEM: ("cause",),
    kinds.CLOSED: ("cause", "fix", "verification", "prevention", "postmortem"),
}
"""The steps that must be done before an event of a kind."""

_EVER: Final = frozenset({kinds.NOTE, kinds.POSTMORTEM, kinds.ACTION, kinds.ACTION_CHANGED})
"""What may be added to a closed incident."""

_WORD: Final = re.compile(r"\w+")
_EXPECTED: Final[Mapping[str, Mapping[str, type]]] = {
    kinds.SYMPTOM: {"name": str, "statement": str},
    kinds.EVIDENCE: {"name": str, "about": str, "file": str, "sha256": str},
    kinds.REPRODUCTION: {"name": str, "statement": str, "reproduced": int, "attempts": int, "scenario": dict},
    kinds.HYPOTHESIS: {"name": str, "statement": str, "refuted_by": str, "explains": list},
    kinds.EXPLANATION: {"hypothesis": str, "symptoms": list, "how": str},
    kinds.TEST: {"hypothesis": str, "outcome": str, "statement": str},
    kinds.CAUSE: {"statement": str},
    kinds.FIX: {"name": str, "description": str},
    kinds.VERIFICATION: {"checks": list},
    kinds.PREVENTION: {"name": str, "type": str, "description": str},
    kinds.POSTMORTEM: {"file": str, "sha256": str},
    kinds.ACTION: {"name": str, "description": str},
    kinds.ACTION_CHANGED: {"action": str, "status": str},
    kinds.NOTE: {"text": str},
    kinds.REOPENED: {"reason": str},
}
"""What an event of a kind has to say; others may say what they like, they only are in the timeline."""


def replay(events: Iterable[Event]) -> State:
    """The state after events, each of which counts only where the method allowed it then, or somebody overrode it."""
    return reduce(after, events, State())


def after(state: State, event: Event) -> State:
    """The state after one more event, see `replay`."""
    reason = flaw(state, event.kind, event.payload)
    if reason is None and not event.payload.get(kinds.OVERRIDE):
        refused = refusal(state, event.kind, event.payload)
        reason = refused.reason if refused else None
    return state.without(event, reason) if reason else state.with_event(event)


def flaw(state: State, kind: str, payload: Mapping[str, Any]) -> str | None:
    """What is wrong with an event as such, which nobody can override; None where nothing is."""
    if (kind == OPENED) == bool(state.events):
        return "an incident begins with being opened, once"
    if kind == kinds.REOPENED and not state.is_closed:
        return "the incident is open"
    return _malformed(kind, payload) or _dangling(state, kind, payload)


def _malformed(kind: str, payload: Mapping[str, Any]) -> str | None:
    """What an event lacks to be one of its kind."""
    if kind == OPENED:
        return None if payload.get("severity") in SEVERITIES else "its severity is none"
    expected = _EXPECTED.get(kind, {})
    wrong = [key for key, type_ in expected.items() if not isinstance(payload.get(key), type_) or payload[key] == ""]
    if wrong:
        return f"{kind} needs {' and '.join(wrong)}"
    checks: Sequence[Mapping[str, Any]] = payload["checks"] if kind == kinds.VERIFICATION else ()
    if not all({"name", "outcome", "statement"} <= set(check) for check in checks):
        return "a check needs a name, an outcome and a statement"
    return None


def _dangling(state: State, kind: str, payload: Mapping[str, Any]) -> str | None:
    """What an event refers to that is not there."""
    if kind not in _EXPECTED:
        return None
    symptoms, actions = state.named(kinds.SYMPTOM), state.named(kinds.ACTION)
    hypothesis, action = payload.get("hypothesis"), payload.get("action")
    named: Sequence[str] = (*payload.get("explains", ()), *payload.get("symptoms", ()))
    unknown = next((symptom for symptom in named if symptom not in symptoms), None)
    if hypothesis and hypothesis not in state.hypotheses:
        return f"no hypothesis {hypothesis}: {_known(state.hypotheses, 'add one by `incident hypothesis add`')}"
    if unknown:
        return f"no symptom {unknown}: {_known(symptoms, 'add one by `incident symptom add`')}"
    if action and action not in actions:
        return f"no action {action}: {_known(actions, 'add one by `postmortem actions add`')}"
    return None


def _known(names: Iterable[str], otherwise: str) -> str:
    listed = ", ".join(names)
    return f"there are {listed}" if listed else otherwise


def refusal(state: State, kind: str, payload: Mapping[str, Any]) -> Refusal | None:
    """Why an event may not follow now, None where it may. That it is none at all is told by `flaw`, before."""
    if kind == OPENED:
        return None
    if state.is_closed and kind not in _EVER and kind != kinds.REOPENED:
        return Refusal("the incident is closed", f'infersight incident reopen {ID} --reason "..."')
    needed = (_STEPS[name](state) for name in _NEEDS.get(kind, ()))
    missing = next((step for step in needed if step.required and not step.done), None)
    if missing:
        return Refusal(missing.about, missing.command)
    return _unsettled(state, payload) if kind == kinds.CAUSE else None


def steps(state: State) -> list[Step]:
    """The steps of the method in their order, done or not."""
    return [step(state) for step in _STEPS.values()]


def stage(state: State) -> str:
    """How far the incident is, in a word: that of the last step of an unbroken row."""
    if state.is_closed:
        return "closed"
    reached = "open"
    for step, word in zip(steps(state), _STAGES, strict=False):
        if not step.done:
            break
        reached = word
    return "reproduced" if reached == "evidence" and state.reproductions else reached


_STAGES: Final = ("evidence", "evidence", "hypothesis", "cause", "fixed", "verified", "prevented")


def _data(state: State) -> Step:
    counts = (len(state.reproductions), len(state.of(kinds.EVIDENCE)))
    if not any(counts):
        missing = "nothing was reproduced and there is no evidence: what is known is a guess"
        return Step("data", False, missing, f'infersight incident evidence add {ID} --verb "errors --last 1h"')
    about = f"{_counted(counts[0], 'reproduction')}, {_counted(counts[1], 'piece')} of evidence"
    return Step("data", True, about, f"infersight incident reproduce {ID} -- COMMAND")


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" + ("" if count == 1 else "s")


def _symptoms(state: State) -> Step:
    names = state.named(kinds.SYMPTOM)
    about = (
        f"{len(names)} recorded: {', '.join(names)}" if names else "no symptom is recorded that a cause could explain"
    )
    return Step("symptoms", bool(names), about, f'infersight incident symptom add {ID} "..."')


def _hypothesis(state: State) -> Step:
    supported = [name for name, each in state.hypotheses.items() if each.outcome == kinds.SUPPORTED]
    if supported:
        return Step("hypothesis", True, f"supported: {', '.join(supported)}", f"infersight incident cause set {ID}")
    untested = next((name for name, each in state.hypotheses.items() if each.outcome == kinds.UNTESTED), None)
    if untested:
        command = f'infersight incident hypothesis test {ID} {untested} --sql "select ..."'
        return Step("hypothesis", False, f"no hypothesis is supported by a test, {untested} is untested", command)
    command = f'infersight incident hypothesis add {ID} "..." --refuted-by "..." --explains all'
    about = "no hypothesis is supported by a test" if state.hypotheses else "there is no hypothesis"
    return Step("hypothesis", False, about, command)


def _cause(state: State) -> Step:
    cause = state.last(kinds.CAUSE)
    if cause is None:
        supported = [name for name, each in state.hypotheses.items() if each.outcome == kinds.SUPPORTED]
        name = supported[0] if supported else "H1"
        about = "the cause is not known"
        return Step("cause", False, about, f'infersight incident cause set {ID} "..." --hypothesis {name}')
    unsettled = None if cause.payload.get(kinds.OVERRIDE) else _unsettled(state, cause.payload)
    if unsettled:
        return Step("cause", False, unsettled.reason, unsettled.command)
    return Step("cause", True, cause.payload["statement"], f"infersight incident fix record {ID}")


def _unsettled(state: State, cause: Mapping[str, Json]) -> Refusal | None:
    """Why something is no cause: its hypothesis is not supported, leaves a symptom open, or it is a symptom itself."""
    name = cause.get("hypothesis")
    if not name:
        return Refusal("a cause is a hypothesis that was tested", f'infersight incident hypothesis add {ID} "..."')
    hypothesis = state.hypotheses[name]
    if hypothesis.outcome != kinds.SUPPORTED:
        command = f'infersight incident hypothesis test {ID} {name} --sql "select ..."'
        if hypothesis.outcome == kinds.REFUTED:
            command = f'infersight incident hypothesis add {ID} "..." --refuted-by "..." --explains all'
        return Refusal(f"{name} is {hypothesis.outcome}, so it is no cause", command)
    symptoms = state.named(kinds.SYMPTOM)
    if left := [symptom for symptom in symptoms if symptom not in hypothesis.explains]:
        command = f'infersight incident hypothesis explain {ID} {name} {left[0]} --how "..."'
        return Refusal(f"{name} does not explain {' and '.join(left)}: {symptoms[left[0]]['statement']}", command)
    said = _words(cause["statement"])
    for symptom, payload in symptoms.items():
        if said <= _words(payload["statement"]):
            command = f'infersight incident cause set {ID} "what brought it about" --hypothesis {name}'
            return Refusal(f"that is the symptom {symptom}, not what brought it about", command)
    return None


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _fix(state: State) -> Step:
    fix = state.last(kinds.FIX, after=state.reopened_at)
    about = fix.payload["description"] if fix else "no fix is recorded"
    return Step("fix", fix is not None, about, f'infersight incident fix record {ID} "..."')


def _verification(state: State) -> Step:
    command = f"infersight incident verify {ID}"
    if is_verified(state):
        return Step("verification", True, "the fix is proven", command)
    fix = state.last(kinds.FIX)
    last = state.last(kinds.VERIFICATION, after=max(fix.sequence if fix else 0, state.reopened_at))
    if last is None:
        return Step("verification", False, "the fix is not verified", command)
    open_ = [check for check in last.payload["checks"] if check["outcome"] not in (kinds.PASSED, kinds.NOT_APPLICABLE)]
    about = open_[0]["statement"] if open_ else "neither a reproduction nor a baseline proves it"
    return Step("verification", False, f"the fix is not proven: {about}", command)


def _prevention(state: State) -> Step:
    names = state.named(kinds.PREVENTION)
    about = f"{len(names)} recorded: {', '.join(names)}" if names else "nothing prevents it from coming back"
    command = f'infersight incident prevent add {ID} monitor "..."'
    return Step("prevention", bool(names), about, command, state.is_grave)


def _postmortem(state: State) -> Step:
    written = state.last(kinds.POSTMORTEM, after=state.reopened_at)
    about = "written" if written else "there is no post-mortem"
    return Step("postmortem", written is not None, about, f"infersight postmortem write {ID}", state.is_grave)


_STEPS: Final[Mapping[str, Callable[[State], Step]]] = {
    "data": _data,
    "symptoms": _symptoms,
    "hypothesis": _hypothesis,
    "cause": _cause,
    "fix": _fix,
    "verification": _verification,
    "prevention": _prevention,
    "postmortem": _postmortem,
}
"""The steps of the method in their order, by their names."""
