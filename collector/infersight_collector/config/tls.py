"""TLS of endpoints, opened here and sent to; keys as in the OpenTelemetry Collector."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from infersight_collector.config.values import PRIVATE
from infersight_collector.errors import ConfigError

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True)
class ServerTls:
    """`tls` of an endpoint. An empty file name is none, so that a file may leave it to the environment.

    Attributes:
        cert_file: the certificate and those between it and the root, PEM.
        key_file: its private key, PEM, without a passphrase.
        client_ca_file: whoever connects must show a certificate that one of these signed, PEM; none asks for nothing.
        min_version: oldest version of TLS that is spoken.
        insecure: no TLS here, since a proxy in front of the endpoint does it.
    """

    cert_file: str = ""
    key_file: str = field(default="", metadata=PRIVATE)
    client_ca_file: str = ""
    min_version: Literal["1.2", "1.3"] = "1.2"
    insecure: bool = False

    def __post_init__(self) -> None:
        files = self.cert_file or self.key_file or self.client_ca_file
        if self.insecure and files:
            raise ValueError("'insecure: true' is for an endpoint without TLS: remove it, or the files beside it")
        if not self.insecure and not (self.cert_file and self.key_file):
            raise ValueError("TLS needs 'cert_file' and 'key_file' (or 'insecure: true' behind a proxy that does it)")

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are named, those of the certificate and its key first."""
        return tuple(Path(name) for name in (self.cert_file, self.key_file, self.client_ca_file) if name)


def server_context(tls: ServerTls) -> ssl.SSLContext:
    """What a server speaks TLS by.

    Raises:
        ConfigError: a file cannot be read, is no PEM, or the key is not that of the certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[tls.min_version]
    context.set_alpn_protocols(["http/1.1"])
    load_certificate(context, tls)
    if tls.client_ca_file:
        context.verify_mode = ssl.CERT_REQUIRED
        name = tls.client_ca_file
        _load((name,), "holds no PEM certificate", lambda: context.load_verify_locations(name))
    return context


@dataclass(frozen=True)
class ClientTls:
    """`tls` of an exporter.

    Attributes:
        insecure: no TLS, where the endpoint does not say so itself.
        ca_file: the receiver's certificate must be signed by one of these, PEM; without it, by one that the system
            trusts.
        cert_file: the certificate that is shown to the receiver, PEM, if it asks for one.
        key_file: its private key, PEM, without a passphrase.
        insecure_skip_verify: whether any certificate is taken for the receiver's, as in tests.
    """

    insecure: bool = False
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = field(default="", metadata=PRIVATE)
    insecure_skip_verify: bool = False

    def __post_init__(self) -> None:
        if self.insecure and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("'insecure: true' sends without TLS: remove it, or the files beside it")
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("a client's certificate needs 'cert_file' and 'key_file'")


def client_context(tls: ClientTls) -> ssl.SSLContext:
    """What a client speaks TLS by.

    Raises:
        ConfigError: a file cannot be read, is no PEM, or the key is not that of the certificate.
    """
    context = ssl.create_default_context()
    if tls.ca_file:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load((tls.ca_file,), "holds no PEM certificate", lambda: context.load_verify_locations(tls.ca_file))
    if tls.cert_file:
        load_certificate(context, tls)
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def load_certificate(context: ssl.SSLContext, tls: ServerTls | ClientTls) -> None:
    """Takes certificate and key from their files; handshakes from now on use them.

    Raises:
        ConfigError: see `server_context`.
    """
    names = (tls.cert_file, tls.key_file)
    # Without an answer to the question for a passphrase, OpenSSL would ask on the terminal.
    _load(
        names,
        "are no PEM certificate and its key without a passphrase",
        lambda: context.load_cert_chain(*names, password=lambda: ""),
    )


def _load(names: tuple[str, ...], fault: str, load: Callable[[], None]) -> None:
    """Loads files, and says which of them is wrong and why where that fails."""
    for name in names:
        try:
            with Path(name).open("rb"):
                pass
        except OSError as error:
            raise ConfigError(f"{name}: cannot be read for TLS: {error.strerror}") from error
    try:
        load()
    except (ssl.SSLError, ValueError) as error:
        mismatch = getattr(error, "reason", None) == "KEY_VALUES_MISMATCH"
        problem = "do not belong together: the key is not that of the certificate" if mismatch else fault
        raise ConfigError(f"TLS: {' and '.join(names)} {problem}") from error
