"""Calls that nobody answers: they are blamed on the one that was called, though it left no record of them."""

import numpy as np

from infersight_analysis.forest import NONE, Flags, Rows
from infersight_analysis.rootcause.doings import Doings
from infersight_analysis.rootcause.visits import Visits


def silent_services(visits: Visits, doings: Doings, left_out: Rows, chosen: Rows) -> Rows:
    """The service that did not answer each of some visits, `NONE` where all that they called did.

    A visit waited in vain when it has a client span without a visit below it, of a name that is usually answered in its
    operation. What it waited for is the first of the calls that its operation makes less often now, and it did not.

    Args:
        visits: all visits.
        doings: what they do.
        left_out: of each operation and doing that is done less often now, both numbers, in two rows.
        chosen: numbers of the visits.
    """
    found = np.full(len(chosen), NONE, np.int64)
    waiting = _waited_in_vain(visits)
    pairs: list[list[int]] = left_out.T.tolist()
    calls = {
        (operation, doing): order
        for operation, doing in pairs
        if doings.names[doing][0] == "call" and (order := _order(visits, doings, operation, doing)) is not None
    }
    rows = np.flatnonzero(np.isin(doings.visit, chosen) & np.isin(doings.doing, [doing for _, doing in calls]))
    done = set(zip(doings.visit[rows].tolist(), doings.doing[rows].tolist(), strict=True))
    services = visits.table.service.values
    for place in np.flatnonzero(waiting[chosen]).tolist():
        visit = int(chosen[place])
        missing = [
            (order, doing)
            for (operation, doing), order in calls.items()
            if operation == visits.operation[visit] and (visit, doing) not in done
        ]
        if missing:
            callee = doings.names[min(missing)[1]][1].rpartition(" of ")[2]
            found[place] = services.index(callee)
    return found


def _waited_in_vain(visits: Visits) -> Flags:
    """Whether each visit has a client span that nobody answered, of a name that is usually answered."""
    table = visits.table
    is_answered = np.zeros(len(table.span), np.bool_)
    parent = table.forest.parent[visits.top]
    is_answered[parent[parent != NONE]] = True
    clients = np.flatnonzero(table.is_client)
    visit = visits.of_span[clients]
    key = visits.operation[visit] * len(table.name.values) + table.name.codes[clients]
    _, number = np.unique(key, return_inverse=True)
    before = ~visits.in_window[visit]
    many = int(number.max(initial=-1)) + 1
    answered, every = (np.bincount(number[rows], minlength=many) for rows in (before & is_answered[clients], before))
    usually = 2 * answered > every
    found = np.zeros(len(visits), np.bool_)
    found[visit[~is_answered[clients] & usually[number]]] = True
    return found


def _order(visits: Visits, doings: Doings, operation: int, doing: int) -> float | None:
    """How long after its begin a visit of an operation makes a call, in the mean; None where it never does."""
    callers = doings.visit[doings.doing == doing]
    callers = callers[(visits.operation[callers] == operation) & ~visits.in_window[callers]]
    callee = doings.names[doing][1].rpartition(" of ")[2]
    of_callee = visits.service == visits.table.service.values.index(callee)
    called = np.flatnonzero(of_callee & np.isin(visits.caller, callers))
    if not len(called):
        return None
    start = visits.table.start_ns[visits.top]
    return float((start[called] - start[visits.caller[called]]).mean())
