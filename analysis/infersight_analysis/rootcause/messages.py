"""Log records that belong to no visit: how often each service logs what, beside the baseline."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np

from infersight_analysis.forest import Flags, Rows
from infersight_analysis.rootcause.logs import Records
from infersight_analysis.rootcause.question import Question
from infersight_analysis.stats.surprise import LEAST_BASELINE, Sample, smallest, surprises

_INCIDENT_BINS: Final = 5
"""Into how many equal times the incident is cut, whose records are counted; the baseline into as long ones."""


@dataclass(frozen=True)
class Message:
    """A template that a service logs more or less often.

    Args:
        template: the message without its values.
        is_error: whether it says that something failed.
        rates: records a second in the incident and in the baseline.
        deviation: see `stats.surprise`.
        p_value: the same.
    """

    template: str
    is_error: bool
    rates: tuple[float, float]
    deviation: float
    p_value: float


@dataclass(frozen=True)
class Logging:
    """What a service logs otherwise, the most surprising first, and how surprising that is in all."""

    messages: list[Message]
    p_value: float


def logging(records: Records, chosen: Flags, question: Question) -> dict[str, Logging]:
    """What each service logs otherwise.

    Args:
        records: the log records.
        chosen: which of them to look at.
        question: the incident.
    """
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return {}
    bin_of, times = _bins(records.time_ns[rows], records.in_window[rows], question)
    keys = np.stack([records.service.codes[rows], records.template.codes[rows], records.is_error[rows]])
    kinds, number = np.unique(keys, axis=1, return_inverse=True)
    counts = np.zeros((kinds.shape[1], len(times)))
    np.add.at(counts, (number.ravel(), bin_of), 1)
    found: defaultdict[str, list[Message]] = defaultdict(list)
    for is_error in (False, True):
        of_kind = np.flatnonzero(kinds[2] == is_error)
        # The square root makes the deviation of counts the same for rare and for frequent ones.
        roots = np.sqrt(counts[of_kind] + 3 / 8)
        family = [Sample(each[times], each[~times]) for each in roots]
        if not times.any() or np.count_nonzero(~times) < LEAST_BASELINE:
            continue
        for each, surprise in zip(of_kind.tolist(), surprises(family), strict=True):
            rates = [float(counts[each][chosen].mean()) / _bin_s(question) for chosen in (times, ~times)]
            found[records.service.values[int(kinds[0, each])]].append(
                Message(
                    records.template.values[int(kinds[1, each])],
                    is_error,
                    (rates[0], rates[1]),
                    surprise.deviation,
                    surprise.p_value,
                )
            )
    return {
        service: Logging(sorted(messages, key=lambda each: each.p_value), smallest([each.p_value for each in messages]))
        for service, messages in found.items()
    }


def _bin_s(question: Question) -> float:
    return (question.end_ns - question.start_ns) / _INCIDENT_BINS / 1e9


def _bins(time_ns: Rows, in_window: Flags, question: Question) -> tuple[Rows, Flags]:
    """The bin of each record, and whether each bin is of the incident; bins in which nobody logs are left out."""
    length = max(1, (question.end_ns - question.start_ns) // _INCIDENT_BINS)
    place = (time_ns - question.start_ns) // length
    bins, number = np.unique(np.where(in_window, place, np.where(place < 0, place, place + 1)), return_inverse=True)
    return number.ravel(), (bins >= 0) & (bins < _INCIDENT_BINS)
