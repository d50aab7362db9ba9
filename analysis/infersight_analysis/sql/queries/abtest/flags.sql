-- Who evaluated a feature flag to what: events of the conventions, as log records or, as other SDKs emit them, on spans.
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
union all
select
    trace_id, time_ns,
    coalesce(
        attributes['feature_flag.result.variant']::varchar, attributes['feature_flag.variant']::varchar,
        attributes['feature_flag.result.value']::varchar
    ),
    attributes['feature_flag.context.id']::varchar,
    attributes['feature_flag.key']::varchar
from span_events
where name in ('feature_flag', 'feature_flag.evaluation') and trace_id is not null
