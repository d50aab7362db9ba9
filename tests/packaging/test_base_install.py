"""`pip install infersight` alone, in an empty environment: light, and clear about what each verb still needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "numpy", "duckdb", "pyarrow", "fastapi", "numba", "deltalake", "rich", "grpc")
"""Packages that `import infersight` must not load, whether or not they are installed."""


@pytest.fixture(scope="session")
def base_environment(built_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment that holds the wheel and its required dependencies only."""
    folder = tmp_path_factory.mktemp("base")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # What PYTHONPATH names counts as installed for pip.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*pip, str(built_wheel)], check=True, env=environment)
    return folder / "bin"


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(folder), "HOME": str(folder)}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=folder)


def test_importing_infersight_loads_nothing_heavy(base_environment: Path) -> None:
    code = f"import infersight, sys; print(sorted(set(sys.modules) & set({HEAVY!r})))"
    for python in (base_environment / "python", Path(sys.executable)):
        result = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
        assert result.stdout.strip() == "[]"


def test_help_and_version_work_without_any_extra(base_environment: Path) -> None:
    assert run([str(base_environment / "infersight"), "--version"], base_environment).returncode == 0
    result = run([str(base_environment / "infersight"), "--help"], base_environment)
    assert result.returncode == 0
    for verb in ("collector", "import", "sql", "slow", "investigate", "errors", "demo"):
        assert verb in result.stdout


@pytest.mark.parametrize(
    ("verb", "extra"),
    [
        (["collector"], "collector"),
        (["import", "x.json"], "collector"),
        (["sql", "select 1"], "analysis"),
        (["slow"], "analysis"),
        (["investigate", "00"], "analysis"),
        (["errors"], "analysis"),
        (["demo"], "all"),
    ],
)
def test_a_verb_whose_extra_is_missing_says_in_one_line_what_to_install(
    base_environment: Path, verb: list[str], extra: str
) -> None:
    result = run([str(base_environment / "infersight"), *verb], base_environment)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert f"pip install 'infersight[{extra}]'" in result.stderr


def test_a_decorated_function_works_without_a_collector_or_extras(base_environment: Path) -> None:
    code = (
        "import infersight\n"
        "infersight.configure(service_name='s', endpoint='http://127.0.0.1:9')\n"
        "@infersight.observe(model='m', version='1')\n"
        "def double(x): return 2 * x\n"
        "assert double(21) == 42\n"
        "infersight.shutdown()\n"
    )
    result = run([str(base_environment / "python"), "-c", code], base_environment)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
