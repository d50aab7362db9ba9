"""Inputs that are there themselves: the SDK's own checks are run over them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from infersight._checks import Violation, violations_of
from infersight._values import qualified_name
from infersight_analysis.findings import Evidence, InputViolation, RuleResult, Validation
from infersight_analysis.models.inputs import shown
from infersight_analysis.validation.rules import InputRules
from infersight_analysis.validation.wording import statement_of

_EXAMPLES: Final = 5


def validate_given(inputs: Sequence[Any], rules: InputRules, source: str) -> Validation:
    """Check inputs as `infersight.validate_input` checks one.

    Args:
        inputs: texts, numbers, lists, records or arrays.
        rules: what is asked of them.
        source: where they are from.
    """
    broken: defaultdict[str, list[InputViolation]] = defaultdict(list)
    for place, given in enumerate(inputs, 1):
        for violation in _violations(given, rules):
            broken[violation.check].append(InputViolation(place, shown(given), violation.actual, None, None))
    results = [
        RuleResult(check, expected, len(inputs), len(broken[check]), 0, broken[check][:_EXAMPLES])
        for check, expected in rules.expected.items()
    ]
    results.sort(key=lambda each: -each.broken)
    return Validation(source, len(inputs), 0, results, [], statement_of(results, []), Evidence([], []))


def _violations(given: Any, rules: InputRules) -> Iterator[Violation]:
    name = qualified_name(type(cast("object", given)))
    if rules.types and name not in rules.types:
        yield Violation("type", " or ".join(rules.types), name)
    yield from violations_of(given, rules.of_sdk)
