-- Of traces with failures: the failed spans, those that serve someone, and those that failures were recorded on, with
-- what tells where a failure came from and whom it touched.
select
    trace_id, span_id, parent_span_id, service_name, kind, status_code = 'ERROR' as has_failed,
    if(kind in ('SERVER', 'CONSUMER') or parent_span_id is null, coalesce(attributes['http.route']::varchar, name), null)
        as route,
    try_cast(attributes['http.response.status_code'] as bigint) as http_status,
    coalesce(attributes['rpc.response.status_code']::varchar, attributes['rpc.grpc.status_code']::varchar) as rpc_status,
    attributes['infersight.operation']::varchar as operation,
    coalesce(attributes['db.system.name']::varchar, attributes['db.system']::varchar) as database,
    attributes['messaging.system']::varchar as messaging,
    coalesce(attributes['gen_ai.provider.name']::varchar, attributes['gen_ai.system']::varchar) as provider,
    coalesce(attributes['server.address']::varchar, attributes['peer.service']::varchar) as server,
    coalesce(attributes['user.id']::varchar, attributes['enduser.id']::varchar) as user,
    attributes['session.id']::varchar as session
from spans
where trace_id in (select unnest($trace_ids::varchar[])) and trace_id between $first and $last
    and start_time_ns >= $from_ns and start_time_ns < $until_ns
    and (
        status_code = 'ERROR' or kind in ('SERVER', 'CONSUMER') or parent_span_id is null
        or attributes['user.id'] is not null or attributes['enduser.id'] is not null
        or attributes['session.id'] is not null or len(list_filter(events, lambda event: event.name = 'exception')) > 0
    )
order by trace_id, start_time_ns, span_id
