"""An incident as Python: every step by one call, and none in another order than the method's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.incidents import evidence, gates
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.evidence import Exhibit
from infersight_analysis.incidents.gates import Refusal
from infersight_analysis.incidents.log import Event, IncidentLog, Writer
from infersight_analysis.incidents.scenario import Scenario
from infersight_analysis.incidents.state import State
from infersight_analysis.options import Window
from infersight_analysis.results import Json
from infersight_analysis.times import parse_time

PREVENTIONS: Final = ("monitor", "test", "validation", "documentation")
ALL: Final = "all"
"""As a list of symptoms: every one that is recorded."""

_PREFIXES: Final[Mapping[str, str]] = {
    kinds.SYMPTOM: "S",
    kinds.EVIDENCE: "E",
    kinds.REPRODUCTION: "R",
    kinds.HYPOTHESIS: "H",
    kinds.FIX: "F",
    kinds.PREVENTION: "P",
    kinds.ACTION: "A",
}
"""What the names of a kind begin with: `S1`, `S2`, ..."""


class Refused(AnalysisError):  # noqa: N818 - reads as what it is
    """The method does not allow a step yet.

    Args:
        reason: why.
        command: what to do first.
    """

    def __init__(self, reason: str, command: str) -> None:
        super().__init__(f"{reason}; next: {command}")
        self.reason: Final = reason
        self.command: Final = command


class Incident:
    """One incident of a store.

    Each step raises `Refused` where the method does not allow it yet, unless `override` says why it is taken anyway;
    that is recorded, and every report shows it. Two people may work on an incident at once: a step is checked against
    all that is recorded at the moment when it is recorded itself.

    Args:
        log: the logs of the store.
        incident_id: which incident.
        actor: who takes the steps.

    Raises:
        AnalysisError: there is no such incident.
    """

    def __init__(self, log: IncidentLog, incident_id: str, actor: str) -> None:
        self.log: Final = log
        self.id: Final = log.path(incident_id).name
        self.actor: Final = actor

    @classmethod
    def open(
        cls,
        log: IncidentLog,
        title: str,
        severity: str,
        *,
        actor: str,
        description: str = "",
        window: Window = Window(),  # noqa: B008 - immutable
        symptoms: Iterable[str] = (),
    ) -> "Incident":
        """Open an incident; what was recorded in its window is pinned against retention.

        Args:
            log: the logs of the store.
            title: one line.
            severity: `CRITICAL`, `HIGH`, `MEDIUM` or `LOW`.
            actor: who opens it.
            description: what is known.
            window: when it happened, as far as is known.
            symptoms: what was noticed, that its cause will have to explain.
        """
        made = cls(log, log.open(title, severity, description, window, actor), actor)
        for symptom in symptoms:
            made.add_symptom(symptom)
        if window.start_ns is not None or window.end_ns is not None:
            evidence.pin_window(log.store, made.id, title, window)
        return made

    @property
    def state(self) -> State:
        """Where it stands."""
        return gates.replay(self.log.read(self.id))

    @property
    def window(self) -> Window:
        """When it happened, as it was said when it was opened."""
        start, end = (self.state.opening.get(key) for key in ("start", "end"))
        return Window(parse_time(start) if start else None, parse_time(end) if end else None)

    def record(self, kind: str, payload: Mapping[str, Json], *, override: str | None = None) -> Event:
        """Record a step of any kind, if it may follow now; it gets its name.

        Args:
            kind: see `state`.
            payload: what belongs to it.
            override: why it is recorded although the method refuses it.

        Raises:
            Refused: the method does not allow it, and `override` says nothing.
            AnalysisError: it names something that is not there, or lacks something.
        """
        with self.log.writing(self.id) as writer:
            return self._record(writer, kind, payload, override)

    def ensure(self, kind: str, *, override: str | None = None) -> None:
        """Make sure that a step may follow, before something that takes long is done for it.

        Raises:
            Refused: see `record`.
        """
        refusal = None if (override or "").strip() else gates.refusal(self.state, kind, {})
        if refusal:
            raise self._refused(refusal)

    def _refused(self, refusal: Refusal) -> Refused:
        return Refused(refusal.reason, refusal.command.replace(f" {gates.ID}", f" {self.id}"))

    def _record(self, writer: Writer, kind: str, payload: Mapping[str, Json], override: str | None) -> Event:
        state = gates.replay(writer.events)
        said = dict(payload)
        if kind in _PREFIXES:
            taken = sum(event.kind == kind for event in writer.events)
            said["name"] = f"{_PREFIXES[kind]}{taken + 1}"
        if flaw := gates.flaw(state, kind, said):
            raise AnalysisError(flaw)
        refusal = gates.refusal(state, kind, said)
        if refusal and not (override or "").strip():
            raise self._refused(refusal)
        if refusal:
            said |= {kinds.OVERRIDE: override, "refused": refusal.reason}
        return writer.append(kind, said, self.actor)

    def note(self, text: str, about: str | None = None) -> Event:
        """Write something down.

        Args:
            text: what.
            about: `well` or `wrong` (how it was handled), `factor` (what contributed), `follow-up` (what a look back
                found), or nothing of these.
        """
        return self.record(kinds.NOTE, {"text": text, "about": about})

    def add_symptom(self, statement: str) -> Event:
        """Record something that was noticed, and that the cause has to explain."""
        return self.record(kinds.SYMPTOM, {"statement": statement})

    def add_evidence(self, exhibit: Exhibit) -> Event:
        """Copy a piece of evidence into the incident, with its digest, and pin the traces that it is about."""
        self.ensure(kinds.EVIDENCE)
        payload = evidence.keep(self.log.path(self.id), exhibit)
        event = self.record(kinds.EVIDENCE, payload)
        evidence.pin_traces(self.log.store, f"{self.id}-{event.payload['name']}", exhibit)
        return event

    def reproduce(self, scenario: Scenario) -> Event:
        """Try to see the failure, several times, and record how often it was seen.

        Raises:
            AnalysisError: no attempt got anywhere.
        """
        from infersight_analysis.incidents.reproduction import play  # noqa: PLC0415 - heavy, and most steps do without

        self.ensure(kinds.REPRODUCTION)
        found = play(scenario)
        payload: dict[str, Any] = asdict(found) | {"interval": list(found.interval), "scenario": scenario.recorded()}
        return self.record(
            kinds.REPRODUCTION, payload | {"about": f"{scenario} {scenario.shows}", "statement": found.statement}
        )

    def add_hypothesis(
        self, statement: str, refuted_by: str, explains: Sequence[str] = (), *, override: str | None = None
    ) -> Event:
        """Suppose a cause.

        Args:
            statement: what may have brought the symptoms about.
            refuted_by: what would show that it did not.
            explains: names of the symptoms that it explains, or `all` of those recorded.
            override: see the class.
        """
        payload = {"statement": statement, "refuted_by": refuted_by, "explains": self._symptoms(explains)}
        return self.record(kinds.HYPOTHESIS, payload, override=override)

    def explain(self, hypothesis: str, symptoms: Sequence[str], how: str) -> Event:
        """Say how a hypothesis explains more symptoms, which were recorded later."""
        payload = {"hypothesis": hypothesis, "symptoms": self._symptoms(symptoms), "how": how}
        return self.record(kinds.EXPLANATION, payload)

    def _symptoms(self, names: Sequence[str]) -> list[str]:
        return sorted(self.state.named(kinds.SYMPTOM)) if ALL in names else list(names)

    def add_test(self, hypothesis: str, exhibit: Exhibit, outcome: str, statement: str) -> Event:
        """Record what a test of a hypothesis showed.

        Args:
            hypothesis: its name.
            exhibit: what the test answered.
            outcome: `supported`, `refuted` or `undecided`.
            statement: the test and its answer, in a line.

        Raises:
            AnalysisError: there is no such hypothesis.
        """
        if hypothesis not in self.state.hypotheses:
            raise AnalysisError(f"no hypothesis {hypothesis} in {self.id}: `infersight incident show` lists them")
        found = self.add_evidence(exhibit)
        payload: dict[str, Any] = {"hypothesis": hypothesis, "outcome": outcome, "statement": statement}
        return self.record(kinds.TEST, payload | {"evidence": found.payload["name"]})

    def set_cause(self, statement: str, hypothesis: str | None = None, *, override: str | None = None) -> Event:
        """Say what the cause is: a hypothesis that a test supported, none refuted, and that explains every symptom."""
        return self.record(kinds.CAUSE, {"statement": statement, "hypothesis": hypothesis}, override=override)

    def record_fix(self, description: str, change: str | None = None, *, override: str | None = None) -> Event:
        """Record what was changed to remove the cause.

        Args:
            description: what.
            change: where it can be seen: a commit, a pull request, a setting.
            override: see the class.
        """
        return self.record(kinds.FIX, {"description": description, "change": change}, override=override)

    def add_prevention(
        self, kind: str, description: str, reference: str | None = None, *, override: str | None = None
    ) -> Event:
        """Record what keeps it from coming back.

        Args:
            kind: `monitor`, `test`, `validation` or `documentation`.
            description: what it does.
            reference: where it is.
            override: see the class.
        """
        if kind not in PREVENTIONS:
            raise AnalysisError(f"no prevention {kind!r}: there are {', '.join(PREVENTIONS)}")
        payload = {"type": kind, "description": description, "reference": reference}
        return self.record(kinds.PREVENTION, payload, override=override)

    def close(self, *, override: str | None = None) -> Event:
        """Close it: proven fixed and, where it was grave, prevented and learnt from."""
        return self.record(kinds.CLOSED, {}, override=override)

    def reopen(self, reason: str) -> Event:
        """Open it again: what was proven has to be proven anew."""
        return self.record(kinds.REOPENED, {"reason": reason})


def opened_in(store: Path, incident_id: str, actor: str) -> Incident:
    """The incident of a store, see `Incident`."""
    return Incident(IncidentLog(store), incident_id, actor)
