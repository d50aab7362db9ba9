"""`configure` in processes of its own: where options come from, who owns the providers, how a process ends."""

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import infersight
from infersight._config import parse_endpoint

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Script

NOWHERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "INFERSIGHT_SHUTDOWN_SECONDS": "0.2"}
EMIT = "\nwith infersight.stage('work'): pass\n"


def test_the_end_of_the_process_sends_what_is_waiting(receiver: "Receiver", script: "Script") -> None:
    code = f"import infersight; infersight.configure(service_name='s', endpoint='{receiver.grpc_endpoint}'){EMIT}"
    assert script(code).stderr == ""
    assert [span.name for span in receiver.spans] == ["work"]


def test_an_argument_wins_over_the_environment_and_ours_over_opentelemetrys(
    receiver: "Receiver", script: "Script"
) -> None:
    environment = {
        "INFERSIGHT_SERVICE_NAME": "from-infersight",
        "INFERSIGHT_SERVICE_VERSION": "from-infersight",
        "INFERSIGHT_ENDPOINT": receiver.http_endpoint,
        "INFERSIGHT_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "from-opentelemetry",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_RESOURCE_ATTRIBUTES": "team=search,service.version=0",
    }
    code = f"import infersight; infersight.configure(service_name='from-argument'){EMIT}"
    assert script(code, **environment).stderr == ""
    resource = receiver.spans[0].resource
    assert resource["service.name"] == "from-argument"
    assert resource["service.version"] == "from-infersight"
    assert resource["team"] == "search"


def test_opentelemetrys_variables_work(receiver: "Receiver", script: "Script") -> None:
    environment = {
        "OTEL_SERVICE_NAME": "s",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.http_endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_TRACES_SAMPLER": "always_off",
        "OTEL_LOGS_EXPORTER": "none",
    }
    code = "import infersight, logging; infersight.configure(console='off')" + EMIT
    code += "infersight.observe(model='m')(len)([1]); logging.getLogger().error('not sent')"
    assert script(code, **environment).stderr == ""
    assert (receiver.spans, receiver.logs) == ([], [])
    assert "infersight.inference.duration" in receiver.metric_names


def test_a_second_call_changes_nothing(receiver: "Receiver", script: "Script") -> None:
    code = (
        "import infersight\n"
        f"options = dict(service_name='first', endpoint='{receiver.grpc_endpoint}', console='human')\n"
        "infersight.configure(**options); infersight.configure(**options)\n"
        "infersight.configure(service_name='second')" + EMIT
    )
    assert script(code).stderr.count("configured already") == 1
    assert [span.resource["service.name"] for span in receiver.spans] == ["first"]


def test_after_shutdown_configure_begins_anew(receiver: "Receiver", script: "Script") -> None:
    code = (
        f"import infersight\nfor name in ('first', 'second'):\n"
        f"    infersight.configure(service_name=name, endpoint='{receiver.grpc_endpoint}')\n"
        "    with infersight.stage('work'): pass\n"
        "    infersight.shutdown()\n"
    )
    assert script(code).stderr == ""
    assert [span.resource["service.name"] for span in receiver.spans] == ["first", "second"]


def test_a_provider_of_the_application_is_used_and_neither_replaced_nor_sent_twice(
    receiver: "Receiver", script: "Script"
) -> None:
    code = (
        "import infersight\n"
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "exporter, provider = InMemorySpanExporter(), TracerProvider()\n"
        "provider.add_span_processor(SimpleSpanProcessor(exporter))\n"
        "trace.set_tracer_provider(provider)\n"
        f"infersight.configure(endpoint='{receiver.grpc_endpoint}')\n"
        "infersight.observe(model='m')(len)([1])\n"
        "infersight.shutdown()\n"
        "with trace.get_tracer('t').start_as_current_span('after'): pass\n"
        "print(trace.get_tracer_provider() is provider, [s.name for s in exporter.get_finished_spans()])"
    )
    result = script(code)
    assert (result.stdout, result.stderr) == ("True ['inference m', 'after']\n", "")
    assert receiver.spans == []
    assert "infersight.inference.duration" in receiver.metric_names


