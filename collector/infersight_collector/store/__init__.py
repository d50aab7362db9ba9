"""The store: a write-ahead log, one Delta table for each kind of record, and snapshots to read them.

Writing: `wal.Wal` before the acknowledgement, then `writer.Store.write`, `maintenance.Maintenance` in the background.
Reading: `snapshot.Snapshot`. Modules are imported one by one, so that a reader does not load the writer.
"""
