"""Senders in browsers: pages of the allowed origins may send, others may not."""

import http.client

import pytest
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import Answer, post
from tests.support.servers import RecordingSink, ServeHttp

from infersight_collector.config.values import Duration
from infersight_collector.receivers.otlp_config import Cors, HttpConfig
from infersight_collector.receivers.token import BearerTokens

PAGES = Cors(["https://app.example.org", "https://*.test"], ["x-tenant"], Duration(60))


def preflight(address: str, origin: str) -> Answer:
    connection = http.client.HTTPConnection(address, timeout=30)
    asked = {"origin": origin, "access-control-request-method": "POST"}
    connection.request("OPTIONS", "/v1/traces", headers=asked)
    response = connection.getresponse()
    answer = Answer(response.status, {name.lower(): text for name, text in response.getheaders()}, response.read())
    connection.close()
    return answer


@pytest.mark.parametrize("origin", ["https://app.example.org", "https://a.b.test", "HTTPS://APP.example.org"])
def test_a_page_of_an_allowed_origin_may_send_and_read_the_answer(serve_http: ServeHttp, origin: str) -> None:
    address = serve_http(HttpConfig(cors=PAGES), BearerTokens(["right"]))
    asked = preflight(address, origin)
    assert (asked.status, asked.body) == (204, b"")
    assert asked.headers["access-control-allow-origin"] == origin
    assert asked.headers["access-control-allow-methods"] == "POST"
    assert asked.headers["access-control-allow-headers"] == "content-type, content-encoding, authorization, x-tenant"
    assert asked.headers["access-control-max-age"] == "60"
    for token, status in (("right", 200), ("wrong", 401)):
        headers = {"origin": origin, "authorization": f"Bearer {token}"}
        answer = post(address, "/v1/traces", spans_request("x"), **headers)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, origin)
        assert answer.headers["vary"] == "origin"


@pytest.mark.parametrize(
    "origin", ["https://app.example.org.evil.test.example", "http://app.example.org", "https://appXexample.org", "null"]
)
def test_a_page_of_another_origin_is_told_nothing(serve_http: ServeHttp, origin: str) -> None:
    address = serve_http(HttpConfig(cors=PAGES))
    for answer in (preflight(address, origin), post(address, "/v1/traces", b"", origin=origin)):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_without_cors_a_browser_is_told_nothing(serve_http: ServeHttp, sink: RecordingSink) -> None:
    address = serve_http()
    assert preflight(address, "https://app.example.org").status == 405
    answer = post(address, "/v1/traces", spans_request("x"), origin="https://app.example.org")
    assert "access-control-allow-origin" not in answer.headers
    assert len(sink.requests) == 1
