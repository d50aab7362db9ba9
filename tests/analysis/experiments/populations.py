"""Experiments of a known truth, as columns of a table."""

from typing import Any

import numpy as np
import numpy.typing as npt

from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.question import Question
from infersight_analysis.findings import ExperimentCheck, ExperimentChecks, ExperimentResults

Columns = dict[str, npt.NDArray[Any]]

DAY_S = 86_400.0


def experiment(
    seed: int = 1,
    *,
    users: int = 2_000,
    visits: float = 4.0,
    lift: float = 0.0,
    rate: float = 0.2,
    share_of_b: float = 0.5,
    days: float = 14.0,
) -> Columns:
    """Visits of users who differ from each other; those in B convert more often by `lift`, and spend as much more.

    Columns: `user`, `variant`, `country` (which the variant knows nothing of), `at` (seconds since the epoch),
    `converted` (0 or 1), `spent`, and `spent_before`, which goes with it.
    """
    rng = np.random.default_rng(seed)
    size = int(users * visits)
    user = np.concatenate([np.arange(users), rng.integers(0, users, max(0, size - users))])
    is_b = rng.uniform(size=users) < share_of_b
    own = rng.beta(20 * rate, 20 * (1 - rate), users)
    worth = rng.gamma(4.0, 5.0, users)
    at = 1_760_000_000 + np.sort(rng.uniform(0, days * DAY_S, len(user)))
    rng.shuffle(user)
    chance = np.clip(own[user] + lift * is_b[user], 0, 1)
    return {
        "user": np.char.add("u", user.astype(str)),
        "variant": np.where(is_b[user], "B", "A"),
        "country": np.array(["DE", "FR", "US"])[rng.integers(0, 3, users)][user],
        "at": at,
        "converted": (rng.uniform(size=len(user)) < chance).astype(np.int64),
        "spent": worth[user] * (1 + lift * is_b[user]) + rng.normal(0, 2, len(user)),
        "spent_before": (worth + rng.normal(0, 2, users))[user],
    }


def asked(*metrics: str, **options: Any) -> Question:
    """A question about such an experiment."""
    usual: dict[str, Any] = {"unit": "user", "time": "at"}
    return Question("variant", tuple(Metric.of(text) for text in metrics), **(usual | options))


def named(found: ExperimentChecks | ExperimentResults, name: str) -> ExperimentCheck:
    """The check of a name, of which there is one."""
    (check,) = [each for each in found.checks if each.name == name]
    return check
