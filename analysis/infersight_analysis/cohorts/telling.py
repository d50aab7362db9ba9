"""Discoveries as findings: with the values behind the hashes, in words, with examples and SQL."""

from collections.abc import Sequence
from typing import Any, Final

from infersight_analysis.cohorts.attributes import CALLED, Attribute
from infersight_analysis.cohorts.candidates import Candidates, Trait
from infersight_analysis.cohorts.evidence import condition_of, counting
from infersight_analysis.cohorts.logs import scan_of_logs
from infersight_analysis.cohorts.population import Population
from infersight_analysis.cohorts.question import Question
from infersight_analysis.cohorts.resources import Resources
from infersight_analysis.cohorts.selection import Discovery
from infersight_analysis.cohorts.subjects import Subjects
from infersight_analysis.cohorts.texts import examples_of, owners_of, trace_ids, values_of
from infersight_analysis.cohorts.wording import statement
from infersight_analysis.findings import Distinction, Evidence, SameRequests, Support
from infersight_analysis.findings.numbers import finite

_SAME: Final = 10
"""Most attributes that are listed as the same as another one."""


class Teller:
    """Tells discoveries about one population.

    Args:
        question: what was asked.
        population: both cohorts.
        candidates: what was tested.
        resources: of the spans.
        subjects: what the subjects are.
    """

    def __init__(
        self,
        question: Question,
        population: Population,
        candidates: Candidates,
        resources: Resources,
        subjects: Subjects,
    ) -> None:
        self._question: Final = question
        self._population: Final = population
        self._candidates: Final = candidates
        self._resources: Final = resources
        self._subjects: Final = subjects

    def findings(self, discoveries: Sequence[Discovery]) -> list[Distinction]:
        """The findings, with what is looked up for all of them at once."""
        examples = [examples_of(each.candidate, self._population) for each in discoveries]
        owners = [owners_of(each.candidate, self._candidates) for each in discoveries]
        ids = trace_ids(self._population, {int(request) for group in (*examples, *owners) for request in group})
        traits = [trait for each in discoveries for trait in (*each.candidate.traits, *each.same_as[:_SAME])]
        of_logs = {self._subjects.of_log, self._subjects.of_prediction}
        texts: dict[tuple[Attribute, int], Any] = {}
        for scan, chosen in (
            (self._population.scan, [trait.attribute for trait in traits if trait.subject not in of_logs]),
            (scan_of_logs(self._population), [trait.attribute for trait in traits if trait.subject in of_logs]),
        ):
            hashed = [each for each in chosen if each not in self._resources.texts and each != CALLED]
            texts |= values_of(scan, ids.values(), hashed) if hashed else {}
        return [
            self._told(discovery, [ids[int(request)] for request in group], texts)
            for discovery, group in zip(discoveries, examples, strict=True)
        ]

    def _told(self, discovery: Discovery, traces: list[str], texts: dict[tuple[Attribute, int], Any]) -> Distinction:
        candidate = discovery.candidate
        is_number = candidate.kind in {"number", "shape"}
        values = [self._value(trait, texts) for trait in candidate.traits]
        of = [self._subjects.name(trait.subject) for trait in candidate.traits]
        condition = condition_of(self._subjects, candidate, values)
        sql = counting(self._question, self._population.requests.threshold_ns, condition)
        low, high = discovery.interval
        return Distinction(
            attributes=[trait.attribute.name for trait in candidate.traits],
            values=[f"{'>=' if candidate.more else '<='} {value}" for value in values] if is_number else values,
            of=of,
            kind=candidate.kind,
            statement=statement(discovery, self._question.about, of, values),
            effect=finite(discovery.effect),
            interval=[low, finite(high)],
            medians=list(candidate.medians) if is_number else None,
            p_value=candidate.p_value,
            q_value=discovery.q_value,
            strength=candidate.strength,
            only_in_target=not is_number and not candidate.having[1],
            support=Support(candidate.having[0], candidate.sizes[0], candidate.having[1], candidate.sizes[1]),
            same_as=[
                SameRequests(trait.attribute.name, self._value(trait, texts), self._subjects.name(trait.subject))
                for trait in discovery.same_as[:_SAME]
            ],
            examples=traces,
            evidence=Evidence(traces, [sql]),
        )

    def _value(self, trait: Trait, texts: dict[tuple[Attribute, int], Any]) -> Any:
        if trait.attribute == CALLED:
            return True
        if trait.attribute in self._resources.texts:
            return self._resources.texts[trait.attribute][int(trait.value)]
        if trait.attribute.is_number:
            return int(trait.value) if float(trait.value).is_integer() else trait.value
        return texts.get((trait.attribute, int(trait.value)))
