"""Less noise by what was known before: an effect among units whose behaviour before the experiment is on record."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Adjusted:
    """Numbers of two arms without what their covariate predicted, for `means.difference` or `sequential.means`.

    Args:
        a: of A, around the same mean as before.
        b: of B.
        slope: how much of the number one unit of the covariate makes.
        reduction: the share of the variance that went; as large a share of the records is saved.
    """

    a: Numbers
    b: Numbers
    slope: float
    reduction: float


def adjust(a: Numbers, b: Numbers, covariate_a: Numbers, covariate_b: Numbers) -> Adjusted:
    """Take out of numbers what a covariate predicts of them (CUPED; Deng, Xu, Kohavi and Walker, WSDM 2013).

    Random assignment makes the covariate the same in both arms but for noise, which is taken out of the effect too. The
    slope is that within the arms, so that the effect itself is not mistaken for it.

    Args:
        a: the numbers of A, none of them NaN.
        b: those of B.
        covariate_a: of the same units, from before the experiment; NaN where it is unknown, which adjusts nothing.
        covariate_b: of those of B.

    Raises:
        ValueError: if there are not as many covariates as numbers.
    """
    if (len(a), len(b)) != (len(covariate_a), len(covariate_b)):
        raise ValueError("each number needs its covariate, NaN where it is unknown")
    known = np.concatenate([covariate_a, covariate_b])
    known = known[~np.isnan(known)]
    usual = float(known.mean()) if len(known) else 0.0
    excess = [np.where(np.isnan(covariate), 0.0, covariate - usual) for covariate in (covariate_a, covariate_b)]
    within = np.concatenate([each - each.mean() for each in excess if len(each)] or [np.zeros(0)])
    residuals = np.concatenate([each - each.mean() for each in (a, b) if len(each)] or [np.zeros(0)])
    spread, variance = float(within @ within), float(residuals @ residuals)
    slope = float(within @ residuals) / spread if spread > 0 else 0.0
    reduction = slope**2 * spread / variance if variance > 0 else 0.0
    return Adjusted(a - slope * excess[0], b - slope * excess[1], slope, reduction)
