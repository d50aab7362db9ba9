"""Exporters that trust nobody but whom they are told to, and show a certificate where one is wanted."""

import ssl
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from tests.support.certificates import Authority
from tests.support.otlp_receivers import GrpcReceiver, HttpReceiver
from tests.support.otlp_requests import spans_request

from infersight_collector.config.tls import ClientTls
from infersight_collector.errors import ConfigError
from infersight_collector.exporters.otlp import OtlpExporterConfig, OtlpHttpExporterConfig
from infersight_collector.exporters.outcome import Delivered, Later, Outcome
from infersight_collector.signals import Signal

REQUEST = spans_request("a")

Send = Callable[[ClientTls], Outcome]
Serve = Callable[..., AbstractContextManager[Send]]


@contextmanager
def over_http(authority: Authority, *, mutual: bool = False) -> Generator[Send]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server"))
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED if mutual else ssl.CERT_NONE
    with HttpReceiver(context) as receiver:
        yield lambda tls: sent(OtlpHttpExporterConfig(receiver.url, tls))


@contextmanager
def over_grpc(authority: Authority, *, mutual: bool = False) -> Generator[Send]:
    certificate, key = authority.issue("server")
    clients = authority.certificate.read_bytes() if mutual else None
    with GrpcReceiver((certificate.read_bytes(), key.read_bytes(), clients)) as receiver:
        yield lambda tls: sent(OtlpExporterConfig(receiver.address, tls))


def sent(config: OtlpExporterConfig | OtlpHttpExporterConfig) -> Outcome:
    client = config.client()
    try:
        return client.send(Signal.TRACES, REQUEST)
    finally:
        client.close()


@pytest.mark.parametrize("serve", [over_http, over_grpc])
def test_a_receiver_is_trusted_by_its_authority_alone(serve: Serve, tmp_path: Path) -> None:
    authority, other = Authority(tmp_path / "ours"), Authority(tmp_path / "other")
    with serve(authority) as send:
        assert isinstance(send(ClientTls(ca_file=str(authority.certificate))), Delivered)
        assert isinstance(send(ClientTls(ca_file=str(other.certificate))), Later)
        assert isinstance(send(ClientTls()), Later)


@pytest.mark.parametrize("serve", [over_http, over_grpc])
def test_a_receiver_that_wants_a_certificate_gets_it(serve: Serve, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ours")
    certificate, key = authority.issue("client")
    ca_file = str(authority.certificate)
    with serve(authority, mutual=True) as send:
        shown = ClientTls(ca_file=ca_file, cert_file=str(certificate), key_file=str(key))
        assert isinstance(send(shown), Delivered)
        assert isinstance(send(ClientTls(ca_file=ca_file)), Later)


def test_verification_can_be_given_up_over_http(tmp_path: Path) -> None:
    with over_http(Authority(tmp_path / "ours")) as send:
        assert isinstance(send(ClientTls(insecure_skip_verify=True)), Delivered)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    tls = ClientTls(ca_file=str(tmp_path / "none.crt"))
    for config in (OtlpExporterConfig("127.0.0.1:4317", tls), OtlpHttpExporterConfig("https://127.0.0.1:4318", tls)):
        with pytest.raises(ConfigError, match=r"none\.crt: cannot be read for TLS"):
            config.client()


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: ClientTls(cert_file="a"), "needs 'cert_file' and 'key_file'"),
        (lambda: ClientTls(insecure=True, ca_file="a"), "remove it, or the files"),
        (lambda: OtlpExporterConfig("localhost"), "write HOST:PORT"),
        (lambda: OtlpExporterConfig("http://localhost:4317/v1"), "write HOST:PORT"),
        (lambda: OtlpExporterConfig("h:1", ClientTls(insecure_skip_verify=True)), "always verifies"),
        (lambda: OtlpHttpExporterConfig("localhost:4318"), "write one as in https://"),
    ],
)
def test_what_cannot_work_is_said_with_what_to_write(make: Callable[[], object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()
