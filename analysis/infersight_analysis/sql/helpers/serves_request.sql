-- Whether a span is a request to its service: it serves a caller or a queue, or nobody asked for it (a job). A root that
-- calls others is their client's, and a batch serves the requests that it links to; neither is a request of its own.
kind in ('SERVER', 'CONSUMER')
or (parent_span_id is null and kind not in ('CLIENT', 'PRODUCER') and operation is distinct from 'batch')
