"""The GPUs of the host, by NVIDIA's management library (NVML), as metrics of the `hw.*` conventions.

NVML speaks about the whole device, whoever uses it, so each worker process says the same. A metric is read from
`GpuReader`, the one interface between here and a GPU.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, Protocol, TypeVar

from opentelemetry.metrics import MeterProvider

from infersight import _attributes as names
from infersight._host import observing
from infersight._pauses import Readings
from infersight._version import __version__

_FRESH_SECONDS: Final = 0.5
"""A reading this fresh serves all metrics of one collection."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class GpuReading:
    """One GPU at one moment; None where the device does not say (a MIG instance has no utilisation, for one)."""

    id: str
    index: int
    model: str
    driver_version: str
    utilization: float | None = None  # share of the last sample period in which a kernel ran
    memory_used: int | None = None  # bytes
    memory_limit: int | None = None  # bytes
    temperature: float | None = None  # degrees Celsius
    power: float | None = None  # watts
    energy: float | None = None  # joules since the driver was loaded
    clocks: Mapping[str, float] = field(default_factory=dict[str, float])  # hertz, by domain
    throttled: Mapping[str, bool] = field(default_factory=dict[str, bool])  # by reason


class GpuReader(Protocol):
    """Reads every GPU of the host."""

    def read(self) -> Sequence[GpuReading]:
        """The GPUs now; empty where there are none."""
        ...


class GpuMetrics:
    """Makes the instruments for what a reader reads."""

    def __init__(self, provider: MeterProvider, reader: GpuReader) -> None:
        self._reader = reader
        self._read_at = -_FRESH_SECONDS
        self._last: Sequence[GpuReading] = ()
        meter = provider.get_meter(names.SCOPE, __version__, names.SCHEMA_URL)
        gauges: list[tuple[str, str, str, Callable[[GpuReading], Readings]]] = [
            (names.GPU_UTILIZATION, "1", "Share of time in which a kernel ran.", lambda gpu: _one(gpu.utilization)),
            (names.GPU_MEMORY_UTILIZATION, "1", "Share of the memory in use.", lambda gpu: _one(_memory_share(gpu))),
            (names.HW_TEMPERATURE, "Cel", "Temperature of the GPU.", lambda gpu: _one(gpu.temperature)),
            (names.HW_POWER, "W", "Power that the GPU draws.", lambda gpu: _one(gpu.power)),
            (names.GPU_CLOCK_SPEED, "Hz", "Clocks of the GPU.", lambda gpu: _each(names.GPU_CLOCK_DOMAIN, gpu.clocks)),
            (
                names.GPU_THROTTLED,
                "1",
                "Whether the GPU's clocks are held down, by reason.",
                lambda gpu: _each(names.GPU_THROTTLE_REASON, gpu.throttled),
            ),
        ]
        for name, unit, description, read in gauges:
            meter.create_observable_gauge(name, [observing(self._of_all(read))], unit, description)
        used = observing(self._of_all(lambda gpu: _one(gpu.memory_used)))
        limit = observing(self._of_all(lambda gpu: _one(gpu.memory_limit)))
        energy = observing(self._of_all(lambda gpu: _one(gpu.energy)))
        meter.create_observable_up_down_counter(names.GPU_MEMORY_USAGE, [used], "By", "Memory of the GPU in use.")
        meter.create_observable_up_down_counter(names.GPU_MEMORY_LIMIT, [limit], "By", "Memory of the GPU.")
        meter.create_observable_counter(names.HW_ENERGY, [energy], "J", "Energy that the GPU has used.")

    def _of_all(self, read: Callable[[GpuReading], Readings]) -> Callable[[], Readings]:
        def readings() -> Readings:
            for gpu in self._fresh():
                for value, attributes in read(gpu):
                    yield value, {**_identity(gpu), **attributes}

        return readings

    def _fresh(self) -> Sequence[GpuReading]:
        if time.monotonic() - self._read_at >= _FRESH_SECONDS:
            self._last = self._reader.read()
            self._read_at = time.monotonic()
        return self._last


def _identity(gpu: GpuReading) -> dict[str, str | int]:
    return {
        names.HW_ID: gpu.id,
        names.HW_TYPE: names.HW_TYPE_GPU,
        names.HW_NAME: str(gpu.index),
        names.HW_MODEL: gpu.model,
        names.HW_VENDOR: "NVIDIA",
        names.HW_DRIVER_VERSION: gpu.driver_version,
    }


