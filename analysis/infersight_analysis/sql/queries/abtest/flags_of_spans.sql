-- The same, as an event of a span, which other SDKs make of it; all events of all spans are read for that.
select
    trace_id, time_ns,
    coalesce(
        attributes['feature_flag.result.variant']::varchar, attributes['feature_flag.variant']::varchar,
        attributes['feature_flag.result.value']::varchar
    ) as variant,
    attributes['feature_flag.context.id']::varchar as context_id,
    attributes['feature_flag.key']::varchar as flag
from span_events
where name in ('feature_flag', 'feature_flag.evaluation') and trace_id is not null
