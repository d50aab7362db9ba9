-- The tree of a trace whatever was lost, repeated or skewed on the way, by the rules of `infersight investigate`. Spans
-- are told apart by their rank in the order of time, because an id may be there twice.
with recursive received as (
    -- A span that was sent twice is one: the one that has ended.
    select
        span_id, parent_span_id, service_name, service_instance_id, name, kind, status_code,
        -- Half of what 64 bits hold, so that no sum of times that were made up is too large.
        least(coalesce(start_time_ns, 0), 4611686018427387903) as start_ns,
        end_time_ns as sent_end_ns,
        least(greatest(coalesce(start_time_ns, 0), coalesce(end_time_ns, 0)), 4611686018427387903) as end_ns
    from main.trace(trace)
    qualify row_number() over (
        partition by span_id, service_name, name, start_time_ns order by end_time_ns nulls last, parent_span_id) = 1
),
ranked as (
    select
        *,
        row_number() over (order by start_ns, end_ns desc, span_id, service_name, name) as rank,
        row_number() over (order by span_id, start_ns, end_ns desc, service_name, name) as id_rank
    from received
),
linked as (
    select child.rank, parent.rank as up
    from ranked as child
    left join (select span_id, min(rank) as rank from ranked group by span_id) as parent
        on parent.span_id = child.parent_span_id and parent.rank <> child.rank
),
-- Cycles of parents are found by doubling: after k steps `up` has each span's ancestor 2^k levels up, and `low` the
-- least rank on the way there. With as many levels as there are spans, only cycles have ancestors left.
jumps as (
    select list(up order by rank) as up, list(rank order by rank) as low, 1 as levels from linked
    union all
    select
        list_transform(up, lambda above: up[above]),
        list_transform(low, lambda lowest, place: least(lowest, low[up[place]])),
        2 * levels
    from jumps
    where levels < len(up)
),
-- A cycle is cut before its first span.
cut as (
    select rank
    from (select unnest(list_distinct(up)) as rank, low from (select * from jumps order by levels desc limit 1))
    where low[rank] = rank
),
tree as (
    select
        ranked.*,
        if(cut.rank is null, linked.up, null) as up,
        cut.rank is not null as is_cut
    from ranked join linked using (rank) left join cut using (rank)
),
-- An unfinished span ends with the last span below it: ends are handed up as long as the parent has none.
handed(rank, end_ns) as (
    select parent.rank, child.end_ns
    from tree as child join tree as parent on parent.rank = child.up
    where parent.sent_end_ns is null
    union all
    select parent.rank, handed.end_ns
    from handed join tree as child using (rank) join tree as parent on parent.rank = child.up
    where parent.sent_end_ns is null
),
ended as (
    select * replace (greatest(tree.end_ns, last_below.end_ns) as end_ns)
    from tree
    left join (select rank, max(end_ns) as end_ns from handed group by rank) as last_below using (rank)
),
-- The request is the first span without a parent, or, where that was lost, the first of the rest. Others whose parent
-- is not here are put below it when they start during it.
request as (
    select rank, start_ns, end_ns from ended where up is null order by parent_span_id is not null, rank limit 1
),
placed as (
    select
        ended.* replace (
            if(ended.up is null and ended.rank <> request.rank
                and ended.start_ns >= request.start_ns and ended.start_ns < request.end_ns, request.rank, ended.up) as up),
        ended.up is null and ended.parent_span_id is not null and not ended.is_cut as is_orphan,
        ended.rank = request.rank as is_request
    from ended cross join request
),
-- A callee on another clock that starts before it is called, or after its call was answered, is moved to the middle of
-- its call, with everything below it.
skewed as (
    select
        callee.*,
        case
            when caller.kind = 'CLIENT' and callee.kind = 'SERVER'
                and (caller.service_name, caller.service_instance_id)
                    is distinct from (callee.service_name, callee.service_instance_id)
                and (callee.start_ns < caller.start_ns
                    or (callee.start_ns >= caller.end_ns and caller.status_code <> 'ERROR'))
            then caller.start_ns - callee.start_ns + greatest(
                0, (caller.end_ns - caller.start_ns - callee.end_ns + callee.start_ns) // 2)
            else 0
        end as skew_ns
    from placed as callee left join placed as caller on caller.rank = callee.up
),
-- Depth first: `place` is the way from the top, at each level the start, the end backwards and the id.
walk(rank, depth, shift_ns, place) as (
    select rank, 0, 0::bigint, [if(is_request, 0, 1), start_ns, -end_ns, id_rank]
    from skewed
    where up is null
    union all
    select
        below.rank, walk.depth + 1, walk.shift_ns + below.skew_ns,
        list_concat(
            walk.place,
            [below.start_ns + walk.shift_ns + below.skew_ns, -(below.end_ns + walk.shift_ns + below.skew_ns),
                below.id_rank])
    from walk join skewed as below on below.up = walk.rank
),
drawn as (
    select
        skewed.*, depth, place,
        start_ns + shift_ns - min(start_ns + shift_ns) over () as offset_ns,
        greatest(1, max(end_ns + shift_ns) over () - min(start_ns + shift_ns) over ()) as whole_ns
    from walk join skewed using (rank)
),
bars as (
    -- Eighths of a character, as `infersight investigate` draws them: 40 characters wide.
    select
        *,
        least(floor(offset_ns / whole_ns * 40), 39)::bigint as blanks,
        greatest(1, round_even(
            ((offset_ns + end_ns - start_ns) / whole_ns * 40 - least(floor(offset_ns / whole_ns * 40), 39)) * 8, 0
        ))::bigint as eighths
    from drawn
)
select
    repeat('  ', depth) || name as operation,
    service_name,
    offset_ns / 1e6 as offset_ms,
    (end_ns - start_ns) / 1e6 as duration_ms,
    rpad(left(
        repeat(' ', blanks) || repeat('█', eighths // 8) || trim(substring(' ▏▎▍▌▋▊▉', eighths % 8 + 1, 1)), 40), 40, ' '
    ) as bar,
    status_code,
    nullif(
        concat_ws(
            ', ',
            if(sent_end_ns is null, 'unfinished', null),
            if(sent_end_ns < start_ns, 'ends before it starts', null),
            if(is_orphan, 'its parent is missing', null),
            if(is_cut, 'its own ancestor', null),
            if(skew_ns <> 0, 'clock moved by ' || round(skew_ns / 1e6, 3) || ' ms', null)),
        '') as note,
    depth, kind, span_id, parent_span_id
from bars
order by place
