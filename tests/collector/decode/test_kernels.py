"""Compiled code is kept where it can be, and done without where it cannot."""

from pathlib import Path

import pytest

from infersight_collector.decode import kernels


def test_cache_is_a_directory_of_these_sources_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels.nb.config, "CACHE_DIR", str(tmp_path / "cache"))
    with kernels.cache_directory() as is_writable:
        assert is_writable
        assert Path(kernels.nb.config.CACHE_DIR).parent == tmp_path / "cache"
        assert Path(kernels.nb.config.CACHE_DIR).is_dir()
    assert str(tmp_path / "cache") == kernels.nb.config.CACHE_DIR


def test_where_no_directory_can_be_made_nothing_is_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(kernels.nb.config, "CACHE_DIR", str(tmp_path / "file"))
    with kernels.cache_directory() as is_writable:
        assert not is_writable


def test_user_cache_comes_after_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/someone/.cache")
    bases = list(kernels.cache_bases(""))
    assert bases == [Path(kernels.__file__).parent / "__pycache__", Path("/home/someone/.cache")]
