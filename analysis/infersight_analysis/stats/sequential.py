"""Two arms that may be looked at after every record: p values and intervals that hold at all looks at once.

An ordinary 5 % test that is looked at again and again finds a difference sooner or later where there is none. Here the
probability that any look, ever, finds one is 5 %, and 95 % is the probability that all intervals together hold the
truth. So a run may be stopped whenever one likes, and gone on with. The price is an interval about 1.6 times as wide.

Everything rests on mixtures of likelihood ratios over normal effects of a size that is set before (Robbins, Annals of
Mathematical Statistics 41, 1970; Johari, Koomen, Pekelis and Walsh, Operations Research 70, 2022): what they have
multiplied the odds by can be 20 for no difference with a probability of 1 in 20 at most, at any time. The reciprocal is
the p value, and an interval holds the differences for which that is at least 5 %, so both always agree.
"""

from collections.abc import Sequence
from math import exp, inf, log, log1p, nan, sqrt
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

from infersight_analysis.stats.estimate import Estimate
from infersight_analysis.stats.likelihood import TwoShares
from infersight_analysis.stats.means import welch_degrees
from infersight_analysis.stats.quantile_pairs import compare
from infersight_analysis.stats.quantiles import check_quantile

Numbers = npt.NDArray[np.float64]

_special: Any = special  # scipy publishes no types

TIGHTEST_AT: Final = 500
"""Records an arm at which intervals are the tightest.

They are 3.04 standard errors to each side then, 3.86 with a tenth of the records, 3.56 with a hundred times as many.
"""

_UNKNOWN: Final = "unknown: an arm is empty"


def proportions(
    successes_a: int,
    trials_a: int,
    successes_b: int,
    trials_b: int,
    confidence: float = 0.95,
    *,
    tightest_at: float = TIGHTEST_AT,
) -> Estimate:
    """The share of B less that of A, at any time.

    The mixture of Johari et al. and, at its limit, the asymptotic confidence sequence of Waudby-Smith et al. (Annals of
    Statistics 52, 2024), by the likelihood ratio instead of a squared normal deviate: a single failure in a small arm
    is no certainty then. Assumes that outcomes do not depend on each other and that their shares do not change.

    Args:
        successes_a: how many succeeded in A so far.
        trials_a: of how many.
        successes_b: how many succeeded in B.
        trials_b: of how many.
        confidence: of all intervals together.
        tightest_at: records an arm at which intervals are the tightest, set before the first look.

    Raises:
        ValueError: if an arm cannot have as many successes.
    """
    if trials_a == 0 or trials_b == 0:
        return Estimate(nan, -1.0, 1.0, None, _UNKNOWN)
    shares = TwoShares(successes_a, trials_a, successes_b, trials_b)
    limit, p_value = _of_shares(shares, confidence, tightest_at)
    low, high = shares.differences(limit)
    return Estimate(shares.b - shares.a, low, high, p_value, "always valid, mixture of likelihood ratios")


def ratios(
    successes_a: int,
    trials_a: int,
    successes_b: int,
    trials_b: int,
    confidence: float = 0.95,
    *,
    tightest_at: float = TIGHTEST_AT,
) -> Estimate:
    """The share of B over that of A, at any time: `proportions`, for ratios. Its p value is that of a ratio of 1."""
    if trials_a == 0 or trials_b == 0:
        return Estimate(nan, 0.0, inf, None, _UNKNOWN)
    shares = TwoShares(successes_a, trials_a, successes_b, trials_b)
    limit, p_value = _of_shares(shares, confidence, tightest_at)
    low, high = shares.ratios(limit)
    of_none = inf if successes_b else nan
    value = shares.b / shares.a if successes_a else of_none
    return Estimate(value, low, high, p_value, "always valid ratio, mixture of likelihood ratios")


