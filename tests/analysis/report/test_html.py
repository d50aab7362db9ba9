"""Reports as HTML: whole, safe against what telemetry says, and without anything from elsewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint
from tests.analysis.recording import MS, SECOND, T0, Recording, trace_id

from infersight_analysis.profiles import records
from infersight_analysis.profiles.processes import Process
from infersight_analysis.profiles.recorded import Recorded
from infersight_analysis.times import iso_time

SLOW, LARGE = 350, 999
HOSTILE = "<script>alert('x')</script><img src=https://evil.example/x.png>"
OVERRIDE = "\u202egnp.exe"
SPANS = 10_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Requests of which some are slow, with hostile texts wherever one can be; and a trace of 10 000 spans."""
    recording = Recording()
    for number in range(1, 401):
        is_slow = number % 10 == 0
        start, query = number * SECOND, (120 if is_slow else 10 + number % 7) * MS
        recording.span(
            number, 1, f"POST {HOSTILE}", start, query + 20 * MS, kind="SERVER",
            attributes={"http.route": "/predict", "app.tenant": HOSTILE if is_slow else "other"},
        )  # fmt: skip
        recording.span(number, 2, HOSTILE, start + 5 * MS, query, parent=1, error=HOSTILE)
        recording.span(number, 3, OVERRIDE, start + query + 5 * MS, 10 * MS, parent=1)
        recording.log(start, f"said {HOSTILE} {{{{ 7 * 7 }}}}", trace=number, span=1, severity=17)
    points = [NumberDataPoint(time_unix_nano=T0 + time * SECOND, as_double=time % 5) for time in range(0, 400, 10)]
    recording.metric(Metric(name=HOSTILE, unit="$x^{", gauge=Gauge(data_points=points)))
    for number in range(2_001, 2_421):  # a worker whose second version fails at once
        fails = number > 2_400
        worker = (HOSTILE, "worker-1", "2.0" if fails else "1.0")
        start = (number - 2_000) * SECOND if not fails else 400 * SECOND + (number - 2_400) * 100 * MS
        recording.span(number, 1, "work", start, MS, kind="SERVER", source=worker, error=HOSTILE if fails else None)
    for number in range(1, 401):  # what a model says of two texts, of which it takes one for the other later on
        is_late, facts = number > 200, {"infersight.model.name": HOSTILE, "infersight.prediction.confidence": 0.9}
        facts |= {"infersight.prediction.id": f"p{number}", "infersight.prediction.label": HOSTILE}
        facts |= {"infersight.input.script": HOSTILE if is_late else "Latin"}
        recording.log(number * SECOND, "predicted", trace=number, event_name="infersight.prediction", attributes=facts)
        right = {"infersight.prediction.id": f"p{number}", "infersight.feedback.label": "x" if is_late else HOSTILE}
        recording.log(number * SECOND, "right", event_name="infersight.feedback", attributes=right)
    for number in range(3_001, 3_011):  # requests that ask again and again
        start, facts = (number - 3_000) * SECOND, {"db.system.name": HOSTILE, "db.query.text": f"SELECT {HOSTILE}"}
        recording.span(number, 1, HOSTILE, start, 30 * MS, kind="SERVER", source=("asking", "asking-1", "1"))
        for place in range(12):
            recording.span(number, place + 2, OVERRIDE, start + place * MS, MS, parent=1, attributes=facts)
    recording.span(LARGE, 1, "POST /bulk", 500 * SECOND, 5 * SECOND, kind="SERVER")
    for place in range(SPANS - 1):
        recording.span(LARGE, place + 2, "SELECT items", 500 * SECOND + place * MS // 2, MS // 2 - 1, parent=1)
    path = recording.write(tmp_path_factory.mktemp("html") / "store")
    keep_profiles(path)
    return path


def keep_profiles(store: Path) -> None:
    """Two profiles of a process that calls itself what it likes."""
    for number in (1, 2):
        original = store.parent / "original"
        original.write_text(HOSTILE)
        stacks = {(HOSTILE, OVERRIDE): 10 * number, (HOSTILE,): 5}
        recorded = Recorded(
            "cpu", T0 + number * SECOND, T0 + (number + 1) * SECOND, "samples", stacks, original, "", 100.0
        )
        records.keep(store, Process(number, number, None, HOSTILE), recorded, (HOSTILE, HOSTILE))


class Page(HTMLParser):
    """What a page consists of, read as a browser does."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._script = tag == "script"
        if self._script:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts[-1] += data
        else:
            self.text += data

    def references(self) -> list[str]:
        """Everything that a browser would fetch or go to."""
        names = {"src", "href", "xlink:href", "action", "data", "poster", "srcset", "formaction"}
        return [value or "" for _, attributes in self.tags for name, value in attributes.items() if name in names]


def at(seconds: int) -> str:
    return iso_time(T0 + seconds * SECOND)


REPORTS = {
    "investigate": ["investigate", trace_id(SLOW)],
    "large": ["investigate", trace_id(LARGE)],
    "compare": ["compare", "--slow", "--over", "100ms", "--what-if", f"{HOSTILE}=-50%"],
    "critical-path": ["critical-path", "--what-if", f"{HOSTILE}=-50%"],
    "errors": ["errors"],
    "rootcause": ["rootcause", "--start", at(200), "--end", at(401)],
    "bursts": ["bursts"],
    "deployments": ["deployments"],
    "rollback check": [
        *("rollback", "check", "--service", HOSTILE, "--baseline", "1.0", "--candidate", "2.0", "--least", "10"),
    ],
    "rollback execute": [
        *("rollback", "execute", "--service", HOSTILE, "--baseline", "1.0", "--candidate", "2.0", "--least", "10"),
        *("--target", "kubernetes", "--name", "api", "--dry-run", "--override", HOSTILE),
    ],
    "queries": ["queries"],
    "abtest check": ["abtest", "check", "app.tenant", "--metric", "duration,mean"],
    "abtest results": ["abtest", "results", "app.tenant", "--metric", "duration,mean", "--guardrail", "errors"],
    "abtest design": ["abtest", "design", "--metric", "errors", "--effect", "50%", "--service", HOSTILE],
    "model errors": ["model", "errors"],
    "model drift": ["model", "drift", "--start", at(201)],
    "incident triage": ["incident", "triage", "--start", at(200), "--end", at(401)],
    "profile show": ["profile", "show", "last"],
    "profile diff": ["profile", "diff", "cpu-20251009-085321-1", "last"],
    "anomaly": ["anomaly", HOSTILE, "--at", at(300), "--window", "1m"],
}

WITHOUT_PICTURES = {
    "rollback execute",
    "queries",
    "rootcause",
    "incident triage",
    "bursts",
    "deployments",
    "abtest design",
}


@pytest.fixture(scope="module")
def reports(store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    from infersight_analysis import cli

    folder = tmp_path_factory.mktemp("reports")
    for name, arguments in REPORTS.items():
        assert cli.run([*arguments, "--store", str(store), "--output", str(folder / f"{name}.html")]) in (0, 1)
    return {name: (folder / f"{name}.html").read_text("utf-8") for name in REPORTS}


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_is_fetched_from_elsewhere(reports: dict[str, str], name: str) -> None:
    text = reports[name]
    assert all(reference.startswith("#") for reference in Page(text).references())
    assert all(target.startswith("#") for target in re.findall(r"url\(['\"]?([^)]*)\)", text))
    assert "@import" not in text
    assert "default-src 'none'" in text


@pytest.mark.parametrize("name", REPORTS)
def test_what_telemetry_says_is_text(reports: dict[str, str], name: str) -> None:
    page = Page(reports[name])
    assert len(page.scripts) == 1
    assert "alert" not in page.scripts[0]
    assert not [tag for tag, _ in page.tags if tag in {"img", "iframe", "object", "link", "b"}]
    assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")]
    assert "\u202e" not in reports[name]
    if name not in {"large", "abtest design"}:  # nothing hostile was asked about
        assert HOSTILE in page.text


def test_templates_in_telemetry_are_not_evaluated(reports: dict[str, str]) -> None:
    assert "{{ 7 * 7 }}" in Page(reports["investigate"]).text


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_small_however_large_the_trace(reports: dict[str, str], name: str) -> None:
    assert len(reports[name].encode()) < 500_000


@pytest.mark.parametrize("name", REPORTS)
def test_every_picture_has_a_text_alternative(reports: dict[str, str], name: str) -> None:
    page = Page(reports[name])
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert bool(pictures) == (name not in WITHOUT_PICTURES)
    for attributes in pictures:
        assert attributes.get("aria-label") or attributes.get("class", "").startswith("frame ")  # type: ignore[union-attr]
    assert len(re.findall(r'<svg class="frame[^>]*><title>[^<]+</title>', reports[name])) == sum(
        (attributes.get("class") or "").startswith("frame ") for attributes in pictures
    )


@pytest.mark.parametrize("name", REPORTS)
def test_every_element_that_is_opened_is_closed(reports: dict[str, str], name: str) -> None:
    for tag in ("html", "body", "main", "table", "tbody", "figure", "svg", "g", "details", "ul", "p", "h2", "h3"):
        opened = re.findall(rf"<{tag}(?:\s[^>]*)?>", reports[name])
        assert sum(not each.endswith("/>") for each in opened) == reports[name].count(f"</{tag}>"), tag


def test_an_investigation_shows_everything(reports: dict[str, str]) -> None:
    page = Page(reports["investigate"])
    for heading in ("Why", "Waterfall", "Flame graph", "Where the time went", "Metrics of its process", "Logs"):
        assert heading in page.text
    plots = [attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("class") == "plot"]
    assert len(plots) == 2
    assert "longer than" in (plots[0]["aria-label"] or "")
    assert "from an hour before the request" in (plots[1]["aria-label"] or "")
    assert f"from spans where trace_id = '{trace_id(SLOW)}'" in page.text


def test_the_critical_path_is_marked_in_the_waterfall(reports: dict[str, str]) -> None:
    rows = re.findall(r'<td class="lane" aria-hidden="true">(.*?)\n', reports["investigate"])
    widths = [
        float(width) for row in rows for width in re.findall(r'class="path" style="left:[\d.]+%;width:([\d.]+)%', row)
    ]
    assert sum(widths) == pytest.approx(100, abs=0.1)


def test_of_a_large_trace_calls_that_are_alike_are_collapsed(reports: dict[str, str]) -> None:
    page = Page(reports["large"])
    assert "and 9,994 below" in page.text
    assert "9,999 \N{MULTIPLICATION SIGN} SELECT items" in page.text


def test_a_comparison_shows_both_distributions_and_the_difference(reports: dict[str, str]) -> None:
    page = Page(reports["compare"])
    (plot,) = [attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("class") == "plot"]
    assert "the slow requests: median" in (plot["aria-label"] or "")
    assert any(attributes.get("class") == "frame more3" for tag, attributes in page.tags if tag == "svg")
    assert "target with" in page.text
    assert "app.tenant" in page.text


def test_errors_say_what_to_do_and_bursts_what_came_with_them(reports: dict[str, str]) -> None:
    assert "look into" in Page(reports["errors"]).text
    assert "failures of" in reports["errors"]
    bursts = Page(reports["bursts"]).text
    assert "1 burst of errors" in bursts
    assert "20 \N{MULTIPLICATION SIGN}" in bursts


def test_versions_lie_on_a_line_of_time(reports: dict[str, str]) -> None:
    lanes = re.findall(r'<i style="left:([\d.]+)%;width:([\d.]+)%"></i>', reports["deployments"])
    (old, new) = [(float(left), float(width)) for left, width in lanes[:2]]
    assert old[0] + old[1] == pytest.approx(new[0], abs=1)


def test_a_page_goes_to_stdout_where_it_is_piped(store: Path, run: Any) -> None:
    outcome = run("critical-path", "--store", store, "--format", "html")
    assert outcome.out.startswith("<!doctype html>")


def test_a_report_that_cannot_be_written_is_one_line(store: Path, tmp_path: Path, run: Any) -> None:
    outcome = run("critical-path", "--store", store, "--output", tmp_path / "nowhere" / "report.html")
    assert outcome.code == 2
    assert outcome.err.startswith("cannot write")
    assert outcome.err.count("\n") == 1
