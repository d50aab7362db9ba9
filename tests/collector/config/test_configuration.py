"""The configuration file: what it says when it is right, and where it says that it is wrong."""

from pathlib import Path

import pytest

from infersight_collector.config import Configuration, Endpoint, load, read
from infersight_collector.config.listening import BearerToken
from infersight_collector.errors import ConfigError
from infersight_collector.exporters.store import StoreConfig
from infersight_collector.overrides import Overrides
from infersight_collector.pipeline import KINDS, build
from infersight_collector.receivers.otlp_config import GrpcConfig, HttpConfig, OtlpConfig, Protocols
from infersight_collector.signals import Signal

SHIPPED = Path(__file__).parents[3] / "otel-config" / "embedded.yaml"
MINIMAL = """\
receivers:
  otlp:
exporters:
  store: {path: here}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [store]}
"""
GRPC = "otlp:\n    protocols:\n      grpc:\n"
TOKENS = "extensions:\n  bearertokenauth:\n"


def parse(text: str, **environment: str) -> Configuration:
    return load(text, "file.yaml", KINDS, environment)


def refusal(text: str, **environment: str) -> str:
    with pytest.raises(ConfigError) as refused:
        build(parse(text, **environment))
    return str(refused.value)


def test_the_built_in_configuration_is_the_shipped_file() -> None:
    built_in = read(None, KINDS, {})
    shipped = read(SHIPPED, KINDS, {})
    assert built_in.components == shipped.components
    assert built_in.pipelines == shipped.pipelines
    source = Path(build.__code__.co_filename).with_name("embedded.yaml")
    assert source.read_text() == SHIPPED.read_text()


def test_the_built_in_configuration_spells_the_defaults_out() -> None:
    components = read(None, KINDS, {}).components
    protocols = components["receivers"]["otlp"].protocols
    defaults = OtlpConfig().protocols
    assert defaults.grpc is not None
    assert defaults.http is not None
    for found, default in ((protocols.grpc, defaults.grpc), (protocols.http, defaults.http)):
        assert found.endpoint == default.endpoint
    assert protocols.grpc.max_recv_msg_size_mib == defaults.grpc.max_recv_msg_size_mib
    assert protocols.http.max_request_body_size == defaults.http.max_request_body_size
    assert components["exporters"]["store"] == StoreConfig()


def test_a_minimal_file_takes_the_defaults() -> None:
    configuration = parse(MINIMAL)
    assert configuration.components["receivers"] == {"otlp": OtlpConfig(Protocols(GrpcConfig(), HttpConfig()))}
    assert configuration.components["exporters"] == {"store": StoreConfig(path="here")}
    assert list(configuration.pipelines) == [Signal.TRACES]


def test_a_protocol_that_is_not_named_is_not_spoken() -> None:
    receiver = parse(MINIMAL.replace("otlp:\n", "otlp: {protocols: {grpc: }}\n")).components["receivers"]["otlp"]
    assert receiver == OtlpConfig(Protocols(GrpcConfig(), None))