@pytest.mark.parametrize(
    ("environment", "warning"),
    [
        ({"INFERSIGHT_ENDPOINT": "ftp://nowhere"}, "ignoring INFERSIGHT_ENDPOINT=ftp://nowhere"),
        ({"INFERSIGHT_CONSOLE": "loud"}, "ignoring INFERSIGHT_CONSOLE=loud: expected one of auto, human"),
        ({"INFERSIGHT_BLOCKED_SECONDS": "-1"}, "ignoring INFERSIGHT_BLOCKED_SECONDS=-1: expected a positive"),
        ({"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "many"}, "infersight is off"),
        ({"OTEL_TRACES_EXPORTER": "carrier-pigeon"}, "no such exporter is installed"),
    ],
)
def test_a_faulty_environment_is_one_line_and_the_application_runs(
    receiver: "Receiver", script: "Script", environment: dict[str, str], warning: str
) -> None:
    code = f"import infersight; infersight.configure(){EMIT}print('served')"
    result = script(code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint, **environment)
    assert (result.returncode, result.stdout) == (0, "served\n")
    (said,) = result.stderr.splitlines()
    assert warning in said


@pytest.mark.parametrize(
    "arguments",
    [{"service_name": 5}, {"enabled": "yes"}, {"blocked_seconds": True}, {"endpoint": b"http://127.0.0.1:1"}],
)
def test_an_argument_of_the_wrong_type_is_the_programmers_error(arguments: dict[str, object]) -> None:
    with pytest.raises(TypeError, match=f"configure\\({next(iter(arguments))}=...\\) takes a"):
        infersight.configure(**arguments)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("url", ["http://", "http://127.0.0.1:port", "://x", "http://127.0.0.1:0", "file:///x"])
def test_what_is_no_endpoint_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_endpoint(url)


def test_an_endpoint_without_a_scheme_is_http() -> None:
    assert parse_endpoint("127.0.0.1:4317") == "http://127.0.0.1:4317"


def test_disabled_loads_and_starts_nothing(script: "Script") -> None:
    code = (
        "import infersight, sys, threading, logging; infersight.configure(enabled=False)" + EMIT + "assert "
        "infersight.observe(model='m')(len)([1]) == 1; print('opentelemetry.sdk.trace' in sys.modules, "
        "threading.active_count(), logging.getLogger().handlers)"
    )
    assert script(code).stdout == "False 1 []\n"


def test_sigterm_sends_what_is_waiting_and_still_ends_the_process(receiver: "Receiver") -> None:
    code = (
        f"import infersight, signal; infersight.configure(endpoint='{receiver.grpc_endpoint}'){EMIT}"
        "print('ready', flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == -signal.SIGTERM
    assert [span.name for span in receiver.spans] == ["work"]


def test_a_handler_of_the_application_for_sigterm_stays(script: "Script") -> None:
    code = (
        "import infersight, signal; handler = lambda *_: None; signal.signal(signal.SIGTERM, handler)\n"
        "infersight.configure(); print(signal.getsignal(signal.SIGTERM) is handler)"
    )
    assert script(code, **NOWHERE).stdout == "True\n"


def test_a_process_without_a_collector_ends_in_the_time_it_was_given(script: "Script") -> None:
    code = (
        "import time, infersight; infersight.configure()" + EMIT + "began = time.monotonic(); infersight.shutdown(); "
        "print(time.monotonic() - began)"
    )
    result = script(code, **NOWHERE)
    assert float(result.stdout) < 5  # OpenTelemetry alone tries for ten
    assert "gave up sending telemetry after 0.2 s" in result.stderr
    assert "Shutdown in progress" not in result.stderr


@pytest.mark.parametrize(
    ("protocol", "sent_before"), [("grpc", False), ("http/protobuf", False), ("http/protobuf", True)]
)
def test_forked_children_send_on_their_own_connection_with_their_own_instance_id(
    receiver: "Receiver", script: "Script", protocol: str, sent_before: bool
) -> None:
    endpoint = receiver.grpc_endpoint if protocol == "grpc" else receiver.http_endpoint
    code = (
        "import infersight, multiprocessing\n"
        f"infersight.configure(endpoint='{endpoint}', protocol='{protocol}')\n"
        "def work(name):\n    with infersight.stage(name): pass\n"
        f"work('parent')\nif {sent_before}: infersight.force_flush()\n"
        "context = multiprocessing.get_context('fork')\n"
        "children = [context.Process(target=work, args=(f'child {i}',)) for i in range(2)]\n"
        "[child.start() for child in children]; [child.join() for child in children]\n"
        "print([child.exitcode for child in children])"
    )
    result = script(code)
    assert (result.stdout, result.stderr) == ("[0, 0]\n", "")
    assert sorted(span.name for span in receiver.spans) == ["child 0", "child 1", "parent"]
    assert len({span.resource["service.instance.id"] for span in receiver.spans}) == 3
    assert len({span.resource["process.pid"] for span in receiver.spans}) == 3
