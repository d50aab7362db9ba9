select *
from main.predictions
where (trace is null or trace_id = lower(trace))
    and (model is null or model_name = model)
    and (version is null or model_version = version)
    and time_ns >= stored.window_start_ns('logs', last, until)
    and time_ns < stored.window_end_ns('logs', until)
order by time_ns
