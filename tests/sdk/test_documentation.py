"""The Python examples of the SDK's page, run in order in one process as a reader would."""

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import infersight

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Script

PAGE = Path(__file__).parents[2] / "sdk" / "docs" / "instrumentation.md"

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
