"""What is refused is refused in the words of the protocol: permanently, or with the time after which to come again."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# grpc publishes no types.

import json
from typing import NamedTuple

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from tests.support.otlp_senders import GrpcSender, post
from tests.support.servers import RecordingSink, ServeGrpc, ServeHttp

from infersight_collector.errors import MalformedRequest, MemoryShort, Overloaded, TooLarge
from infersight_collector.receivers.refusal import RETRY_AFTER_S
from infersight_collector.receivers.token import BearerTokens
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreFull, StoreUnavailable


class Case(NamedTuple):
    """An error behind the receivers and what a sender is told about it."""

    error: Exception
    http_status: int
    code: grpc.StatusCode
    retryable: bool


TABLE = [
    Case(MalformedRequest("wrong", 7), 400, grpc.StatusCode.INVALID_ARGUMENT, retryable=False),
    Case(TooLarge(9), 413, grpc.StatusCode.RESOURCE_EXHAUSTED, retryable=False),
    Case(ZeroDivisionError(), 500, grpc.StatusCode.INTERNAL, retryable=False),
    Case(Overloaded("later"), 503, grpc.StatusCode.UNAVAILABLE, retryable=True),
    Case(MemoryShort(1), 503, grpc.StatusCode.UNAVAILABLE, retryable=True),
    Case(StoreFull("full"), 503, grpc.StatusCode.UNAVAILABLE, retryable=True),
    Case(StoreUnavailable("gone"), 503, grpc.StatusCode.UNAVAILABLE, retryable=True),
]
CASES = pytest.mark.parametrize("case", TABLE, ids=[type(case.error).__name__ for case in TABLE])


@CASES
@pytest.mark.parametrize("content_type", ["application/x-protobuf", "application/json"])
def test_http_has_the_status_and_retry_after(
    serve_http: ServeHttp, sink: RecordingSink, case: Case, content_type: str
) -> None:
    sink.error = case.error
    address = serve_http()
    body = b"{}" if content_type == "application/json" else b""
    answer = post(address, "/v1/traces", body, content_type)
    assert (answer.status, answer.headers["content-type"]) == (case.http_status, content_type)
    assert answer.headers.get("retry-after") == (str(RETRY_AFTER_S) if case.retryable else None)
    if content_type == "application/json":
        assert json.loads(answer.body)["code"] == case.code.value[0]
    else:
        assert Status.FromString(answer.body).code == case.code.value[0]
    sink.error = None
    assert post(address, "/v1/traces", body, content_type).status == 200


@CASES
def test_grpc_has_the_code_and_retry_info(serve_grpc: ServeGrpc, sink: RecordingSink, case: Case) -> None:
    sink.error = case.error
    sender = GrpcSender(serve_grpc())
    refused = refusal(sender)
    status = status_of(refused)
    assert (refused.code(), refused.details()) == (case.code, status.message)
    retry = RetryInfo()
    assert [detail.Unpack(retry) for detail in status.details] == [True] * case.retryable
    assert retry.retry_delay.seconds == (RETRY_AFTER_S if case.retryable else 0)
    sink.error = None
    assert sender.send(Signal.TRACES, b"") == b""
    sender.close()


def test_a_wrong_token_is_permanent_over_both(serve_http: ServeHttp, serve_grpc: ServeGrpc) -> None:
    tokens = BearerTokens(["right"])
    answer = post(serve_http(tokens=tokens), "/v1/traces", b"", authorization="Bearer wrong")
    assert (answer.status, "retry-after" in answer.headers) == (401, False)
    sender = GrpcSender(serve_grpc(tokens))
    refused = refusal(sender)
    status = status_of(refused)
    assert (refused.code(), len(status.details)) == (grpc.StatusCode.UNAUTHENTICATED, 0)
    sender.close()


def status_of(refused: grpc.Call) -> Status:
    encoded = dict(refused.trailing_metadata())["grpc-status-details-bin"]
    assert isinstance(encoded, bytes)
    return Status.FromString(encoded)


def refusal(sender: GrpcSender) -> grpc.Call:
    with pytest.raises(grpc.RpcError) as refused:
        sender.send(Signal.TRACES, b"")
    assert isinstance(refused.value, grpc.Call)
    return refused.value
