"""Files and directories of results: they appear whole or not at all."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from infersight_analysis.errors import AnalysisError


@contextmanager
def replaced(path: Path) -> Generator[BinaryIO]:
    """A file to write, which takes the place of the one at `path` when the block ends without an error.

    Until then it has a name of its own beside it; after an error, or an interrupt, nothing is left of it. A pipe or a
    device is written to as it is.

    Raises:
        AnalysisError: it cannot be written.
    """
    draft = path if path.exists() and not path.is_file() else path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        file = draft.open("wb")
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        with file:
            yield file
            if draft != path:
                os.fsync(file.fileno())
        if draft != path:
            draft.replace(path)
    except BaseException as error:
        if draft != path:
            draft.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, BrokenPipeError):
            raise unwritable(path, error) from error
        raise


@contextmanager
def created(path: Path) -> Generator[Path]:
    """A path to make something at, a file or a directory, which becomes `path` when the block ends without an error.

    Raises:
        AnalysisError: it cannot be written, or there is something already.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise AnalysisError(f"{path} exists: choose another name, or delete it first")
    draft = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        elif draft.exists():
            draft.unlink()


def unwritable(path: Path, error: OSError) -> AnalysisError:
    """What to say where a result cannot be written."""
    return AnalysisError(f"cannot write {path}: {error.strerror or error}")
