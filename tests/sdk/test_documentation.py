"""The Python examples of the SDK's pages, those of a page in order in one process, as a reader would run them."""

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import infersight

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Script

PAGES = Path(__file__).parents[2] / "sdk" / "docs"
PAGE = PAGES / "instrumentation.md"

REQUEST = """
import asyncio, httpx
async def get():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return (await client.get("/classify", params={"text": "A good day"})).json()
assert asyncio.run(get()) == "positive"
"""


def test_the_examples_run_and_what_they_emit_arrives(receiver: "Receiver", script: "Script") -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(examples) == 3
    code = "\n".join([examples[0], REQUEST, *examples[1:]])
    result = script(code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint)
    assert result.returncode == 0, result.stderr
    assert sorted(span.name for span in receiver.spans) == ["GET /classify", "inference sentiment", "preprocess"]
    (stage,) = [span for span in receiver.spans if span.name == "preprocess"]
    assert (stage.attributes["text.length"], stage.attributes["words"]) == (10, 3)
    assert {"classified"} <= {log.record.body.string_value for log in receiver.logs}


def test_every_option_and_its_variable_is_on_the_page() -> None:
    for name in inspect.signature(infersight.configure).parameters:
        assert f"| `{name}` | `INFERSIGHT_{name.upper()}` |" in PAGE.read_text()


@pytest.mark.parametrize(
    ("page", "spans", "events"),
    [
        (
            "predictions",
            {"request", "inference sentiment"},
            {"infersight.prediction", "infersight.feedback", "infersight.input.invalid"},
        ),
        ("variants", {"request", "rank"}, {"feature_flag.evaluation"}),
        ("logs", {"load", "inference sentiment"}, set[str]()),
        ("recorder", {"GET /classify", "tokenize"}, set[str]()),
        ("redaction", set[str](), set[str]()),
        ("queries", {"retrieve", "SELECT documents"}, set[str]()),
        ("torch", {"request", "forward sentiment", *(f"forward sentiment {i}" for i in range(3))}, set[str]()),
        (
            "batching",
            {
                "request a",
                "request b",
                "queue",
                *(f"{kind} {model}" for kind in ("batch", "batched") for model in ("ranker", "sorter")),
            },
            set[str](),
        ),
        ("testing", set[str](), set[str]()),
        ("streaming", {"request", "inference splitter", "text_completion tiny", "chat tiny"}, set[str]()),
    ],
)
def test_the_examples_of_a_page_run_and_what_they_emit_arrives(
    receiver: "Receiver", script: "Script", page: str, spans: set[str], events: set[str]
) -> None:
    examples = re.findall(r"```python\n(.*?)```", (PAGES / f"{page}.md").read_text(), re.DOTALL)
    for example in examples:
        assert len([line for line in example.splitlines() if line]) < 10
    result = script("\n".join(examples), OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint)
    assert result.returncode == 0, result.stderr
    assert {span.name for span in receiver.spans} == spans
    assert {log.name for log in receiver.logs if log.name} == events


def test_the_example_of_sampling_leaves_all_of_a_request_or_nothing(receiver: "Receiver", script: "Script") -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (PAGES / "sampling.md").read_text(), re.DOTALL)
    for ratio, left in (("0.1", {0, 1}), ("1.0", {1}), ("0.0", {0})):
        receiver.spans.clear()
        receiver.logs.clear()
        code = example.replace("0.1", ratio)
        assert script(code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint).returncode == 0
        assert len(receiver.spans) == len(receiver.logs)
        assert len(receiver.spans) in left


def test_every_metric_of_the_host_is_on_its_page(receiver: "Receiver", script: "Script") -> None:
    result = script("import infersight; infersight.configure()", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint)
    assert result.returncode == 0, result.stderr
    text = (PAGES / "host-metrics.md").read_text()
    described = {
        first.rpartition(".")[0] + name if name.startswith(".") else name
        for row in re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
        for first in [row.split("`")[1]]
        for name in re.findall(r"`(.*?)`", row)
    }
    emitted = {name for name in receiver.metric_names if name.startswith(("process.", "cpython.", "infersight.gc."))}
    assert "process.cpu.time" in emitted
    assert emitted <= described