def means(a: Numbers, b: Numbers, confidence: float = 0.95, *, tightest_at: float = TIGHTEST_AT) -> Estimate:
    """The mean of B less that of A, at any time.

    The sequential t test of Lindon, Ham, Tingley and Bojinov (2022), exact for normal numbers of one variance; for
    others it holds as the central limit theorem does. The standard error is the larger one of the pooled one, which is
    theirs, and Welch's: the pooled one is too small where the smaller arm varies more, and Welch's where a small arm
    has not met its large values yet.

    Args:
        a: the numbers of A so far, none of them NaN.
        b: those of B.
        confidence: of all intervals together.
        tightest_at: records an arm at which intervals are the tightest, set before the first look.
    """
    value = float(np.mean(b) - np.mean(a)) if len(a) and len(b) else nan
    if min(len(a), len(b)) < 2:
        return Estimate(value, -inf, inf, None, "unknown: an arm has fewer than two values")
    variances = float(np.var(a, ddof=1)), float(np.var(b, ddof=1))
    return _of_moments(value, variances, (len(a), len(b)), confidence, tightest_at)


def quantiles(
    a: Numbers, b: Numbers, q: float, confidence: float = 0.95, *, tightest_at: float = TIGHTEST_AT
) -> Estimate:
    """The q quantile of B less that of A, at any time.

    By the beta-binomial mixtures of Howard and Ramdas (Bernoulli 28, 2022), one an arm: for the true quantile their
    product is a martingale, so this holds at any size and for any distribution, ties included.

    Args:
        a: the numbers of A so far in any order, none of them NaN.
        b: those of B.
        q: which quantile, more than 0 and less than 1.
        confidence: of all intervals together.
        tightest_at: records an arm at which intervals are the tightest, set before the first look.

    Returns:
        an estimate with infinite ends as long as an arm is too small to know.

    Raises:
        ValueError: if there is no such quantile.
    """
    check_quantile(q)
    precision = 1 / _rho2(tightest_at, confidence)
    costs = _beta_binomial(len(a), q, precision), _beta_binomial(len(b), q, precision)
    value, low, high, log_evidence = compare(np.sort(a), np.sort(b), q, costs, -log(1 - confidence))
    if not min(len(a), len(b)):
        return Estimate(value, low, high, None, _UNKNOWN)
    return Estimate(value, low, high, _p_value(log_evidence), "always valid, beta-binomial mixtures")


def sample_ratio(counts: Sequence[int], shares: Sequence[float], *, tightest_at: float = TIGHTEST_AT) -> float:
    """The p value of records falling to arms as planned, at any time (Lindon and Malek, NeurIPS 2022).

    A mixture of multinomial likelihoods over Dirichlet shares around the planned ones; exact.

    Args:
        counts: how many records each arm got so far.
        shares: planned, in any unit: 1 and 1, or 90 and 10.
        tightest_at: records an arm at which the test is the sharpest, set before the first look.
    """
    n = np.array(counts, np.float64)
    planned = np.array(shares, np.float64) / sum(shares)
    prior = planned / _rho2(tightest_at * len(counts), 0.95)
    mixture = _special.gammaln(prior + n).sum() - _special.gammaln(prior).sum()
    mixture += _special.gammaln(prior.sum()) - _special.gammaln(prior.sum() + n.sum())
    return _p_value(float(mixture - _special.xlogy(n, planned).sum()))


def standard_errors(size: float, confidence: float = 0.95, *, tightest_at: float = TIGHTEST_AT) -> float:
    """How many standard errors an interval of one arm's own figure needs on each side to hold at any time.

    In place of a normal quantile it makes any score interval always valid: Wilson's of a share, Woodruff's of a
    quantile, also of weighted records. In the limit, that is: two Wilson intervals, of 0.05 % failures and with 2 % of
    the records in one arm, tell a difference where there is none in 8 % of runs, `proportions` in 0.6 %.

    Args:
        size: records so far; of weighted ones, how many of equal weight vary as much.
        confidence: of all intervals together.
        tightest_at: records at which intervals are the tightest, set before the first look.
    """
    return sqrt(_limit(size * _rho2(tightest_at, confidence), confidence)) if size > 0 else inf


