-- Whether a bucket of the later of two exponential histograms counts less than the earlier one's did, so that the
-- process began anew in between. `first` is the index of the first bucket. The later one may be coarser by some `steps`:
-- bucket i is then part of bucket floor(i / 2^steps). Lists are counted from 1; a bucket that is not there counts 0.
coalesce(
    list_bool_or(
        list_transform(
            list_transform(
                range(len(earlier_counts)),
                lambda place: floor((earlier_first + place) / pow(2, steps))),
            lambda bucket:
                list_sum(earlier_counts[
                    greatest(1, bucket * pow(2, steps) - earlier_first + 1)::bigint :
                    least(len(earlier_counts), (bucket + 1) * pow(2, steps) - earlier_first)::bigint])
                > coalesce(case when bucket >= first then counts[(bucket - first + 1)::bigint] end, 0))),
    false)
