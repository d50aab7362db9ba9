-- What the code of the trace's requests did: a record for each of its requests that was worth it.
select
    span_id,
    attributes['infersight.profile.stacks']::varchar as stacks,
    attributes['infersight.profile.sample.times']::varchar as times,
    attributes['infersight.profile.sample.stacks']::varchar as samples,
    attributes['infersight.profile.sample.awaiting']::varchar as awaiting
from logs
where trace_id = $trace_id and event_name = 'infersight.profile' and time_ns between $from_ns and $until_ns
order by time_ns