def critical_value(
    size_a: float, size_b: float, confidence: float = 0.95, *, tightest_at: float = TIGHTEST_AT
) -> float:
    """How many standard errors a difference must be from 0 at these sizes: 1.96 where nobody looks before the end."""
    return sqrt(_limit(_gain((size_a, size_b), tightest_at, confidence), confidence))


def _of_shares(shares: TwoShares, confidence: float, tightest_at: float) -> tuple[float, float]:
    """The deviance up to which an interval goes, and the p value of equal shares."""
    gain = _gain((shares.trials_a, shares.trials_b), tightest_at, confidence)
    return _limit(gain, confidence), _p_value(_log_evidence(shares.deviance(), gain))


def _of_moments(
    value: float, variances: tuple[float, float], sizes: tuple[int, int], confidence: float, tightest_at: float
) -> Estimate:
    """Of the difference of two means, from the variances of the numbers and how many there are."""
    squares = [variance / size for variance, size in zip(variances, sizes, strict=True)]
    degrees: float = sum(sizes) - 2
    pooled = sum(variance * (size - 1) for variance, size in zip(variances, sizes, strict=True)) / degrees
    squared_error = pooled * sum(1 / size for size in sizes)
    if squared_error == 0:
        return Estimate(value, -inf, inf, None, "unknown: no variance")
    if sum(squares) > squared_error:
        squared_error, degrees = sum(squares), welch_degrees(squares, sizes)
    gain = _gain(sizes, tightest_at, confidence)
    width = sqrt(_t_limit(gain, degrees, confidence) * squared_error)
    p_value = _p_value(_t_log_evidence(value**2 / squared_error, gain, degrees))
    return Estimate(value, value - width, value + width, p_value, "always valid, sequential t test")


def _rho2(tightest_at: float, confidence: float) -> float:
    """The variance of the mixture, in that of one record, that is best at one size (Waudby-Smith et al.)."""
    evidence = -2 * log(1 - confidence)
    return (evidence + log1p(evidence)) / tightest_at


def _gain(sizes: tuple[float, float], tightest_at: float, confidence: float) -> float:
    """How many times the variance of the mixture is that of a difference of arms of these sizes."""
    a, b = sizes
    return a * b / (a + b) * _rho2(tightest_at / 2, confidence)


def _log_evidence(deviance: float, gain: float) -> float:
    """The logarithm of the mixture's likelihood ratio."""
    return (gain / (1 + gain) * deviance - log1p(gain)) / 2


def _limit(gain: float, confidence: float) -> float:
    """The deviance at which the evidence reaches 1 / (1 - confidence)."""
    return (1 + gain) / gain * (log1p(gain) - 2 * log(1 - confidence))


def _t_log_evidence(t2: float, gain: float, degrees: float) -> float:
    """The same for a squared t statistic, which knows its variance from as many degrees of freedom."""
    weight = log1p(t2 / degrees) - log1p(t2 / degrees / (1 + gain))
    return ((degrees + 1) * weight - log1p(gain)) / 2


def _t_limit(gain: float, degrees: float, confidence: float) -> float:
    """The squared t statistic at which the evidence reaches 1 / (1 - confidence), infinite where none does."""
    raised = (log1p(gain) - 2 * log(1 - confidence)) / (degrees + 1)
    if raised >= log1p(gain):
        return inf
    return degrees * (exp(raised) - 1) / (1 - exp(raised) / (1 + gain))


def _beta_binomial(size: int, q: float, precision: float) -> Numbers:
    """The logarithm of the mixture's likelihood ratio to a share of q, for 0, 1, ... `size` successes."""
    successes = np.arange(size + 1, dtype=np.float64)
    failures = size - successes
    prior = precision * q, precision * (1 - q)
    mixture = _special.betaln(prior[0] + successes, prior[1] + failures) - _special.betaln(*prior)
    found: Numbers = mixture - successes * log(q) - failures * log(1 - q)
    return found


def _p_value(log_evidence: float) -> float:
    return min(1.0, exp(-max(log_evidence, 0.0)))
