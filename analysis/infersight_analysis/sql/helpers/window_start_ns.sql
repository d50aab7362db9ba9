-- The first time of a macro's window; without `last` there is none, and no time in OTLP is before the epoch.
coalesce(stored.window_end_ns(signal, until) - epoch_ns(cast(last as interval)), 0)
