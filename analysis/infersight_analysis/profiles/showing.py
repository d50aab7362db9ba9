"""Findings about profiles: one, and what changed between two."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import (
    Evidence,
    FunctionChange,
    FunctionShare,
    OperatorTime,
    ProfileDifference,
    ProfileSummary,
    ServedTrace,
    ShownProfile,
)
from infersight_analysis.profiles.records import Profile
from infersight_analysis.profiles.stacks import Stacks, functions
from infersight_analysis.profiles.traces import work_of
from infersight_analysis.times import iso_time
from infersight_collector.store.profiles import DIRECTORY

_TRACES: Final = 20


def summary(profile: Profile) -> ProfileSummary:
    """A profile's manifest as a finding."""
    return ProfileSummary(
        id=profile.id,
        kind=profile.kind,
        service=profile.service,
        instance=profile.instance,
        pid=profile.pid,
        host=profile.host,
        command=profile.command,
        start=iso_time(profile.start_ns),
        end=iso_time(profile.end_ns),
        duration_ns=profile.end_ns - profile.start_ns,
        unit=profile.unit,
        total=profile.total,
        rate=profile.rate,
        note=profile.note,
    )


def shown(store: Path, profile: Profile, stacks: Stacks) -> ShownProfile:
    """A profile with the traces of its process.

    Args:
        store: directory of the store.
        profile: its manifest.
        stacks: what was measured.

    Raises:
        AnalysisError: the store cannot be read.
    """
    work = work_of(store, profile.own_pids, profile.host, profile.start_ns, profile.end_ns)
    whole = profile.total or 1
    shares = [
        FunctionShare(name, own, own / whole, total, total / whole) for name, (own, total) in functions(stacks).items()
    ]
    longest = [ServedTrace(each.trace_id, each.name, each.within_ns) for each in work.served[:_TRACES]]
    found = summary(profile)
    return ShownProfile(
        profile=found if found.service else replace(found, service=work.service, instance=work.instance),
        functions=sorted(shares, key=lambda share: (-share.own, -share.total, share.function)),
        operators=[OperatorTime(**operator) for operator in profile.operators],
        traces=len(work.served),
        longest=longest,
        evidence=Evidence(
            trace_ids=[each.trace_id for each in longest],
            sql=[work.sql],
            numbers={"file": f"{DIRECTORY}/{profile.id}/{profile.original}", "sha256": profile.sha256},
        ),
    )


def difference(before: tuple[Profile, Stacks], after: tuple[Profile, Stacks]) -> ProfileDifference:
    """What changed from one profile to another, as shares of each one's total.

    Samples of one thread follow one another, so the intervals are those of independent samples: rather too narrow.

    Args:
        before: a profile with its stacks.
        after: another one of its kind.

    Raises:
        AnalysisError: they are of different kinds, or one is empty.
    """
    (old, old_stacks), (new, new_stacks) = before, after
    if old.unit != new.unit:
        raise AnalysisError(f"{old.id} counts {old.unit}, {new.id} {new.unit}: compare profiles of one kind")
    if not (old.total and new.total):
        raise AnalysisError(f"{(new if old.total else old).id} is empty: there is nothing to compare")
    shares = (functions(old_stacks), functions(new_stacks))
    names = list(dict.fromkeys([*shares[0], *shares[1]]))
    tests = (
        _tests(names, shares, (old.total, new.total)) if old.unit == "samples" else [(None, None, None)] * len(names)
    )
    changes = [_change(name, shares, (old.total, new.total), test) for name, test in zip(names, tests, strict=True)]
    return ProfileDifference(
        before=summary(old),
        after=summary(new),
        functions=sorted(
            changes, key=lambda change: (-abs(change.own_difference), -abs(change.total_difference), change.function)
        ),
        evidence=Evidence([], [], {"files": [f"{DIRECTORY}/{each.id}/{each.original}" for each in (old, new)]}),
    )


_Shares = tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]
_Test = tuple[float | None, float | None, float | None]


def _tests(names: Sequence[str], shares: _Shares, totals: tuple[int, int]) -> list[_Test]:
    import numpy as np  # noqa: PLC0415 - loaded when used

    from infersight_analysis.stats import proportions  # noqa: PLC0415
    from infersight_analysis.stats.discoveries import q_values  # noqa: PLC0415

    found: list[Any] = [
        proportions.difference(shares[0].get(name, (0, 0))[0], totals[0], shares[1].get(name, (0, 0))[0], totals[1])
        for name in names
    ]
    q = q_values(np.array([1.0 if one.p_value is None else one.p_value for one in found]))
    return [(one.low, one.high, float(value)) for one, value in zip(found, q, strict=True)]


def _change(name: str, shares: _Shares, totals: tuple[int, int], test: _Test) -> FunctionChange:
    (own_before, total_before), (own_after, total_after) = (
        tuple(value / whole for value in side.get(name, (0, 0))) for side, whole in zip(shares, totals, strict=True)
    )
    low, high, q_value = test
    return FunctionChange(
        function=name,
        own_share_before=own_before,
        own_share_after=own_after,
        own_difference=own_after - own_before,
        own_low=low,
        own_high=high,
        q_value=q_value,
        total_share_before=total_before,
        total_share_after=total_after,
        total_difference=total_after - total_before,
    )