def _one(value: float | None) -> Readings:
    return [] if value is None else [(value, {})]


def _each(attribute: str, values: Mapping[str, float]) -> Readings:
    return [(float(value), {attribute: key}) for key, value in values.items()]


def _memory_share(gpu: GpuReading) -> float | None:
    return gpu.memory_used / gpu.memory_limit if gpu.memory_used is not None and gpu.memory_limit else None


class Nvml:
    """NVML by nvidia-ml-py; begun in each process at its first reading, for its state does not survive a fork."""

    _CLOCKS: Final = {"graphics": "NVML_CLOCK_GRAPHICS", "sm": "NVML_CLOCK_SM", "memory": "NVML_CLOCK_MEM"}
    _REASONS: Final = {
        "power_cap": "nvmlClocksThrottleReasonSwPowerCap",
        "power_brake": "nvmlClocksThrottleReasonHwPowerBrakeSlowdown",
        "thermal_software": "nvmlClocksThrottleReasonSwThermalSlowdown",
        "thermal_hardware": "nvmlClocksThrottleReasonHwThermalSlowdown",
        "hardware_slowdown": "nvmlClocksThrottleReasonHwSlowdown",
        "sync_boost": "nvmlClocksThrottleReasonSyncBoost",
    }
    """Of the reasons that hold clocks down while there is work; an idle GPU's low clocks are no throttling."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._process: int | None = None
        self._driver_version = ""
        self._handles: list[Any] = []

    def read(self) -> Sequence[GpuReading]:
        """The GPUs now; empty where there is no driver."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._handles = self._begin()
        return [self._reading(index, handle) for index, handle in enumerate(self._handles)]

    def _begin(self) -> list[Any]:
        nvml = self._library
        try:
            nvml.nvmlInit()
            self._driver_version = _decoded(nvml.nvmlSystemGetDriverVersion())
            return [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        except nvml.NVMLError:
            return []

    def _reading(self, index: int, handle: Any) -> GpuReading:
        nvml = self._library
        memory = self._ask(nvml.nvmlDeviceGetMemoryInfo, handle)
        utilization = self._ask(nvml.nvmlDeviceGetUtilizationRates, handle)
        milliwatts = self._ask(nvml.nvmlDeviceGetPowerUsage, handle)
        millijoules = self._ask(nvml.nvmlDeviceGetTotalEnergyConsumption, handle)
        return GpuReading(
            id=_decoded(self._ask(nvml.nvmlDeviceGetUUID, handle)) or str(index),
            index=index,
            model=_decoded(self._ask(nvml.nvmlDeviceGetName, handle)),
            driver_version=self._driver_version,
            utilization=None if utilization is None else utilization.gpu / 100,
            memory_used=None if memory is None else memory.used,
            memory_limit=None if memory is None else memory.total,
            temperature=self._ask(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU),
            power=None if milliwatts is None else milliwatts / 1e3,
            energy=None if millijoules is None else millijoules / 1e3,
            clocks=dict(self._clocks(handle)),
            throttled=self._throttled(handle),
        )

    def _clocks(self, handle: Any) -> Iterable[tuple[str, float]]:
        for domain, constant in self._CLOCKS.items():
            megahertz = self._ask(self._library.nvmlDeviceGetClockInfo, handle, getattr(self._library, constant))
            if megahertz is not None:
                yield domain, megahertz * 1e6

    def _throttled(self, handle: Any) -> dict[str, bool]:
        reasons = self._ask(self._library.nvmlDeviceGetCurrentClocksThrottleReasons, handle)
        if reasons is None:
            return {}
        return {name: bool(reasons & getattr(self._library, constant)) for name, constant in self._REASONS.items()}

    def _ask(self, function: Callable[..., T], *arguments: Any) -> T | None:
        """What NVML answers; None where this device has no answer."""
        try:
            return function(*arguments)
        except self._library.NVMLError:
            return None


def observe_gpus(provider: MeterProvider) -> None:
    """Measure the GPUs of the host, where nvidia-ml-py is installed."""
    if find_spec("pynvml") is not None:
        GpuMetrics(provider, Nvml(import_module("pynvml")))


def _decoded(value: Any) -> str:
    """Text of an answer; older versions of nvidia-ml-py answer in bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
