-- Whether a file of this partition may have rows from one time on and before another. Files for which it is false are left
-- out when the query is planned, unopened. Of times that were not placed in an hour nothing is known.
date = 'unplaced' or date || hour between
    strftime(stored.timestamp_of(from_ns), '%Y-%m-%d%H')
    and strftime(stored.timestamp_of(least(until_ns, 9223372036854775806)), '%Y-%m-%d%H')
