-- The reading of a point of a metric series, null where it says nothing. `point`, and `earlier`, the one before it in its
-- series, are STRUCTs of time_ns, start_time_ns, value, sum and count. `kind` is that of `reading_kind`, or `count`: how
-- much was recorded a second.
-- A cumulative point is the difference to the one before. One that fell, or that has another start, began anew from 0, at
-- its start where that is known; the first point of a series says nothing. A rate belongs to the time since the point
-- before: an export that comes a little early or late is no change of it.
case
    when kind = 'value' then point.value
    when is_delta and kind = 'mean' then point.sum / nullif(point.count, 0)
    when is_delta then
        if(kind = 'rate', point.value, point.count) * 1e9
        / nullif(point.time_ns - coalesce(nullif(point.start_time_ns, 0), earlier.time_ns), 0)
    when earlier is null then null
    when point.start_time_ns is distinct from earlier.start_time_ns
        or if(kind = 'rate', point.value < earlier.value, point.count < earlier.count)
    then
        if(
            kind = 'mean',
            point.sum / nullif(point.count, 0),
            if(kind = 'rate', point.value, point.count) * 1e9
            / nullif(point.time_ns - greatest(earlier.time_ns, coalesce(point.start_time_ns, 0)), 0))
    when kind = 'mean' then (point.sum - earlier.sum) / nullif(point.count - earlier.count, 0)
    when kind = 'rate' then (point.value - earlier.value) * 1e9 / nullif(point.time_ns - earlier.time_ns, 0)
    else (point.count - earlier.count) * 1e9 / nullif(point.time_ns - earlier.time_ns, 0)
end
