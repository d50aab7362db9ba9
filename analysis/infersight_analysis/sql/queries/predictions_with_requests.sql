-- Predictions, each with the span of the request that it was made for: that which serves someone, or has no parent.
-- What stands in braces is put in: conditions, and the columns of the attribute keys that occur.
with chosen as (
    select * from predictions where {chosen}
),
request as (
    select trace_id, attributes, resource_attributes
    from spans
    where trace_id in (select trace_id from chosen)
        and start_time_ns between (select min(time_ns) from chosen) - {margin_ns} and (select max(time_ns) from chosen)
        and (kind in ('SERVER', 'CONSUMER') or parent_span_id is null)
    qualify row_number() over (
        partition by trace_id order by start_time_ns, duration_ns desc, parent_span_id is not null, span_id
    ) = 1
)
select
    chosen.prediction_id, chosen.trace_id, chosen.time_ns as time,
    chosen.label, chosen.label_true, chosen.confidence, chosen.error_type,
    chosen.service_name, chosen.service_version, chosen.service_instance_id{columns}
from chosen
left join request on request.trace_id = chosen.trace_id
order by chosen.time_ns, chosen.prediction_id
