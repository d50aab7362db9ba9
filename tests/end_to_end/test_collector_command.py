"""The command `infersight collector`: what it prints, what it refuses, how it ends."""

# pyright: reportUnknownMemberType=false
# grpc publishes no types.

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from tests.support.collectors import RunningCollector, StartCollector
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import GrpcSender, post

from infersight_collector.signals import Signal

CONFIGURATION = """
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:0", auth: {authenticator: bearertokenauth}}
      http: {endpoint: "127.0.0.1:0", auth: {authenticator: bearertokenauth}}
exporters:
  store: {path: unused}
extensions:
  health_check: {endpoint: "127.0.0.1:0"}
  bearertokenauth: {token: "${env:SECRET}"}
service:
  extensions: [health_check, bearertokenauth]
  pipelines:
    traces: {receivers: [otlp], exporters: [store]}
"""


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs the command to its end."""
    command = [sys.executable, "-m", "infersight_collector", *arguments]
    surroundings = {**os.environ, **environment}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=180, env=surroundings)


def assert_refused(result: "subprocess.CompletedProcess[str]", *said: str) -> None:
    """It ended with 2 and one line that says all of this."""
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    for text in said:
        assert text in result.stderr


def test_it_prints_every_open_endpoint_and_the_store(collector: RunningCollector) -> None:
    printed = collector.log.read_text().splitlines()
    assert printed[:4] == [
        f"health    {collector.health}",
        f"OTLP/gRPC {collector.grpc}",
        f"OTLP/HTTP {collector.http}",
        f"store     {collector.store}",
    ]


@pytest.mark.parametrize("taken", ["grpc", "http", "health"])
def test_an_endpoint_in_use_is_refused_in_one_line(collector: RunningCollector, tmp_path: Path, taken: str) -> None:
    endpoints = dict.fromkeys(("grpc", "http", "health"), "127.0.0.1:0") | {taken: getattr(collector, taken)}
    arguments = [text for name, address in endpoints.items() for text in (f"--{name}-endpoint", address)]
    result = run("--store", str(tmp_path / "store"), *arguments)
    assert_refused(result, getattr(collector, taken), "choose another endpoint")


def test_listening_beyond_this_machine_without_a_token_or_tls_is_refused(tmp_path: Path) -> None:
    result = run("--store", str(tmp_path), "--http-endpoint", "0.0.0.0:0")
    assert_refused(result, "0.0.0.0:0", "INFERSIGHT_TOKEN")
    result = run("--store", str(tmp_path), "--http-endpoint", "0.0.0.0:0", INFERSIGHT_TOKEN="secret")
    assert_refused(result, "0.0.0.0:0", "without TLS", "cert_file")


def test_a_directory_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_refused(run("--store", str(tmp_path)), str(tmp_path), "choose another directory")


def test_a_mistake_in_the_configuration_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIGURATION.replace("protocols", "protocol"))
    for arguments in (["validate", str(file)], ["--config", str(file)]):
        assert_refused(run(*arguments), f"{file}:4:", "'protocol'", "did you mean 'protocols'?")


def test_validate_shows_what_the_shipped_configuration_would_run() -> None:
    shipped = Path(__file__).parents[2] / "otel-config" / "embedded.yaml"
    result = run("validate", str(shipped))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"{shipped} is valid",
        "  otlp: gRPC on 127.0.0.1:4317, no TLS, no token",
        "  otlp: HTTP on 127.0.0.1:4318, no TLS, no token",
        "  health_check: 127.0.0.1:13133",
        "  traces: otlp -> store",
        "  metrics: otlp -> store",
        "  logs: otlp -> store",
        "  kept in infersight-store, write-ahead log of at most 1024 MiB, fsync always",
    ]


def test_validate_shows_no_secret_and_warns_of_what_is_not_safe_or_not_used(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    text = CONFIGURATION.replace("${env:SECRET}", "s3cret").replace(
        "exporters:\n", "exporters:\n  store/2: {path: x}\n"
    )
    file.write_text(text)
    file.chmod(0o666)
    result = run("validate", str(file))
    assert result.returncode == 0
    assert "tokens of bearertokenauth" in result.stdout
    assert "s3cret" not in result.stdout + result.stderr
    warnings = result.stderr.splitlines()
    assert len(warnings) == 3
    for line, said in zip(warnings, ("by everybody", "holds a secret", "'store/2' under exporters"), strict=True):
        assert line.startswith("warning: ")
        assert said in line


def test_what_is_not_safe_is_in_the_log_and_what_the_collector_creates_is_its_own(
    tmp_path: Path, start_collector: StartCollector
) -> None:
    file, new, shared = tmp_path / "config.yaml", tmp_path / "new", tmp_path / "shared"
    file.write_text(CONFIGURATION)
    shared.mkdir()
    shared.chmod(0o777)
    environment = {"SECRET": "s"}
    collector = start_collector("--config", str(file), store=new, environment=environment)
    assert "can be changed by everybody" not in collector.log.read_text()
    assert stat.S_IMODE(new.stat().st_mode) == 0o700
    collector = start_collector("--config", str(file), store=shared, environment=environment)
    assert f"{shared} can be changed by everybody on this machine" in collector.log.read_text()


def test_a_token_is_wanted_from_every_sender_and_never_logged(tmp_path: Path, start_collector: StartCollector) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIGURATION)
    collector = start_collector("--config", str(file), environment={"SECRET": "s3cret"})
    sender = GrpcSender(collector.grpc)
    request = spans_request("authorized")
    for wrong in (None, "s3cre", "s3crets", "ü"):
        headers = {"authorization": f"Bearer {wrong}".encode().decode("latin-1")} if wrong else {}
        answer = post(collector.http, "/v1/traces", request, **headers)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    for wrong in (None, "s3cre"):
        with pytest.raises(grpc.RpcError) as refused:
            sender.send(Signal.TRACES, request, token=wrong)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert post(collector.http, "/v1/traces", request, authorization="Bearer s3cret").status == 200
    sender.send(Signal.TRACES, request, token="s3cret")
    collector.wait_for("select count(*) from spans", 2)
    assert "s3cre" not in collector.log.read_text()
    sender.close()


def test_a_signal_without_a_pipeline_is_not_taken(tmp_path: Path, start_collector: StartCollector) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIGURATION)
    collector = start_collector("--config", str(file), environment={"SECRET": "s"})
    assert post(collector.http, "/v1/logs", b"", authorization="Bearer s").status == 404
    sender = GrpcSender(collector.grpc)
    with pytest.raises(grpc.RpcError) as refused:
        sender.send(Signal.LOGS, b"", token="s")
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    sender.close()


def test_ctrl_c_ends_it_with_0_and_the_store_is_complete(start_collector: StartCollector) -> None:
    collector = start_collector()
    assert post(collector.http, "/v1/traces", spans_request("last")).status == 200
    os.kill(collector.process.pid, signal.SIGINT)
    assert collector.process.wait(60) == 0
    assert collector.query("select name from spans") == [("last",)]
