-- Who evaluated which feature flag to what.
select
    trace_id, time_ns,
    coalesce(
        attributes['feature_flag.result.variant']::varchar, attributes['feature_flag.variant']::varchar,
        attributes['feature_flag.result.value']::varchar
    ) as variant,
    attributes['feature_flag.context.id']::varchar as context_id,
    attributes['feature_flag.key']::varchar as flag
from {table}
where {is_evaluation} and trace_id is not null
