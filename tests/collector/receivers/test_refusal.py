"""What a sender is told about each error, so that it drops what is wrong and repeats what is not."""

import json

import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from infersight_collector.errors import MalformedRequest, Overloaded, TooLarge, Unauthorized
from infersight_collector.receivers.refusal import RETRY_AFTER_S, Refusal
from infersight_collector.store.errors import StoreFull, StoreUnavailable


@pytest.mark.parametrize(
    ("error", "code", "http_status", "retryable"),
    [
        (MalformedRequest("wrong", 7), 3, 400, False),
        (TooLarge(9), 8, 413, False),
        (Unauthorized(), 16, 401, False),
        (Overloaded("later"), 14, 503, True),
        (StoreFull("/secret/path: full"), 14, 503, True),
        (StoreUnavailable("/secret/path: broken"), 14, 503, True),
        (ZeroDivisionError("/secret/path"), 13, 500, False),
    ],
)
def test_each_error_has_its_codes_and_only_what_passes_is_to_be_tried_again(
    error: Exception, code: int, http_status: int, retryable: bool
) -> None:
    refusal = Refusal.of(error)
    assert (refusal.code, refusal.http_status, refusal.retryable) == (code, http_status, retryable)
    assert "/secret/path" not in refusal.message
    status = Status.FromString(refusal.status())
    assert (status.code, status.message) == (code, refusal.message)
    assert json.loads(refusal.status_json())["message"] == refusal.message
    retry = RetryInfo()
    assert [detail.Unpack(retry) for detail in status.details] == [True] * retryable
    assert retry.retry_delay.seconds == (RETRY_AFTER_S if retryable else 0)
