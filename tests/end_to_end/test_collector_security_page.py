"""The examples of the security page are configurations that the collector runs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.certificates import Authority

from infersight_collector.config import load
from infersight_collector.pipeline import KINDS, build

PAGE = Path(__file__).parents[2] / "collector" / "docs" / "security.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
PIPELINES = {"traces": {"receivers": ["otlp"], "exporters": ["store"]}}


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_is_a_configuration(tmp_path: Path, example: str) -> None:
    document: dict[str, Any] = yaml.safe_load(example)
    document["exporters"] = {"store": {"path": str(tmp_path / "store")}}
    document["service"] = {**document.get("service", {}), "pipelines": PIPELINES}
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.issue("server")
    tokens = tmp_path / "tokens"
    tokens.write_text("one\ntwo\n")
    environment = {
        "CERT": str(certificate),
        "KEY": str(key),
        "CA": str(authority.certificate),
        "TOKENS": str(tokens),
        **dict.fromkeys(("INFERSIGHT_TOKEN", "OLD_TOKEN", "NEW_TOKEN"), "t"),
    }
    assert len(build(load(yaml.safe_dump(document), "example", KINDS, environment)).receivers) == 1


def test_the_page_tells_the_limits_that_hold() -> None:
    text = PAGE.read_text()
    spelled_out = next(yaml.safe_load(example) for example in EXAMPLES if "max_recv_msg_size_mib" in example)
    defaults = {"otlp": {"protocols": {"grpc": None, "http": None}}}
    document = {"exporters": {"store": None}, "service": {"pipelines": PIPELINES}}
    given, default = (
        load(yaml.safe_dump({**document, "receivers": receivers}), "example", KINDS, {}).components["receivers"]["otlp"]
        for receivers in (spelled_out["receivers"], defaults)
    )
    assert given.protocols.http == default.protocols.http
    for key in ("max_recv_msg_size_mib", "max_concurrent_streams"):
        assert getattr(given.protocols.grpc, key) == getattr(default.protocols.grpc, key)
    assert given.protocols.grpc.keepalive.enforcement_policy == default.protocols.grpc.keepalive.enforcement_policy
    for key in ("time", "timeout"):
        servers = [part.protocols.grpc.keepalive.server_parameters for part in (given, default)]
        assert getattr(servers[0], key) == getattr(servers[1], key)
        assert f"`{key}`" in text or f".{key}`" in text
