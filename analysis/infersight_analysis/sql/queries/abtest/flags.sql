-- Who evaluated which feature flag to what: the conventions' event, as a log record.
select
    trace_id, time_ns,
    coalesce(
        attributes['feature_flag.result.variant']::varchar, attributes['feature_flag.variant']::varchar,
        attributes['feature_flag.result.value']::varchar
    ) as variant,
    attributes['feature_flag.context.id']::varchar as context_id,
    attributes['feature_flag.key']::varchar as flag
from logs
where event_name = 'feature_flag.evaluation' and trace_id is not null
