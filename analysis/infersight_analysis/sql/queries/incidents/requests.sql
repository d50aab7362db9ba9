-- The requests of a time. A request is the first span of its trace that serves someone or has no parent, and no batch;
-- sampled ones stand for as many as they weigh. A user is what `enduser.id` or `user.id` says.
select
    start_time_ns, duration_ns, status_code = 'ERROR' as has_failed, sample_weight as weight,
    coalesce(attributes['enduser.id']::varchar, attributes['user.id']::varchar) as user_id
from spans
where {is_request}
qualify row_number() over (partition by trace_id order by start_time_ns, duration_ns desc, span_id) = 1
