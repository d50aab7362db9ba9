"""Findings of `model errors`."""

from dataclasses import dataclass

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class Share:
    """How many of how many, with the 95 % interval of Wilson; without a share where there are none."""

    count: int
    of: int
    share: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Example:
    """One prediction, and the trace that made it."""

    prediction_id: str | None
    trace_id: str | None
    time: str | None
    label: str | None
    label_true: str | None
    confidence: float | None


@dataclass(frozen=True)
class ClassQuality:
    """How well one class is told.

    Args:
        precision: of the predictions of this label, those that are right.
        recall: of the predictions for which it is right, those that have it.
        f1: the harmonic mean of both; null where neither is known.
        mistaken_for: what was predicted where this label was right, most often first: label and count.
    """

    label: str
    precision: Share
    recall: Share
    f1: float | None
    mistaken_for: list[tuple[str, int]]


@dataclass(frozen=True)
class Confusion:
    """What was predicted, by what was right: a row for each true label, a column for each predicted one.

    Rare classes are one, `other`, whose own cell also counts what was mistaken among them.
    """

    labels: list[str]
    counts: list[list[int]]


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions that were about as sure; `confidence` is their mean, `right` how many of them were."""

    low: float
    high: float
    confidence: float
    right: Share


@dataclass(frozen=True)
class Calibration:
    """Whether the model is right as often as it says.

    Args:
        predictions: how many have a confidence, and are judged.
        confidence: their mean confidence.
        accuracy: the share of them that is right.
        overconfidence: the former less the latter, with its 95 % interval.
        expected_error: the expected calibration error, less what chance adds to it.
        plain_error: the same as it is usually given, too large by chance.
        p_value: of a model that is right as often as it says.
        bins: reliability, by confidence.
    """

    predictions: int
    confidence: float
    accuracy: float
    overconfidence: float
    overconfidence_interval: tuple[float, float]
    expected_error: float
    expected_error_interval: tuple[float, float]
    plain_error: float
    p_value: float
    statement: str
    bins: list[ReliabilityBin]


@dataclass(frozen=True)
class ConfidenceBand:
    """Predictions that were sure, unsure or between: how many are wrong, where labels are known, and which."""

    name: str
    low: float
    high: float
    predictions: int
    wrong: Share
    examples: list[Example]


@dataclass(frozen=True)
class AlsoCalled:
    """Another characteristic that the same predictions have, but for one in twenty."""

    attribute: str
    value: str


@dataclass(frozen=True)
class ErrorSlice:
    """Predictions that have something in common, and are bad more often than all others.

    Args:
        attributes: what they have in common; two of a pair.
        values: the value of each, or the range.
        kind: `value`, `number` (larger or smaller), `shape` (otherwise distributed) or `pair`.
        bad: how many of them are: wrong, or what `what` says.
        elsewhere: the same of all other predictions.
        difference: of both shares, with its 95 % interval (Newcombe).
        share_of_all: of all bad predictions, those that are here.
        confident: how many of the bad ones are above the confidence that counts as sure.
        q_value: the false-discovery rate at which it is a finding.
        strength: root of the chi-square with one degree of freedom that the test amounts to.
    """

    attributes: list[str]
    values: list[str]
    kind: str
    statement: str
    bad: Share
    elsewhere: Share
    difference: float
    difference_interval: tuple[float, float]
    share_of_all: float
    confident: int
    p_value: float
    q_value: float
    strength: float
    same_as: list[AlsoCalled]
    examples: list[Example]
    evidence: Evidence


@dataclass(frozen=True)
class Slices:
    """Where something bad happens.

    Args:
        what: `wrong`, `confidently wrong`, `failed` or `unsure`.
        bad: how many are, of those that were looked at.
        tests: how many tests were made.
        slices: the worst first.
    """

    what: str
    bad: Share
    tests: int
    slices: list[ErrorSlice]


@dataclass(frozen=True)
class EdgeCase:
    """Inputs at the edge of what the model is given: the smallest and largest, or of a form that few have.

    `wrong` counts those with a known label; `is_worse` says that they are wrong more often than others, of which
    `q_value` is the false-discovery rate. Without labels only `predictions` is known.
    """

    attribute: str
    edge: str
    statement: str
    predictions: int
    wrong: Share
    elsewhere: Share
    difference: float | None
    difference_interval: tuple[float, float] | None
    p_value: float | None
    q_value: float | None
    is_worse: bool
    examples: list[Example]
    evidence: Evidence


@dataclass(frozen=True)
class ModelErrors:
    """What a model is wrong about.

    Args:
        about: which predictions.
        predictions: how many there are.
        wrong: how many are wrong, of those for which a label is known.
        failed: how many ended with an error, of all.
        classes: how well each class is told, the most frequent first.
        confusion: null without labels.
        bands: by how sure the model was.
        calibration: null without labels, or confidences.
        slices: where it is wrong, where it is so and sure, and where it failed.
        edge_cases: the worst first.
        written: how many predictions were written out as a regression set; null where none was asked for.
        notes: what is missing, and what that means.
    """

    about: str
    summary: str
    predictions: int
    wrong: Share
    failed: Share
    classes: list[ClassQuality]
    confusion: Confusion | None
    bands: list[ConfidenceBand]
    calibration: Calibration | None
    slices: list[Slices]
    edge_cases: list[EdgeCase]
    written: int | None
    notes: list[str]
    evidence: Evidence
