"""Forward spans of PyTorch modules on the CPU, however they are run."""
# pyright: reportUnknownMemberType=false
# torch leaves what compiles, scripts, saves and loads partly without types.

import copy
import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
import torch
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import StatusCode
from torch import nn

import infersight
from infersight import testing


class Net(nn.Module):
    """Two linear layers: 4 to 3 to 2 features, 15 and 8 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 3)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(3, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.rest(self.first(x))
        return y


class Returning(nn.Module):
    """Returns what it was made with, or raises it."""

    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result

    def forward(self, _x: torch.Tensor) -> object:
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def compiled(module: nn.Module, **options: Any) -> nn.Module:
    """The result of torch.compile, with no code generation."""
    return cast("nn.Module", torch.compile(module, backend="eager", **options))


def compiled_in_place(module: nn.Module) -> nn.Module:
    module.compile(backend="eager")
    return module


def exported(module: nn.Module) -> nn.Module:
    return torch.export.export(module, (torch.ones(8, 4),)).module()


def scripted(module: nn.Module) -> nn.Module:
    return cast("nn.Module", torch.jit.script(module))


def traced(module: nn.Module) -> nn.Module:
    return cast("nn.Module", torch.jit.trace(module, torch.ones(8, 4)))


def eager(module: nn.Module) -> nn.Module:
    return module


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("way", [eager, compiled, compiled_in_place, scripted, traced, exported])
def test_a_forward_call_is_one_span_however_the_module_is_run(way: Callable[[nn.Module], nn.Module]) -> None:
    module = way(Net())
    infersight.instrument_torch(module, name="sentiment", version="1.4.0", depth=0)
    batch = torch.ones(8, 4)
    with testing.capture() as captured, torch.inference_mode():
        result = module(batch)
        (duration,) = captured.points("infersight.forward.duration")
    assert result.shape == (8, 2)
    (span,) = captured.spans
    assert span.name == "forward sentiment"
    attributes = attributes_of(span)
    module_type = attributes.pop("infersight.module.type")
    assert module_type == "Net" or way is exported
    assert attributes == {
        "infersight.operation": "forward",
        "infersight.cpu.duration": 0.001,
        "infersight.model.name": "sentiment",
        "infersight.model.version": "1.4.0",
        "infersight.model.parameters": 23,
        "infersight.model.dtype": "float32",
        "infersight.device": "cpu",
        "infersight.batch.size": 8,
        "infersight.input.shape": (8, 4),
        "infersight.input.dtype": "float32",
        "infersight.output.shape": (8, 2),
        "infersight.output.finite": True,
    }
    assert duration.attributes == {"infersight.model.name": "sentiment", "infersight.model.version": "1.4.0"}


def test_submodules_get_spans_down_to_the_depth() -> None:
    module = Net()
    infersight.instrument_torch(module, name="m", depth=2)
    with testing.capture() as captured:
        module(torch.ones(8, 4))
        assert captured.points("infersight.forward.duration")[0].count == 1
    parent_of = {span.name: span.parent for span in captured.spans}
    assert set(parent_of) == {"forward m", "forward m first", "forward m rest", "forward m rest.0", "forward m rest.1"}
    assert parent_of["forward m first"] == parent_of["forward m rest"] == captured.span("forward m").context
    assert parent_of["forward m rest.1"] == captured.span("forward m rest").context
    last = attributes_of(captured.span("forward m rest.1"))
    assert (last["infersight.module.path"], last["infersight.module.type"]) == ("rest.1", "Linear")


def test_a_mapping_of_inputs_by_name_and_a_mapping_of_outputs_are_described() -> None:
    class Encoder(nn.Module):
        def forward(self, *, input_ids: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"logits": input_ids.float()}

    module = Encoder()
    infersight.instrument_torch(module, name="m")
    with testing.capture() as captured:
        module(input_ids=torch.ones(2, 7, dtype=torch.int64))
    attributes = attributes_of(captured.span("forward m"))
    assert (attributes["infersight.input.shape"], attributes["infersight.input.dtype"]) == ((2, 7), "int64")
    assert attributes["infersight.output.shape"] == (2, 7)


def test_autocast_is_recorded_where_it_is_on() -> None:
    module = Net()
    infersight.instrument_torch(module, name="m")
    with testing.capture() as captured:
        with torch.autocast("cpu", torch.bfloat16):
            module(torch.ones(8, 4))
        module(torch.ones(8, 4))
    assert [attributes_of(span).get("infersight.autocast") for span in captured.spans] == ["bfloat16", None]


@pytest.mark.parametrize(
    ("result", "finite"),
    [
        (torch.ones(3), True),
        (torch.tensor([1.0, float("nan")]), False),
        ((torch.ones(3), {"scores": torch.tensor([float("inf")])}), False),
        (torch.full((3,), 6e4, dtype=torch.float16), True),  # the sum overflows, the elements do not
        (torch.ones(200, 200), None),  # too many to look at
        (torch.full((200, 200), float("nan")), False),  # the first ones are enough
        (torch.ones(3, dtype=torch.int64), None),
        (torch.ones(0), None),
        ("text", None),
    ],
)
def test_outputs_that_are_not_finite_are_flagged(result: object, finite: bool | None) -> None:
    module = Returning(result)
    infersight.instrument_torch(module, name="m")
    with testing.capture() as captured:
        module(torch.ones(1))
    assert attributes_of(captured.span("forward m")).get("infersight.output.finite") is finite


@pytest.mark.parametrize("error", [ValueError("bad batch"), KeyboardInterrupt()])
def test_an_exception_ends_the_span_and_passes(error: BaseException) -> None:
    module = Returning(error)
    infersight.instrument_torch(module, name="m")
    with testing.capture() as captured:
        with pytest.raises(type(error)):
            module(torch.ones(1))
        with infersight.stage("after"):
            pass
    span = captured.span("forward m")
    assert attributes_of(span)["error.type"] == type(error).__name__
    assert (span.status.status_code is StatusCode.ERROR) == isinstance(error, Exception)
    assert captured.span("after").parent is None


def test_calls_in_many_threads_are_each_under_their_own_request() -> None:
    module = Net()
    infersight.instrument_torch(module, name="m", depth=1)
    together = threading.Barrier(8)

    def request(number: int) -> None:
        together.wait()
        for _ in range(10):
            with infersight.stage("request", number=number):
                module(torch.ones(number + 1, 4))

    with testing.capture() as captured, ThreadPoolExecutor(8) as pool:
        list(pool.map(request, range(8)))
    by_id = {span.context.span_id: span for span in captured.spans if span.context}
    forwards = [span for span in captured.spans if span.name == "forward m"]
    assert len(forwards) == 80
    for span in forwards:
        assert span.parent is not None
        request_span = by_id[span.parent.span_id]
        assert attributes_of(span)["infersight.batch.size"] == attributes_of(request_span)["number"] + 1
    for span in (span for span in captured.spans if span.name == "forward m first"):
        assert span.parent is not None
        assert (
            attributes_of(by_id[span.parent.span_id])["infersight.batch.size"]
            == attributes_of(span)["infersight.batch.size"]
        )


def compile_events(span: ReadableSpan, name: str) -> list[dict[str, Any]]:
    def matches(event: Event) -> bool:
        return event.name == name

    return [dict(event.attributes or {}) for event in filter(matches, span.events)]


def test_compilations_and_recompilations_are_events_of_the_call_that_waited_for_them() -> None:
    torch.compiler.reset()
    module = compiled(Net(), dynamic=False)
    infersight.instrument_torch(module, name="m")
    with testing.capture() as captured:
        for rows in (2, 3, 3):
            module(torch.ones(rows, 4))
    first, second, third = (compile_events(span, "infersight.compilation") for span in captured.spans)
    assert [event.get("infersight.compile.recompile_reason") for event in first] == [None]
    assert len(second) == 1
    assert "expected 2, actual 3" in second[0]["infersight.compile.recompile_reason"]
    assert second[0]["infersight.compile.duration"] > 0
    assert second[0]["infersight.compile.id"].endswith("/1")
    assert third == []


def test_a_graph_break_says_where_it_is() -> None:
    class Broken(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = x * 2
            torch._dynamo.graph_break()  # pyright: ignore[reportPrivateUsage] - the documented name
            return y + 1

    torch.compiler.reset()
    module = compiled(Broken())
    infersight.instrument_torch(module, name="m")
    with testing.capture() as captured:
        module(torch.ones(2))
    (event,) = compile_events(captured.span("forward m"), "infersight.graph_break")
    assert event["code.function.name"] == "forward"
    assert event["code.file.path"] == __file__
    assert event["code.line.number"] == Broken.forward.__code__.co_firstlineno + 2
    assert "graph_break" in event["infersight.graph_break.reason"]


def test_a_module_that_is_observed_first_compiles_into_one_graph() -> None:
    torch.compiler.reset()
    module = Net()
    infersight.instrument_torch(module, name="inner", depth=2)
    whole = compiled(module, fullgraph=True)
    infersight.instrument_torch(whole, name="m")
    with testing.capture() as captured:
        whole(torch.ones(8, 4))
    assert [span.name for span in captured.spans] == ["forward m"]


def test_an_observed_module_stays_what_it_was() -> None:
    module = Net()
    expected = module(torch.ones(8, 4))
    before = repr(module), module.state_dict()
    infersight.instrument_torch(module, name="m", depth=2)
    infersight.instrument_torch(module, name="again")
    assert isinstance(module, Net)
    assert (repr(module), module.state_dict().keys()) == (before[0], before[1].keys())
    with testing.capture() as captured:
        assert torch.equal(module(torch.ones(8, 4)), expected)
        copied = copy.deepcopy(module)
        saved = io.BytesIO()
        torch.save(module, saved)
        saved.seek(0)
        loaded = torch.load(saved, weights_only=False)
        assert torch.equal(copied(torch.ones(8, 4)), expected)
        assert torch.equal(loaded(torch.ones(8, 4)), expected)
    assert (type(copied), type(loaded), type(copied.first)) == (Net, Net, nn.Linear)
    assert [span.name for span in captured.spans].count("forward m") == 1


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_an_observed_scripted_module_is_saved_as_before() -> None:
    module = scripted(Net())
    infersight.instrument_torch(module, name="m")
    saved = io.BytesIO()
    torch.jit.save(module, saved)
    saved.seek(0)
    assert torch.jit.load(saved)(torch.ones(8, 4)).shape == (8, 2)


def test_a_lazy_module_is_observed_before_its_parameters_are_known() -> None:
    module = nn.LazyLinear(2)
    infersight.instrument_torch(module, name="m")
    with testing.capture() as captured:
        assert module(torch.ones(8, 4)).shape == (8, 2)
    assert "infersight.model.parameters" not in attributes_of(captured.span("forward m"))


def test_without_configure_a_call_is_only_the_call() -> None:
    module = Net()
    infersight.instrument_torch(module, name="m", depth=1)
    assert module(torch.ones(8, 4)).shape == (8, 2)


def test_something_else_than_a_module_is_refused() -> None:
    with pytest.raises(TypeError, match=r"takes a torch\.nn\.Module, not int"):
        infersight.instrument_torch(cast("nn.Module", 5), name="m")
