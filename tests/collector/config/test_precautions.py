"""What the collector warns about: what others could read or change, and what nobody uses."""

from pathlib import Path

import pytest

from infersight_collector.config import Configuration, load, read
from infersight_collector.pipeline import KINDS
from infersight_collector.precautions import precautions

SHIPPED = Path(__file__).parents[3] / "otel-config"
TEXT = """\
receivers:
  otlp: {protocols: {http: {auth: {authenticator: bearertokenauth}, tls: {cert_file: CERT, key_file: KEY}}}}
exporters:
  store: {path: here}
extensions:
  bearertokenauth: {token: SECRET}
service:
  extensions: [bearertokenauth]
  pipelines:
    traces: {receivers: [otlp], exporters: [store]}
"""


def configured(file: Path, text: str = TEXT) -> Configuration:
    file.write_text(text)
    return load(text, str(file), KINDS, {"TOKEN": "t"})


def told(file: Path, text: str = TEXT) -> list[str]:
    return precautions(configured(file, text), file)


@pytest.mark.parametrize(
    ("mode", "secret", "told_of"),
    [
        (0o600, "SECRET", []),
        (0o640, "SECRET", []),
        (0o644, "SECRET", [":6 holds a secret"]),
        (0o660, "SECRET", [":6 holds a secret"]),
        (0o666, "SECRET", [" can be changed by everybody", ":6 holds a secret"]),
        (0o644, "'${env:TOKEN}'", []),
        (0o664, "'${env:TOKEN}'", []),
        (0o646, "'${env:TOKEN}'", [" can be changed by everybody"]),
    ],
)
def test_a_configuration_that_others_can_change_or_read_secrets_in_is_told_of(
    tmp_path: Path, mode: int, secret: str, told_of: list[str]
) -> None:
    file = tmp_path / "config.yaml"
    configuration = configured(file, TEXT.replace("SECRET", secret))
    file.chmod(mode)
    lines = precautions(configuration, file)
    assert len(lines) == len(told_of)
    for line, start in zip(lines, told_of, strict=True):
        assert line.startswith(f"{file}{start}")
        assert "SECRET" not in line
        assert "chmod" in line


@pytest.mark.parametrize("kind", ["store", "log"])
@pytest.mark.parametrize(("mode", "is_told"), [(0o700, False), (0o775, False), (0o777, True), (None, False)])
def test_a_directory_that_everybody_can_write_to_is_told_of(
    tmp_path: Path, kind: str, mode: int | None, is_told: bool
) -> None:
    directory, file = tmp_path / "kept", tmp_path / "config.yaml"
    if mode is not None:
        directory.mkdir()
        directory.chmod(mode)
    text = TEXT.replace("SECRET", "'${env:TOKEN}'")
    if kind == "store":
        text = text.replace("here", str(directory))
    else:
        text = text.replace("service:", f"  file_storage: {{directory: {directory}}}\nservice:").replace(
            "extensions: [", "extensions: [file_storage, "
        )
    line = f"{directory} can be changed by everybody on this machine: chmod o-w {directory}"
    assert told(file, text) == [line] * is_told


@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o640, False), (0o644, True), (0o660, True)])
@pytest.mark.parametrize("kind", ["key", "tokens"])
def test_a_file_of_a_secret_that_others_can_read_is_told_of(
    tmp_path: Path, kind: str, mode: int, is_told: bool
) -> None:
    private = tmp_path / "private"
    private.touch()
    private.chmod(mode)
    old, new = ("KEY", str(private)) if kind == "key" else ("token: SECRET", f"filename: {private}")
    file = tmp_path / "config.yaml"
    configuration = configured(file, TEXT.replace(old, new).replace("SECRET", "'${env:TOKEN}'"))
    assert [line.startswith(f"{private} holds a secret") for line in precautions(configuration, file)] == [
        True
    ] * is_told


def test_what_is_defined_and_not_used_is_told_of(tmp_path: Path) -> None:
    text = TEXT.replace("SECRET", "'${env:TOKEN}'").replace("here}", "here}\n  store/2: {path: there}")
    text = text.replace("service:", "  health_check:\nprocessors: {batch: }\nservice:")
    file = tmp_path / "config.yaml"
    assert told(file, text) == [
        f"{file}: 'batch' under processors is not used: add it to any pipeline, or remove it",
        f"{file}: 'store/2' under exporters is not used: add it to any pipeline, or remove it",
        f"{file}: 'health_check' under extensions is not used: add it to service.extensions, or remove it",
    ]


def test_tokens_that_no_endpoint_asks_for_are_told_of(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    lines = told(file, TEXT.replace("SECRET", "'${env:TOKEN}'").replace("auth: {authenticator: bearertokenauth}, ", ""))
    assert len(lines) == 1
    assert "no endpoint asks for the tokens of 'bearertokenauth'" in lines[0]


def test_the_shipped_configurations_give_no_cause() -> None:
    names = ["INFERSIGHT_TOKEN", "INFERSIGHT_TLS_CERT_FILE", "INFERSIGHT_TLS_KEY_FILE"]
    environment = dict.fromkeys(names, "x")
    for name in ("embedded.yaml", "gateway.yaml"):
        assert precautions(read(SHIPPED / name, KINDS, environment), None) == []
    assert precautions(read(None, KINDS, {}), None) == []
