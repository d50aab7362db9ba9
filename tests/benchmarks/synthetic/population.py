"""Who sends requests and who serves them: users, items, and the processes of the services with their releases."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

import uuid
from typing import Final

import numpy as np
import pyarrow as pa
from tests.benchmarks.synthetic.columns import Ints, picked, struct
from tests.benchmarks.synthetic.services import INSTANCES, MODEL_VERSIONS, MODELS

USERS: Final = 200_000
ITEMS: Final = 50_000
INTERVAL_NS: Final = 15 * 10**9
"""Time between two readings of a process's metrics."""

MINUTE_NS: Final = 60 * 10**9

_RELEASES: Final = ("2024.11.3", "2024.12.0", "2024.12.1")


class Population:
    """Seeded; times of releases are counted from `day_ns`, the first nanosecond of the day."""

    def __init__(self, day_ns: int, seed: int) -> None:
        chance = np.random.default_rng(seed)
        self.services: Final = list(INSTANCES)
        self.first: Final[Ints] = np.cumsum([0, *INSTANCES.values()])
        self.service_of: Final = np.repeat(np.arange(len(INSTANCES)), list(INSTANCES.values()))
        self.user_ids: Final = pa.array([f"user-{number}" for number in chance.integers(10**6, 10**8, USERS)])
        self.tenants: Final = pa.array([f"tenant-{number}" for number in _zipf(60, USERS, chance)])
        self.variants: Final = picked(["control", "control", "ranking-b", "ranking-c"], chance.integers(0, 4, USERS))
        self.agents: Final = picked(_agents(), _zipf(90, USERS, chance))
        self.clients: Final = pa.array([".".join(map(str, row)) for row in chance.integers(1, 255, (USERS, 4))])
        self.addresses: Final = pa.array([f"10.4.{i % 7}.{20 + i}" for i in range(self.service_of.size)])
        self.labels: Final = [f"class_{number}" for number in range(40)]
        # A reader reads on its own beat, not at whole seconds.
        self.beats: Final[Ints] = chance.integers(0, INTERVAL_NS, self.service_of.size)
        self._items: Final = pa.array(np.arange(ITEMS) * 37 + 1_000_003).cast(pa.string())
        self._day_ns: Final = day_ns
        self._releases: Final[Ints] = self._release_times(chance)
        self._resources: Final = self._resource_pool(chance)

    def instance_of(self, service: str, count: int, chance: np.random.Generator) -> Ints:
        """A process of the service for each of so many requests."""
        first = int(self.first[self.services.index(service)])
        return chance.integers(first, first + INSTANCES[service], count)

    def users(self, count: int, chance: np.random.Generator) -> Ints:
        """Users by Zipf's law: the k-th most frequent 1/k as often as the first."""
        return _zipf(USERS, count, chance)

    def items(self, count: int, chance: np.random.Generator) -> pa.Array:
        """Ids of items, by Zipf's law too."""
        return self._items.take(pa.array(_zipf(ITEMS, count, chance)))

    def version(self, instance: Ints, time_ns: Ints) -> Ints:
        """Which release a process ran at a time: 0, 1 or 2."""
        released: Ints = (time_ns[:, None] >= self._releases[instance]).sum(axis=1)
        return released

    def resources(self, instance: Ints, time_ns: Ints) -> tuple[pa.Array, dict[str, pa.Array]]:
        """Resource attributes of each row, and those that are columns as well."""
        code = pa.array(instance * 3 + self.version(instance, time_ns))
        columns = {name: values.take(code) for name, values in self._resources.items()}
        service = {
            "service_name": columns["service.name"],
            "service_version": columns["service.version"],
            "service_instance_id": columns["service.instance.id"],
        }
        return struct(columns), service

    def _release_times(self, chance: np.random.Generator) -> Ints:
        """Two times for each process: model servers roll out from 9:00 on, and one process tries the next at 16:00."""
        never = np.iinfo(np.int64).max
        times = np.full((self.service_of.size, 2), never)
        for service, (first, last) in enumerate(zip(self.first[:-1], self.first[1:], strict=True)):
            model = self.services[service] in MODELS
            begin = 9 * 60 if model else int(chance.integers(0, 48 * 60))
            times[first:last, 0] = self._day_ns + (begin + 20 * np.arange(last - first)) * MINUTE_NS
            if model:
                times[first, 1] = self._day_ns + 16 * 60 * MINUTE_NS
        return times

    def _resource_pool(self, chance: np.random.Generator) -> dict[str, pa.Array]:
        """Resource attributes by process and release."""
        names = [self.services[service] for service in self.service_of]
        versions = [(MODEL_VERSIONS if name in MODELS else _RELEASES) for name in names]
        # A new release is a new process with an id of its own.
        ids = [[str(uuid.UUID(bytes=chance.bytes(16), version=4)) for _ in range(3)] for _ in names]
        pids = chance.integers(7, 4_000, (len(names), 3))
        each = [(at, code) for at in range(len(names)) for code in range(3)]
        pool: dict[str, list[str] | list[int]] = {
            "service.name": [names[at] for at, _ in each],
            "service.version": [versions[at][code] for at, code in each],
            "service.instance.id": [ids[at][code] for at, code in each],
            "deployment.environment.name": ["production"] * len(each),
            "host.name": [f"{names[at]}-{ids[at][code][:8]}" for at, code in each],
            "process.pid": [int(pids[at][code]) for at, code in each],
            "telemetry.sdk.language": ["python"] * len(each),
            "telemetry.sdk.name": ["opentelemetry"] * len(each),
            "telemetry.sdk.version": ["1.45.0"] * len(each),
            "cloud.availability_zone": ["eu-west-1" + "abc"[at % 3] for at, _ in each],
        }
        return {name: pa.array(values) for name, values in pool.items()}


def _zipf(most: int, count: int, chance: np.random.Generator) -> Ints:
    # The logarithm of a rank is uniform where frequency falls as 1/rank.
    ranks: Ints = np.exp(chance.random(count) * np.log(most)).astype(np.int64)
    return np.minimum(ranks, most - 1)


def _agents() -> list[str]:
    systems = (
        "Windows NT 10.0; Win64; x64",
        "Macintosh; Intel Mac OS X 10_15_7",
        "X11; Linux x86_64",
        "iPhone; CPU OS 18_1",
    )
    return [
        f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
        for version in range(108, 131)
        for system in systems
    ]
