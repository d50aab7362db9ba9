"""GPUs: the metrics of the `hw.*` conventions from a reader, and NVML's answers as readings. No GPU is needed."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pynvml  # pyright: ignore[reportMissingTypeStubs] - publishes no types
import pytest

from infersight import testing
from infersight._gpu import GpuMetrics, GpuReading, Nvml

IDENTITY = {
    "hw.id": "GPU-1",
    "hw.type": "gpu",
    "hw.name": "0",
    "hw.model": "H200",
    "hw.vendor": "NVIDIA",
    "hw.driver_version": "570.1",
}


class Reader:
    """The interface to GPUs, with GPUs that are given."""

    def __init__(self, *gpus: GpuReading) -> None:
        self.gpus = gpus
        self.reads = 0

    def read(self) -> Sequence[GpuReading]:
        self.reads += 1
        return self.gpus


def test_each_reading_is_a_metric_with_the_gpu_s_identity() -> None:
    gpu = GpuReading(
        id="GPU-1",
        index=0,
        model="H200",
        driver_version="570.1",
        utilization=0.5,
        memory_used=60 * 2**30,
        memory_limit=120 * 2**30,
        temperature=61,
        power=412.5,
        energy=9_000.5,
        clocks={"sm": 1.98e9},
        throttled={"power_cap": True, "sync_boost": False},
    )
    reader = Reader(gpu)
    with testing.capture() as captured:
        GpuMetrics(captured.meter_provider, reader)
        metrics: dict[str, Any] = dict(captured.metrics())
    found: dict[str, Any] = {
        name: (metric.unit, [(dict(point.attributes), point.value) for point in metric.data.data_points])
        for name, metric in metrics.items()
    }
    assert found == {
        "hw.gpu.utilization": ("1", [(IDENTITY, 0.5)]),
        "hw.gpu.memory.usage": ("By", [(IDENTITY, 60 * 2**30)]),
        "hw.gpu.memory.limit": ("By", [(IDENTITY, 120 * 2**30)]),
        "hw.gpu.memory.utilization": ("1", [(IDENTITY, 0.5)]),
        "hw.temperature": ("Cel", [(IDENTITY, 61)]),
        "hw.power": ("W", [(IDENTITY, 412.5)]),
        "hw.energy": ("J", [(IDENTITY, 9_000.5)]),
        "infersight.gpu.clock.speed": ("Hz", [(IDENTITY | {"infersight.gpu.clock.domain": "sm"}, 1.98e9)]),
        "infersight.gpu.throttled": (
            "1",
            [
                (IDENTITY | {"infersight.gpu.throttle.reason": "power_cap"}, 1.0),
                (IDENTITY | {"infersight.gpu.throttle.reason": "sync_boost"}, 0.0),
            ],
        ),
    }
    assert reader.reads == 1  # one for all metrics of a collection


def test_what_a_gpu_does_not_say_is_no_metric() -> None:
    with testing.capture() as captured:
        GpuMetrics(captured.meter_provider, Reader(GpuReading(id="MIG-1", index=0, model="", driver_version="")))
        assert captured.metrics() == {}


def test_a_reader_that_fails_costs_only_its_metrics() -> None:
    class Broken:
        def read(self) -> Sequence[GpuReading]:
            raise RuntimeError("the driver is gone")

    with testing.capture(faults_raise=False) as captured:
        GpuMetrics(captured.meter_provider, Broken())
        captured.meter_provider.get_meter("test").create_counter("other").add(1)
        assert set(captured.metrics()) == {"other"}


class Library:
    """NVML with one GPU that has no power sensor: its functions and units, real constants."""

    NVMLError = pynvml.NVMLError
    begun = 0

    def __getattr__(self, name: str) -> Any:
        def answer(*_handle_and_more: object) -> Any:
            return ANSWERS[name]

        return answer if name in ANSWERS else getattr(pynvml, name)

    def nvmlInit(self) -> None:  # noqa: N802 - the library's name
        self.begun += 1

    def nvmlDeviceGetPowerUsage(self, _handle: object) -> int:  # noqa: N802 - the library's name
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)


ANSWERS: dict[str, Any] = {
    "nvmlSystemGetDriverVersion": b"570.1",
    "nvmlDeviceGetCount": 1,
    "nvmlDeviceGetHandleByIndex": "handle",
    "nvmlDeviceGetUUID": "GPU-1",
    "nvmlDeviceGetName": "H200",
    "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=60, total=120),
    "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=50, memory=12),
    "nvmlDeviceGetTemperature": 61,
    "nvmlDeviceGetTotalEnergyConsumption": 9_000_500,
    "nvmlDeviceGetClockInfo": 1980,
    "nvmlDeviceGetCurrentClocksThrottleReasons": pynvml.nvmlClocksThrottleReasonSwPowerCap,
}


def test_nvml_s_units_become_those_of_the_conventions() -> None:
    library = Library()
    nvml = Nvml(library)
    readings = [*nvml.read(), *nvml.read()]
    assert library.begun == 1
    assert readings[0] == readings[1]
    assert readings[0] == GpuReading(
        id="GPU-1",
        index=0,
        model="H200",
        driver_version="570.1",
        utilization=0.5,
        memory_used=60,
        memory_limit=120,
        temperature=61,
        power=None,
        energy=9_000.5,
        clocks={"graphics": 1.98e9, "sm": 1.98e9, "memory": 1.98e9},
        throttled={
            "power_cap": True,
            "power_brake": False,
            "thermal_software": False,
            "thermal_hardware": False,
            "hardware_slowdown": False,
            "sync_boost": False,
        },
    )


@pytest.mark.parametrize("name", [*ANSWERS, "nvmlInit", "nvmlDeviceGetPowerUsage"])
def test_nvml_has_each_function(name: str) -> None:
    assert callable(getattr(pynvml, name))


def test_without_a_driver_there_are_no_gpus() -> None:
    class Driverless(Library):
        def nvmlInit(self) -> None:  # noqa: N802 - the library's name
            raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    assert Nvml(Driverless()).read() == []
