"""Whether a model errs, and says yes, as often for one group as for another."""
