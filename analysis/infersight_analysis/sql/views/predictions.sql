-- A label may arrive more than once, and for a prediction or for the whole trace that made it: the last one given for
-- the prediction counts, else the last one given for the trace.
with feedback as (
    select
        time_ns,
        attributes['infersight.prediction.id']::varchar as prediction_id,
        attributes['infersight.feedback.trace_id']::varchar as trace_id,
        attributes['infersight.feedback.label']::varchar as label
    from logs
    where event_name = 'infersight.feedback'
),
by_prediction as (
    select prediction_id, arg_max(label, time_ns) as label, max(time_ns) as time_ns
    from feedback
    where prediction_id is not null
    group by prediction_id
),
by_trace as (
    select trace_id, arg_max(label, time_ns) as label, max(time_ns) as time_ns
    from feedback
    where prediction_id is null and trace_id is not null
    group by trace_id
),
predicted as (
    select *, attributes['infersight.prediction.id']::varchar as prediction_id
    from logs
    where event_name = 'infersight.prediction'
)
select
    predicted.time, predicted.time_ns,
    predicted.trace_id, predicted.span_id,
    service_name, service_version, service_instance_id,
    attributes['infersight.model.name']::varchar as model_name,
    attributes['infersight.model.version']::varchar as model_version,
    predicted.prediction_id,
    attributes['infersight.prediction.label']::varchar as label,
    attributes['infersight.prediction.confidence']::double as confidence,
    attributes['infersight.prediction.entropy']::double as entropy,
    attributes['error.type']::varchar as error_type,
    coalesce(by_prediction.label, by_trace.label) as label_true,
    stored.timestamp_of(coalesce(by_prediction.time_ns, by_trace.time_ns)) as label_true_time,
    attributes, attributes_other,
    sample_weight
from predicted
left join by_prediction using (prediction_id)
left join by_trace on by_trace.trace_id = predicted.trace_id
