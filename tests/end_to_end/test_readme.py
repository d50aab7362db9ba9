"""What the README promises: its example under a real uvicorn beside a real collector, and the questions it asks."""

import os
import re
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tests.support.collectors import RunningCollector, wait_until

README = (Path(__file__).parents[2] / "README.md").read_text()
BIN = Path(sys.executable).parent
SERVER_SPANS = "select trace_id from spans where kind = 'SERVER'"


def block(language: str, containing: str) -> str:
    found: list[str] = [
        code for code in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if containing in code
    ]
    assert len(found) == 1
    return found[0]


def answer(log: Path) -> bytes | None:
    """What the README's endpoint says, None until the server on its own port serves."""
    port = re.search(r"running on http://127\.0\.0\.1:(\d+)", log.read_text())
    if port is None:
        return None
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/classify?text=GOOD%20day", timeout=10) as response:
            return bytes(response.read())
    except urllib.error.URLError:
        return None


def test_the_first_two_commands_are_make_targets() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    commands = [line.split("#")[0].split() for line in block("sh", "make demo").splitlines()]
    assert commands == [["make", "demo"], ["make", "test"]]
    assert all(f"\n{target}:" in makefile for _, target in commands)


def test_the_three_lines_give_what_the_questions_below_them_ask_for(
    collector: RunningCollector, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(block("python", "infersight.configure"))
    environment = os.environ | {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.grpc}",
        "INFERSIGHT_STORE": str(collector.store),
    }
    log = tmp_path / "server.log"
    uvicorn = next(line for line in block("sh", "uvicorn app:app").splitlines() if line.startswith("uvicorn"))
    with log.open("wb") as output:
        command = [str(BIN / "uvicorn"), *shlex.split(uvicorn)[1:], "--port", "0"]
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=output, stderr=output)
    try:
        assert wait_until(lambda: answer(log), 120) == b'"positive"'
    finally:
        server.terminate()
        server.wait(60)
    ((trace_id,), *_) = wait_until(lambda: collector.query(SERVER_SPANS))
    for line in block("sh", "infersight slow").replace("TRACE_ID", trace_id).splitlines():
        _, *arguments = shlex.split(line, comments=True)
        result = subprocess.run(
            [str(BIN / "infersight"), *arguments], env=environment, check=False, capture_output=True, text=True
        )
        needs_more = result.returncode == 3 and result.stderr.startswith("need more data")  # than one request
        assert result.returncode == 0 or needs_more, line + result.stderr
        assert result.stdout.strip()
