"""One allocator has all of the collector's memory, and much that is free goes back."""

import subprocess
import sys

ONE_ALLOCATOR = """
from infersight_collector.memory import keep_memory, used_bytes
keep_memory()
import pyarrow as pa
before = used_bytes()
buffer = pa.allocate_buffer(8 * 2**20)
assert used_bytes() - before >= 8 * 2**20, pa.default_memory_pool().backend_name
"""

SURPLUS = """
import numpy as np
from tests.support.collectors import wait_until
from infersight_collector.memory import keep_memory
from infersight_collector.surplus import SURPLUS, SurplusMemory
from infersight_collector.telemetry.process import resident_bytes
keep_memory()
surplus = SurplusMemory()
blocks = [np.ones(2**20, np.uint8) for _ in range(2 * (SURPLUS // 2**20 + 50))]
del blocks[::2]  # what lies above free memory keeps it from being given back by itself
before = resident_bytes()
surplus.start()
wait_until(lambda: resident_bytes() < before - SURPLUS)
surplus.stop()
"""


def test_arrow_takes_its_memory_where_all_others_do() -> None:
    subprocess.run([sys.executable, "-c", ONE_ALLOCATOR], check=True, timeout=120)


def test_more_free_memory_than_a_flush_needs_goes_back_to_the_system() -> None:
    subprocess.run([sys.executable, "-c", SURPLUS], check=True, timeout=120)
