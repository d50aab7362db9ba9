"""Configuration of the receiver `otlp`; keys as in the OpenTelemetry Collector."""

from dataclasses import dataclass, field

from infersight_collector.config.listening import Authentication
from infersight_collector.config.tls import ServerTls
from infersight_collector.config.values import Count, Duration, Endpoint


@dataclass(frozen=True)
class ServerParameters:
    """`keepalive.server_parameters`: how long connections live.

    Attributes:
        max_connection_idle: one without requests is closed after this time, or never.
        max_connection_age: every one is closed after this time, or never, so that senders spread anew.
        max_connection_age_grace: what its requests get then to finish; as long as they want where nothing is said.
        time: a connection that nothing came from for this time is asked for a sign of life,
        timeout: and closed without one after this time.
    """

    max_connection_idle: Duration | None = None
    max_connection_age: Duration | None = None
    max_connection_age_grace: Duration | None = None
    time: Duration = Duration(60)  # noqa: RUF009 - a float
    timeout: Duration = Duration(20)  # noqa: RUF009 - a float


@dataclass(frozen=True)
class EnforcementPolicy:
    """`keepalive.enforcement_policy`: how often senders may ask for a sign of life before they are cut off.

    Attributes:
        min_time: least time between two of these.
        permit_without_stream: whether they may while no request is under way.
    """

    min_time: Duration = Duration(10)  # noqa: RUF009 - a float
    permit_without_stream: bool = True


@dataclass(frozen=True)
class Keepalive:
    """`protocols.grpc.keepalive`."""

    server_parameters: ServerParameters = ServerParameters()
    enforcement_policy: EnforcementPolicy = EnforcementPolicy()


@dataclass(frozen=True)
class GrpcConfig:
    """`protocols.grpc`.

    Attributes:
        endpoint: where to listen.
        tls: certificate, key and who may connect; none on this machine.
        auth: who checks the senders.
        max_recv_msg_size_mib: largest request, as sent and unpacked.
        max_concurrent_streams: most requests of one connection at a time.
        keepalive: see `Keepalive`.
    """

    endpoint: Endpoint = Endpoint("127.0.0.1", 4317)  # noqa: RUF009 - frozen
    tls: ServerTls | None = None
    auth: Authentication | None = None
    max_recv_msg_size_mib: Count = Count(16)  # noqa: RUF009 - an int
    max_concurrent_streams: Count = Count(100)  # noqa: RUF009 - an int
    keepalive: Keepalive = Keepalive()

    def __post_init__(self) -> None:
        if self.tls is not None and self.tls.min_version != "1.2":
            raise ValueError("gRPC speaks TLS 1.3 with every sender that can and 1.2 with others: remove 'min_version'")


@dataclass(frozen=True)
class Cors:
    """`protocols.http.cors`: which web pages may send from a browser.

    Attributes:
        allowed_origins: as `https://app.example.org`; `*` stands for any text in one, alone for every page.
        allowed_headers: headers that they may set besides those that OTLP needs.
        max_age: time for which a browser need not ask again.
    """

    allowed_origins: list[str]
    allowed_headers: list[str] = field(default_factory=list[str])
    max_age: Duration = Duration(3600)  # noqa: RUF009 - a float


@dataclass(frozen=True)
class HttpConfig:
    """`protocols.http`.

    Attributes:
        endpoint: where to listen.
        tls: certificate, key and who may connect; none on this machine.
        auth: who checks the senders.
        max_request_body_size: most bytes of a body, as sent and unpacked.
        read_header_timeout: longest time that the head of a request may take to arrive.
        read_timeout: longest time that its body may take.
        idle_timeout: time after which a connection without a request is closed.
        cors: which web pages may send, if any.
    """

    endpoint: Endpoint = Endpoint("127.0.0.1", 4318)  # noqa: RUF009 - frozen
    tls: ServerTls | None = None
    auth: Authentication | None = None
    max_request_body_size: Count = Count(16 * 2**20)  # noqa: RUF009 - an int
    read_header_timeout: Duration = Duration(10)  # noqa: RUF009 - a float
    read_timeout: Duration = Duration(30)  # noqa: RUF009 - a float
    idle_timeout: Duration = Duration(90)  # noqa: RUF009 - a float
    cors: Cors | None = None


@dataclass(frozen=True)
class Protocols:
    """Which protocols are spoken: those that are named."""

    grpc: GrpcConfig | None = None
    http: HttpConfig | None = None


@dataclass(frozen=True)
class OtlpConfig:
    """Configuration of one `otlp` receiver."""

    protocols: Protocols = field(default_factory=lambda: Protocols(GrpcConfig(), HttpConfig()))
