# pyright: reportUnknownMemberType=false
# (pytest leaves an argument untyped)
"""Models that are asked: callables and real endpoints, that answer, fail, hang and go away."""

import json
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI, HTTPException, Request
from tests.support.model_endpoint import served

from infersight_analysis.errors import AnalysisError
from infersight_analysis.models.answers import Answer
from infersight_analysis.models.endpoint import Endpoint
from infersight_analysis.models.inputs import read_inputs
from infersight_analysis.models.model import Failure, Model, ModelGoneError, Reply, load
from infersight_analysis.models.paths import steps

hanging = threading.Event()
"""Set when a test of a model that hangs is over."""

seen: list[tuple[dict[str, str], Any]] = []
"""Headers and body of each request."""


def application() -> FastAPI:
    app = FastAPI()

    @app.post("/predict")
    async def predict(request: Request) -> Any:
        body = await request.json()
        seen.append((dict(request.headers), body))
        text = body["text"]
        if text == "forbidden":
            raise HTTPException(422, "not this\none")
        if text == "odd":
            return {"nothing": "here"}
        return {"label": "long" if len(text) > 5 else "short", "confidence": 0.75}

    @app.post("/batch")
    async def batch(request: Request) -> Any:
        texts = (await request.json())["instances"]
        if "forbidden" in texts:
            raise HTTPException(500, "broken")
        return {"predictions": [{"label": len(text)} for text in texts]}

    @app.post("/hang")
    def hang() -> str:
        hanging.wait(30)
        return "late"

    return app


@pytest.fixture(scope="module")
def address() -> Generator[str]:
    with served(application()) as found:
        yield found
        hanging.set()


def test_an_endpoint_is_asked_with_the_template_the_headers_and_a_trace_of_its_own(address: str) -> None:
    seen.clear()
    endpoint = Endpoint(f"{address}/predict", steps("text"), {"kind": "plain"}, {"x-token": "secret"})
    replies = list(Model(endpoint, "m").each(["hello", "hello there"]))
    assert [reply.answer for reply in replies] == [Answer("short", 0.75), Answer("long", 0.75)]
    assert [body for _, body in seen] == [{"kind": "plain", "text": "hello"}, {"kind": "plain", "text": "hello there"}]
    for (headers, _), reply in zip(seen, replies, strict=True):
        assert headers["x-token"] == "secret"
        version, trace_id, _, flags = headers["traceparent"].split("-")
        assert (version, trace_id, flags) == ("00", reply.trace_id, "01")


def test_a_refusal_is_a_failure_with_its_status_and_what_was_said(address: str) -> None:
    endpoint = Endpoint(f"{address}/predict", steps("text"))
    refused, odd, good = Model(endpoint, "m").each(["forbidden", "odd", "hello"])
    assert refused.failure == Failure("HTTP 422", 'HTTP 422: {"detail":"not this\\none"}')
    assert odd.failure is not None
    assert odd.failure.status == "no answer in it"
    assert good.answer == Answer("short", 0.75)


def test_a_batch_that_fails_is_asked_one_by_one(address: str) -> None:
    endpoint = Endpoint(f"{address}/batch", steps("instances"))
    model = Model(endpoint, "m", batch_size=3, answers_at=steps("predictions"))
    replies = list(model.each(["a", "forbidden", "abc", "ab"]))
    assert [reply.answer and reply.answer.label for reply in replies] == [1, None, 3, 2]
    assert replies[1].failure is not None
    assert replies[1].failure.status == "HTTP 500"
    assert model.calls == 1 + 3 + 1


def test_a_batch_of_arrays_is_an_array() -> None:
    shapes: list[tuple[int, ...]] = []

    def classify(batch: Any) -> Any:
        shapes.append(batch.shape)
        return batch.sum(axis=1)

    replies = list(Model(classify, "m", batch_size=2).each([np.ones(3), np.zeros(3), np.ones(3)]))
    assert shapes == [(2, 3), (1, 3)]
    assert [reply.answer for reply in replies] == [Answer(3.0), Answer(0.0), Answer(3.0)]


def test_a_list_of_another_length_is_no_answer() -> None:
    def drops_one(batch: list[str]) -> list[str]:
        return batch[1:]

    (reply,) = Model(drops_one, "m", batch_size=2).each(["a"])
    assert str(reply.failure) == "no answer in it: 1 inputs did not get a list of 1 answers"


