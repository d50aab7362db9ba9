"""TLS, client certificates and tokens, with the stock exporters of the Python SDK as the senders."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# grpc publishes no types.

import shutil
import ssl
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.support.certificates import Authority
from tests.support.collectors import Collectors, RunningCollector, wait_until

GATEWAY = Path(__file__).parents[2] / "otel-config" / "gateway.yaml"
TOKEN = "t0ken-of-the-test"
PROTOCOLS = ("grpc", "http")
PATIENCE_S = 3


@dataclass
class Gateway:
    """A collector that runs `gateway.yaml` on every address, and the files of its certificates."""

    collector: RunningCollector
    authority: Authority
    certificate: Path
    client: tuple[Path, Path] | None

    def address(self, protocol: str) -> str:
        listening: str = getattr(self.collector, protocol)
        assert listening.startswith("0.0.0.0:")
        return listening.replace("0.0.0.0", "127.0.0.1")

    def exporter(
        self,
        protocol: str,
        *,
        authority: Path | None = None,
        client: tuple[Path, Path] | None = None,
        token: str | None = TOKEN,
    ) -> SpanExporter:
        """A stock exporter; what is not given is what the gateway wants."""
        trusted, client = authority or self.authority.certificate, client or self.client
        headers = {"authorization": f"Bearer {token}"} if token else {}
        endpoint = f"https://{self.address(protocol)}"
        if protocol == "grpc":
            certificate, key = (client[0].read_bytes(), client[1].read_bytes()) if client else (None, None)
            credentials = grpc.ssl_channel_credentials(trusted.read_bytes(), key, certificate)
            return GrpcSpanExporter(endpoint, credentials=credentials, headers=headers, timeout=PATIENCE_S)
        files = (str(client[0]), str(client[1])) if client else (None, None)
        return HttpSpanExporter(
            f"{endpoint}/v1/traces",
            certificate_file=str(trusted),
            client_certificate_file=files[0],
            client_key_file=files[1],
            headers=headers,
            timeout=PATIENCE_S,
        )


@pytest.fixture(autouse=True)
def _no_bundles_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library under the HTTP exporter prefers these to the file that it is told to trust."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def send(exporter: SpanExporter, name: str) -> SpanExportResult:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    provider.get_tracer("test").start_span(name).end()
    try:
        return exporter.export(kept.get_finished_spans())
    finally:
        exporter.shutdown()
        provider.shutdown()


def start_gateway(folder: Path, *, mutual: bool) -> Generator[Gateway]:
    authority = Authority(folder / "authority")
    certificate, key = authority.issue("server")
    environment = {
        "INFERSIGHT_TOKEN": TOKEN,
        "INFERSIGHT_TLS_CERT_FILE": str(certificate),
        "INFERSIGHT_TLS_KEY_FILE": str(key),
    }
    if mutual:
        environment["INFERSIGHT_TLS_CLIENT_CA_FILE"] = str(authority.certificate)
    everywhere = ("--grpc-endpoint", "0.0.0.0:0", "--http-endpoint", "0.0.0.0:0")
    collectors = Collectors(folder)
    collector = collectors.start("--config", str(GATEWAY), *everywhere, environment=environment)
    yield Gateway(collector, authority, certificate, authority.issue("client") if mutual else None)
    collectors.end()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """The shipped gateway with TLS."""
    yield from start_gateway(tmp_path_factory.mktemp("gateway"), mutual=False)


@pytest.fixture(scope="module")
def mutual_gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """The shipped gateway with TLS that asks senders for a certificate."""
    yield from start_gateway(tmp_path_factory.mktemp("mutual"), mutual=True)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that the gateways do not know."""
    return Authority(tmp_path_factory.mktemp("other") / "other authority")


def assert_stored(gateway: Gateway, name: str) -> None:
    gateway.collector.wait_for(f"select count(*) from spans where name = '{name}'", 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_shipped_gateway_takes_spans_over_tls(gateway: Gateway, protocol: str) -> None:
    assert send(gateway.exporter(protocol), f"tls {protocol}") is SpanExportResult.SUCCESS
    assert_stored(gateway, f"tls {protocol}")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_sender_that_trusts_another_authority_sends_nothing(
    gateway: Gateway, other: Authority, protocol: str
) -> None:
    exporter = gateway.exporter(protocol, authority=other.certificate)
    assert send(exporter, f"distrusted {protocol}") is SpanExportResult.FAILURE
    assert send(gateway.exporter(protocol), f"after distrust {protocol}") is SpanExportResult.SUCCESS
    assert_stored(gateway, f"after distrust {protocol}")


@pytest.mark.parametrize("token", ["t0ken-of-the-tes", None])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_wrong_or_missing_token_is_refused_over_tls(gateway: Gateway, protocol: str, token: str | None) -> None:
    assert send(gateway.exporter(protocol, token=token), f"wrong {protocol}") is SpanExportResult.FAILURE


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_sender_with_a_certificate_is_taken(mutual_gateway: Gateway, protocol: str) -> None:
    assert send(mutual_gateway.exporter(protocol), f"mutual {protocol}") is SpanExportResult.SUCCESS
    assert_stored(mutual_gateway, f"mutual {protocol}")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_sender_with_a_certificate_of_another_authority_is_refused(
    mutual_gateway: Gateway, other: Authority, protocol: str
) -> None:
    exporter = mutual_gateway.exporter(protocol, client=other.issue("client"))
    assert send(exporter, f"foreign {protocol}") is SpanExportResult.FAILURE


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_sender_without_a_certificate_is_refused(mutual_gateway: Gateway, protocol: str) -> None:
    own = mutual_gateway.client
    mutual_gateway.client = None
    try:
        assert send(mutual_gateway.exporter(protocol), f"bare {protocol}") is SpanExportResult.FAILURE
    finally:
        mutual_gateway.client = own


def test_nothing_that_was_refused_is_in_the_stores(gateway: Gateway, mutual_gateway: Gateway) -> None:
    for each, name in ((gateway, "the last over tls"), (mutual_gateway, "the last over mtls")):
        assert send(each.exporter("grpc"), name) is SpanExportResult.SUCCESS
        assert_stored(each, name)
        refused = "name like 'distrusted%' or name like 'wrong%' or name like 'foreign%' or name like 'bare%'"
        assert each.collector.query(f"select count(*) from spans where {refused}") == [(0,)]


def test_neither_the_token_nor_the_key_is_in_the_log(gateway: Gateway, mutual_gateway: Gateway) -> None:
    for each in (gateway, mutual_gateway):
        log = each.collector.log.read_text()
        assert TOKEN[:-1] not in log
        assert "PRIVATE KEY" not in log


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_renewed_certificate_is_shown_without_a_restart(gateway: Gateway, protocol: str) -> None:
    before = served_certificate(gateway, protocol)
    renewed, key = gateway.authority.issue("renewed")
    # The key first: a pair of which one half is new is not used.
    shutil.copy(key, gateway.certificate.with_suffix(".key"))
    shutil.copy(renewed, gateway.certificate)
    wait_until(lambda: served_certificate(gateway, protocol) == renewed.read_text())
    assert before != renewed.read_text()
    assert send(gateway.exporter(protocol), f"renewed {protocol}") is SpanExportResult.SUCCESS


def served_certificate(gateway: Gateway, protocol: str) -> str:
    host, port = gateway.address(protocol).split(":")
    return ssl.get_server_certificate((host, int(port)))
