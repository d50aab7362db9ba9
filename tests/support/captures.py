"""Real captures of others, which are no part of this project."""

import os
from pathlib import Path
from typing import Final

DATA: Final = Path(os.environ.get("INFERSIGHT_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
"""Where they are, where they are; tests that need them are skipped without."""