@pytest.mark.parametrize(
    ("text", "environment", "path"),
    [
        ("${env:DIR}/store", {"DIR": "/data"}, "/data/store"),
        ("${env:DIR:-/tmp/x}", {}, "/tmp/x"),
        ("${env:DIR:-/tmp/x}", {"DIR": ""}, "/tmp/x"),
        ("a$$b$${env:DIR}", {}, "a$b${env:DIR}"),
    ],
)
def test_environment_variables_are_put_in(text: str, environment: dict[str, str], path: str) -> None:
    configuration = parse(MINIMAL.replace("here", f'"{text}"'), **environment)
    assert configuration.components["exporters"]["store"].path == path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("receivers:\n  ", "recievers:\n  ", "file.yaml:1: unknown section 'recievers': did you mean 'receivers'?"),
        ("  otlp:", "  otpl:", "file.yaml:2: unknown receiver 'otpl': did you mean 'otlp'?"),
        ("{path:", "{paht:", "file.yaml:4: unknown key 'paht': did you mean 'path'?"),
        ("traces:", "tracse:", "file.yaml:7: unknown pipeline 'tracse': did you mean 'traces'?"),
        ("[otlp]", "[otlp/b]", "file.yaml:7: 'otlp/b' is not defined under receivers; defined there: otlp"),
        ("[otlp]", "[]", "file.yaml:7: the pipeline 'traces' has no receivers"),
        ("[otlp]", "otlp", "file.yaml:7: expected a list here"),
        ("[otlp]", "[otlp], processors: [batch]", "file.yaml:7: 'batch' is not defined under processors"),
        ("{path: here}", "[]", "file.yaml:4: expected a mapping"),
        ("path: here", "path: [a]", "file.yaml:4: expected a single value"),
        ("path: here", "path: ", "file.yaml:4: expected a single value"),
        ("path: here", "max_log_size_mib: big", "file.yaml:4: expected a whole number above zero, found"),
        ("path: here", "flush_interval: 5", "file.yaml:4: '5' is no duration"),
        ("path: here", "fsync: sometimes", "file.yaml:4: unknown value 'sometimes'"),
        ("path: here", "path: a, path: b", "file.yaml:4: 'path' is here twice"),
        ("here", "'${env:NO_SUCH}'", "file.yaml:4: the environment variable NO_SUCH is not set"),
        ("here", "'${HOME}'", "file.yaml:4: '${HOME}' is not understood: write ${env:NAME}"),
        ("otlp:\n", "otlp: {protocols: {grpc: {endpoint: '4317'}}}\n", "file.yaml:2: '4317' is no endpoint"),
        ("[otlp]", "[otlp, otlp]", "file.yaml:7: 'otlp' is in this list twice"),
        ("  otlp:", "  otlp/:", "file.yaml:2: 'otlp/' has no name behind the slash: write 'otlp' or 'otlp/NAME'"),
        (
            "otlp:\n",
            "otlp:\n    protocols:\n      grpc:\n        tsl: x\n",
            "file.yaml:5: unknown key 'tsl': did you mean",
        ),
        (
            "otlp:\n",
            "otlp:\n    protocols:\n      http:\n        max_request_body_size: 0\n",
            "file.yaml:5: expected a",
        ),
        (
            "otlp:\n",
            "otlp:\n    protocols:\n      grpc:\n        tls:\n          cert_file: c\n",
            "file.yaml:6: TLS needs",
        ),
        ("otlp:\n", f"{GRPC}      grpc: {{}}\n", "file.yaml:5: 'grpc' is here twice"),
        ("otlp:\n", "otlp: &a {protocols: *a}\n", "file.yaml:2: unknown key 'protocols'"),
        (
            "service:",
            "extensions:\n  bearertokenauth:\n    tokens: [a, b: c]\nservice:",
            "file.yaml:7: expected a single value",
        ),
        (MINIMAL, "a: [", "file.yaml:1: not valid YAML"),
        (MINIMAL, "", "file.yaml:1: the file is empty"),
        (MINIMAL, "receivers: {}", "file.yaml:1: the section 'service' is missing"),
        (MINIMAL, "service: {pipelines: {}}", "file.yaml:1: there is no pipeline"),
        (MINIMAL, "service: {}", "file.yaml:1: 'pipelines' is missing here"),
    ],
)
def test_a_mistake_is_refused_with_its_line_and_the_way_out(old: str, new: str, message: str) -> None:
    assert old in MINIMAL
    assert refusal(MINIMAL.replace(old, new, 1)).startswith(message)


def test_a_value_of_the_wrong_type_is_told_at_its_own_line_though_a_rule_of_the_component_found_it() -> None:
    text = MINIMAL.replace(
        "exporters:\n", "processors:\n  batch:\n    timeout: 1s\n    send_batch_size: -1\nexporters:\n"
    )
    assert refusal(text).startswith("file.yaml:6: send_batch_size is negative")


@pytest.mark.parametrize("value", ["s3cret-value", "5"])
def test_what_comes_from_the_environment_is_not_shown_in_a_complaint(value: str) -> None:
    for key in ("flush_interval", "fsync", "max_log_size_mib"):
        message = refusal(MINIMAL.replace("path: here", f"{key}: '${{env:WRONG}}x'"), WRONG=value)
        assert message.startswith("file.yaml:4: ")
        assert f"'{value}x'" not in message
        assert "${env:WRONG}x" in message


def test_values_that_are_no_texts_come_from_the_environment_too() -> None:
    text = MINIMAL.replace("otlp:\n", "otlp: {protocols: {grpc: {max_recv_msg_size_mib: '${env:MIB}'}}}\n")
    grpc = parse(text.replace("path: here", "fsync: '${env:SYNC:-never}'"), MIB="5").components["receivers"]["otlp"]
    assert grpc.protocols.grpc.max_recv_msg_size_mib == 5


def test_lines_with_secrets_are_known() -> None:
    text = (
        f"{MINIMAL}extensions:\n  bearertokenauth:\n    token: written-out\n    tokens: ['${{env:OTHER}}', another]\n"
    )
    assert parse(text, OTHER="x").secret_lines == (10, 11)