def test_an_endpoint_that_hangs_times_out_and_is_given_up_after_a_while(address: str) -> None:
    model = Model(Endpoint(f"{address}/hang", timeout_s=0.1), "m", timeout_s=0.1)
    replies: list[Reply] = []
    with pytest.raises(ModelGoneError, match="5 calls in a row without an answer: timed out"):
        replies.extend(model.each("abcdefgh"))
    assert model.calls == 5


def test_nobody_there_is_unreachable() -> None:
    model = Model(Endpoint("http://127.0.0.1:9/predict"), "m")
    failure = model.ask("x").failure
    assert failure is not None
    assert failure.status == "unreachable"
    assert "refused" in failure.message


def test_a_callable_s_exception_is_a_failure_and_the_next_input_is_asked() -> None:
    def picky(text: str) -> str:
        if not text:
            raise ValueError("empty")
        return text

    failed, good = Model(picky, "m").each(["", "x"])
    assert failed.failure == Failure("ValueError", "empty")
    assert good.answer == Answer("x")


def test_a_callable_that_hangs_once_does_not_hold_up_the_others() -> None:
    over = threading.Event()

    def sometimes(text: str) -> str:
        if text == "hang":
            over.wait(30)
        return text

    hung, good = Model(sometimes, "m", timeout_s=1).each(["hang", "x"])
    over.set()
    assert hung.failure == Failure("timed out", "no answer within 1 s")
    assert good.answer == Answer("x")


def test_coroutines_are_awaited_and_calls_share_a_thread() -> None:
    threads: set[int] = set()

    async def classify(text: str) -> str:
        threads.add(threading.get_ident())
        return text

    assert [reply.answer for reply in Model(classify, "m").each("ab")] == [Answer("a"), Answer("b")]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_a_callable_is_found_in_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_found_model.py").write_text(
        "class Pipeline:\n    def predict(self, x):\n        return x\nbest = Pipeline()\nnone = 1\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load("my_found_model:best.predict")("x") == "x"
    for target, says in [
        ("my_found_model:none", "cannot be called"),
        ("my_found_model:nothing", "AttributeError"),
        ("no_such_module:x", "ModuleNotFoundError"),
        ("ftp://x/y", "cannot load"),
        ("my_found_model", "neither module:callable"),
    ]:
        with pytest.raises(AnalysisError, match=says):
            load(target)


def test_inputs_come_from_files_and_texts(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo words\n")
    lines = [{"input": "from a set", "label_true": "x"}, {"age": 1}, [1, 2], "text"]
    (tmp_path / "b.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (tmp_path / "c.csv").write_text("age,name\n1,a\n2,b\n")
    (tmp_path / "d.json").write_text("[1.5, null]")
    np.save(tmp_path / "e.npy", np.arange(6.0).reshape(2, 3))

    def read(name: str, column: str | None = None) -> Any:
        return read_inputs([str(tmp_path / name)], column)

    assert read("a.txt") == ["one", "two words"]
    assert read("b.jsonl") == ["from a set", {"age": 1}, [1, 2], "text"]
    assert read("c.csv") == [{"age": 1, "name": "a"}, {"age": 2, "name": "b"}]
    assert read("c.csv", "name") == ["a", "b"]
    assert read("d.json") == [1.5, None]
    assert [each.tolist() for each in read("e.npy")] == [[0, 1, 2], [3, 4, 5]]
    assert read_inputs(["just a text", "x" * 5000]) == ["just a text", "x" * 5000]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.csv", None, "there is no file"),
        ("a.jsonl", b"{}\nnot json\n", "line 2 of"),
        ("a.json", b"{}", "no list of inputs"),
        ("a.txt", b"\xff\xfe", "no UTF-8"),
        ("a.npy", b"nothing", "cannot read"),
        ("a.xlsx", b"", "none of the endings"),
        ("empty.jsonl", b"", "there is no input"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(name: str, content: bytes | None, says: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AnalysisError, match=says):
        read_inputs([str(tmp_path / name)])


def test_the_deadline_is_kept() -> None:
    started = time.monotonic()
    over = threading.Event()
    Model(lambda _: over.wait(30), "m", timeout_s=0.1).ask("x")
    over.set()
    assert time.monotonic() - started < 10
