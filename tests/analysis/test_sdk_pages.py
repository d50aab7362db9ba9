"""The SQL on the SDK's pages, over what the SDK emits."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (duckdb and pyarrow publish no types)

import asyncio
import re
from pathlib import Path

import httpx
from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

import infersight
from infersight import testing
from infersight_analysis import connect
from infersight_collector.decode import decode
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

PAGES = Path(__file__).parents[2] / "sdk" / "docs"


def answer(page: str, store: Path) -> list[tuple[object, ...]]:
    """Rows of the page's query."""
    (query,) = re.findall(r"```sql\n(.*?)```", (PAGES / f"{page}.md").read_text(), re.DOTALL)
    with connect(store) as connection:
        return connection.execute(query).fetchall()


def write(captured: testing.Captured, store: Path) -> None:
    request = bytes(encode_spans(captured.spans).SerializeToString())
    Store.open(store).write(decode(Signal.TRACES, request), Origin("test", 1))


def test_requests_are_compared_by_variant(tmp_path: Path) -> None:
    with testing.capture() as captured:
        app = FastAPI()

        @app.get("/")
        async def search(variant: str) -> None:  # pyright: ignore[reportUnusedFunction] - called by the route
            infersight.variant("ranker", variant)

        infersight.instrument_fastapi(app)
        asyncio.run(_get(app, "ABB"))
    write(captured, tmp_path)
    assert sorted(row[:2] for row in answer("variants", tmp_path)) == [("A", 1), ("B", 2)]


async def _get(app: FastAPI, variants: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for variant in variants:
            assert (await client.get("/", params={"variant": variant})).is_success


def test_the_same_query_many_times_in_a_trace_is_found(tmp_path: Path) -> None:
    with testing.capture() as captured:
        for times in (2, 11):
            with infersight.stage("request"):
                for number in range(times):
                    with infersight.query("SELECT documents", statement=f"WHERE id = {number}"):
                        pass
    write(captured, tmp_path)
    assert answer("queries", tmp_path) == [(f"{2:032x}", "SELECT documents", 11)]


def test_the_time_of_a_batch_is_shared_out_among_its_requests(tmp_path: Path) -> None:
    with testing.capture() as captured:
        items: list[infersight.QueuedItem] = []
        for size in (30, 10):
            with infersight.stage("request"):
                items.append(infersight.QueuedItem(size))
        batch = infersight.Batch(items, model="ranker", capacity=8, release_reason="full")
        with batch, infersight.stage("forward ranker"):
            pass
    write(captured, tmp_path)
    took_ms = testing.TICK_NS / 1e6
    assert sorted(answer("batching", tmp_path)) == [(f"{1:032x}", 0.75 * took_ms), (f"{2:032x}", 0.25 * took_ms)]