def test_beyond_this_machine_a_token_is_needed() -> None:
    open_receiver = "otlp: {protocols: {http: {endpoint: '0.0.0.0:4318', tls: {insecure: true}}}}\n"
    assert "INFERSIGHT_TOKEN" in refusal(MINIMAL.replace("otlp:\n", open_receiver))
    guarded = MINIMAL.replace(
        "otlp:\n", open_receiver.replace("4318'", "4318', auth: {authenticator: bearertokenauth}")
    )
    assert "not among service.extensions" in refusal(guarded)
    guarded = guarded.replace("service:\n", "service:\n  extensions: [bearertokenauth]\n")
    guarded += "extensions: {bearertokenauth: {token: '${env:TOKEN:-}'}}\n"
    assert "INFERSIGHT_TOKEN" in refusal(guarded)
    assert len(build(parse(guarded, TOKEN="t")).receivers) == 1


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_beyond_this_machine_tls_is_needed_or_the_word_that_a_proxy_does_it(protocol: str) -> None:
    def receiver(tls: str) -> str:
        keys = f"endpoint: '0.0.0.0:0', auth: {{authenticator: bearertokenauth}}{tls}"
        text = MINIMAL.replace("otlp:\n", f"otlp: {{protocols: {{{protocol}: {{{keys}}}}}}}\n")
        text = text.replace("service:\n", "service:\n  extensions: [bearertokenauth]\n")
        return f"{text}extensions: {{bearertokenauth: {{token: secret}}}}\n"

    assert "listens beyond this machine without TLS" in refusal(receiver(""))
    assert len(build(parse(receiver(", tls: {insecure: true}"))).receivers) == 1


def test_a_token_is_not_shown_with_its_configuration() -> None:
    assert "secret" not in repr(BearerToken("secret"))


def test_the_log_is_in_the_first_store_that_a_pipeline_uses() -> None:
    two = MINIMAL.replace("service:", "  store/2: {path: there}\nservice:")
    two += "    logs: {receivers: [otlp], exporters: [store/2]}\n"
    graph = build(parse(two))
    assert graph.log.path == Path("here")
    assert list(graph.exporters) == ["store", "store/2"]


def test_the_extension_file_storage_says_where_the_log_is() -> None:
    text = MINIMAL.replace("service:\n", "service:\n  extensions: [file_storage]\n")
    text += "extensions: {file_storage: {directory: queue, fsync: interval}}\n"
    log = build(parse(text)).log
    assert (log.path, log.fsync) == (Path("queue"), "interval")


def test_the_command_line_goes_before_the_file() -> None:
    overrides = Overrides(Path("/data"), Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2), Endpoint("::1", 3))
    components = overrides.apply(read(None, KINDS, {})).components
    assert components["exporters"]["store"] == StoreConfig(path="/data")
    protocols = components["receivers"]["otlp"].protocols
    assert (protocols.grpc.endpoint.port, protocols.http.endpoint.port) == (1, 2)
    assert str(components["extensions"]["health_check"].endpoint) == "[::1]:3"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (Overrides(health=Endpoint("127.0.0.1", 1)), "--health-endpoint is for 'health_check'"),
        (Overrides(http=Endpoint("127.0.0.1", 1)), "has no protocol 'http'"),
    ],
)
def test_an_argument_for_what_the_file_has_not_is_refused(overrides: Overrides, message: str) -> None:
    configuration = parse(MINIMAL.replace("otlp:\n", "otlp: {protocols: {grpc: }}\n"))
    with pytest.raises(ConfigError, match=message):
        overrides.apply(configuration)


@pytest.mark.parametrize(
    ("text", "host", "loopback"),
    [
        ("127.0.0.1:0", "127.0.0.1", True),
        ("127.8.8.8:1", "127.8.8.8", True),
        ("localhost:4317", "localhost", True),
        ("[::1]:4317", "::1", True),
        ("0.0.0.0:4317", "0.0.0.0", False),
        ("[::]:4317", "::", False),
        ("localhost.example.org:1", "localhost.example.org", False),
    ],
)
def test_endpoints_know_whether_only_this_machine_reaches_them(text: str, host: str, loopback: bool) -> None:
    endpoint = Endpoint.parse(text)
    assert (endpoint.host, endpoint.is_loopback, str(endpoint)) == (host, loopback, text)


@pytest.mark.parametrize("text", ["", "4317", ":4317", "host:", "host:x", "host:65536", "::1:4317", "host:-1"])
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        Endpoint.parse(text)


METRICS = MINIMAL + "    metrics: {receivers: [otlp], exporters: [store]}\n"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (METRICS, 15),
        (METRICS + "  telemetry: {metrics: {interval: 1m}}\n", 60),
        (METRICS + "  telemetry: {metrics: {level: none}}\n", None),
        (MINIMAL, None),
    ],
    ids=["default", "interval", "none", "no pipeline for them"],
)
def test_own_metrics_go_into_the_pipelines_of_metrics_unless_they_are_off(text: str, seconds: float | None) -> None:
    assert build(parse(text)).own_metrics_s == seconds


def test_an_unknown_level_of_own_metrics_is_refused_with_its_place() -> None:
    message = refusal(METRICS + "  telemetry:\n    metrics:\n      level: nome\n")
    assert message == "file.yaml:11: unknown value 'nome': did you mean 'none'?"


def test_the_built_in_configuration_sends_own_metrics_unless_the_environment_says_no() -> None:
    assert build(read(None, KINDS, {})).own_metrics_s == 15
    assert build(read(None, KINDS, {"INFERSIGHT_COLLECTOR_METRICS": "none"})).own_metrics_s is None
