-- The first time after a macro's window: `until`, else just after the last record of that table. So a window is about
-- the present of a live store and about the end of an archived one. The cast is to a time zone, because the one to
-- TIMESTAMP_NS would silently ignore the offset of a text such as '2026-03-01T14:00:00+02:00'.
coalesce(epoch_ns(cast(until as timestamptz)), stored.last_ns(signal) + 1)
