-- Quantile of an aggregate's values as if each stood there as many times as it weighs: with whole weights exactly
-- quantile_cont of the repeated values. `reached` is the running sum of the weights in the order of the values, `total`
-- the last of them. Repetitions of a value end at position reached - 1; from there to the next value it is interpolated.
if(
    share * (max(total) - 1) < max(reached) filter (reached - 1 < share * (total - 1)),
    max(number) filter (reached - 1 < share * (total - 1))
    + (min(number) filter (reached - 1 >= share * (total - 1)) - max(number) filter (reached - 1 < share * (total - 1)))
    * (share * (max(total) - 1) + 1 - max(reached) filter (reached - 1 < share * (total - 1))),
    min(number) filter (reached - 1 >= share * (total - 1))
)
