"""The process-wide state of the SDK: what is configured. No other module keeps any."""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from infersight._config import Console, Options, Protocol, Redact, choose_options
from infersight._faults import report

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from infersight._eventloop import EventLoopMonitor
    from infersight._exit import ExitHooks
    from infersight._force import TraceForcing
    from infersight._logs import LogBridge
    from infersight._pauses import GcPauses
    from infersight._providers import Providers
    from infersight._recorder import Recorder
    from infersight._telemetry import Telemetry

_LOG: Final = logging.getLogger("infersight")


@dataclass(frozen=True)
class Running:
    """What a successful `configure` set up."""

    telemetry: "Telemetry"
    providers: "Providers"
    logs: "LogBridge"
    exit_hooks: "ExitHooks | None" = None
    recorder: "Recorder | None" = None
    forcing: "TraceForcing | None" = None
    pauses: "GcPauses | None" = None
    observers: Sequence[Callable[[], None]] = ()
    """What observes besides the calls of the application: how each is stopped, the last one first."""


class State:
    """What is configured in this process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.options: Options | None = None
        self.running: Running | None = None
        self.telemetry: Telemetry | None = None
        """That of `running`, one step nearer for the calls that emit; None while nothing is emitted."""
        self.monitors: WeakKeyDictionary[AbstractEventLoop, EventLoopMonitor] = WeakKeyDictionary()

    def exchange(self, options: Options | None, running: Running | None) -> tuple[Options | None, Running | None]:
        """Put this in place of what is configured, and return that."""
        with self.lock:
            before = self.options, self.running
            self.options, self.running = options, running
            self.telemetry = None if running is None else running.telemetry
        return before


state: Final = State()
"""Read `state.telemetry` at each use: it changes with `configure` and `shutdown`."""


def configure(
    *,
    service_name: str | None = None,
    service_version: str | None = None,
    endpoint: str | None = None,
    protocol: Protocol | None = None,
    console: Console | None = None,
    log_level: str | None = None,
    blocked_seconds: float | None = None,
    shutdown_seconds: float | None = None,
    enabled: bool | None = None,
    spool: str | os.PathLike[str] | None = None,
    spool_bytes: int | None = None,
    sample_ratio: float | None = None,
    redact: Redact | None = None,
    redact_keys: Sequence[str] | None = None,
    redact_patterns: Mapping[str, str] | None = None,
    redact_hash_key: str | None = None,
    max_text: int | None = None,
    recorder: bool | None = None,
    recorder_dir: str | os.PathLike[str] | None = None,
    recorder_requests: int | None = None,
    recorder_every: int | None = None,
    slow_seconds: float | None = None,
    profile_rate: float | None = None,
    trace_secret: str | None = None,
    trace_allow: Sequence[str] | None = None,
    capture_inputs: float | None = None,
    capture_confidence: float | None = None,
    instrument_clients: bool | None = None,
    host_metrics: bool | None = None,
    control: bool | None = None,
) -> None:
    """Start sending spans, logs and metrics of this process over OTLP. A second call changes nothing.

    Each argument wins over the environment variable `INFERSIGHT_<ARGUMENT>`, and that over the default. Everything
    that OpenTelemetry has a variable for (`OTEL_EXPORTER_OTLP_*`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`,
    `OTEL_BSP_*`, `OTEL_SDK_DISABLED`, ...) is read by the OpenTelemetry SDK as everywhere. Providers that the
    application has set up itself are used as they are.

    Args:
        service_name: `service.name` of the resource.
        service_version: `service.version` of the resource.
        endpoint: `http://HOST:PORT` of an OTLP receiver; by default port 4317 (gRPC) of 127.0.0.1.
        protocol: `grpc` or `http/protobuf`; by default gRPC, and HTTP when the endpoint's port is 4318.
        console: log records on standard error: `auto` (for people on a terminal, JSON elsewhere, nothing where the
            application has log handlers already), `human`, `json` or `off`.
        log_level: level of the root logger; by default INFO where logging is not configured, else left alone.
        blocked_seconds: how long the event loop may be blocked before its stack is recorded; 0.1 by default.
        shutdown_seconds: how long the end of the process may wait for telemetry to be sent; 3 by default.
        enabled: False makes everything of the SDK do nothing.
        spool: folder in which telemetry waits for a collector that is away, also from one process to the next; several
            processes may share it. None, the default: it waits in memory, for seconds.
        spool_bytes: what the spool holds at most, about; 256 MiB by default.
        sample_ratio: share of the requests without a parent that are sampled, 0 to 1; by default what
            `OTEL_TRACES_SAMPLER` says, else all.
        redact: what becomes of secrets before anything leaves the process: `mask` (the default) puts a mark in their
            place, `hash` a keyed hash, `drop` nothing; `off` sends them.
        redact_keys: further attribute names whose values are secrets.
        redact_patterns: further secrets inside text: name to regular expression, of linear time.
        redact_hash_key: key of the hashes; by default a random one of each process.
        max_text: longest text of an attribute or log body, in characters; 16 384 by default.
        recorder: whether the detail of a request is kept until it is known to be worth sending; True by default.
        recorder_dir: folder for the last requests of a process that ends by SIGTERM or a fatal error; None by default.
        recorder_requests: how many of the last requests are kept for that; 50 by default.
        recorder_every: the detail of every so manieth request is sent, whatever became of it; 0, the default, for none.
        slow_seconds: a request longer than this is slow; by default, and besides, one beyond its route's recent p99.
        profile_rate: how often a second the stacks of open requests are looked at, for the profile of those whose
            detail is sent; 0, the default, for never.
        trace_secret: lets a request force its detail to be sent: `X-Infersight-Trace: 1` and this secret in
            `X-Infersight-Trace-Secret`.
        trace_allow: client addresses or networks that may force it without the secret.
        capture_inputs: share of the predictions whose input itself is sent, redacted, 0 to 1; none by default.
        capture_confidence: only inputs of predictions with at most this confidence, or that failed; 1 by default.
        instrument_clients: whether calls of databases and HTTP clients become spans, where OpenTelemetry's
            instrumentation of the client is installed; True by default.
        host_metrics: whether the process and the GPUs of its host are measured; True by default.
        control: whether the user of the process may ask for a profile of its models while it runs; False by default.

    Raises:
        TypeError: an argument of the wrong type. Wrong values and a faulty environment are one warning line.
    """
    options = choose_options(dict(locals()))
    with state.lock:
        if state.options is not None:
            if state.options != options:
                _LOG.warning("infersight is configured already; call infersight.shutdown() to configure it anew")
            return
        try:
            running = _start(options) if _is_enabled(options) else None
        except Exception as error:  # noqa: BLE001 - a faulty environment must not stop the application
            _LOG.warning("infersight is off: %s", error)
            running = None
        state.exchange(options, running)


def is_off() -> bool:
    """Whether `configure` was called and decided that nothing is emitted."""
    return state.options is not None and state.running is None


def force_flush(timeout: float | None = None) -> bool:
    """Send everything that is waiting.

    Args:
        timeout: seconds to wait at most; `shutdown_seconds` of `configure` by default.

    Returns:
        True when everything was handed to the exporters in time, also when there was nothing to send.
    """
    options, running = state.options, state.running
    if options is None or running is None:
        return True
    deadline = time.monotonic() + (options.shutdown_seconds if timeout is None else timeout)
    ended = running.telemetry.deferred.drain(deadline - time.monotonic())
    return running.providers.flush(max(0.0, deadline - time.monotonic())) and ended


def shutdown() -> None:
    """Send what is waiting and stop; called by itself at the end of the process. `configure` may follow."""
    options, running = state.exchange(None, None)
    if options is None or running is None:
        return
    try:
        if running.exit_hooks is not None:
            running.exit_hooks.remove()
        for stop in reversed(running.observers):
            stop()
        if running.recorder is not None:
            running.recorder.stop()
        running.telemetry.deferred.stop(options.shutdown_seconds)
        running.logs.stop_sending()
        running.providers.shutdown(options.shutdown_seconds)
        running.logs.detach()
    except Exception:  # noqa: BLE001 - the end of a process is no time for our errors
        report("shut down")


def dump_last_requests(reason: str, *, wait: bool = True) -> None:
    """Write the last requests to a file of `recorder_dir`; nothing where that is not configured.

    Args:
        reason: why: `terminated`, `exception` or `out_of_memory`; one file a minute for each.
        wait: whether to wait until it is written, a few seconds at most.
    """
    running = state.running
    if running is None or running.recorder is None:
        return
    try:
        running.recorder.dump(reason, wait=wait)
    except Exception:  # noqa: BLE001 - the process has other troubles
        report("write the last requests")


def _is_enabled(options: Options) -> bool:
    return options.enabled and os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() != "true"


def _start(options: Options) -> Running:
    # Imported here, so that `import infersight` and a disabled SDK do without the OpenTelemetry SDK.
    from infersight import _exit, _force, _logs, _pauses, _providers, _recorder, _telemetry  # noqa: PLC0415
    from infersight._fork import follow_forks  # noqa: PLC0415
    from infersight.export.redacting import redactor_of  # noqa: PLC0415

    follow_forks()
    redactor = redactor_of(options)
    providers = _providers.set_up(options, redactor)
    telemetry = _telemetry.Telemetry(providers.tracer, providers.meter, providers.logger)
    pauses = _pauses.GcPauses()
    return Running(
        telemetry,
        providers,
        _logs.LogBridge(providers.logger, options.console, options.log_level, providers.service_name, redactor),
        _exit.ExitHooks(shutdown, _terminated, force_flush),
        _recorder.Recorder(options, telemetry, providers, redactor) if options.recorder else None,
        _force.TraceForcing(options),
        pauses,
        [pauses.stop, *_observers(options, providers, pauses)],
    )


def _terminated() -> None:
    """The process ends by SIGTERM."""
    dump_last_requests("terminated")
    shutdown()


def _observers(options: Options, providers: "Providers", pauses: "GcPauses") -> list[Callable[[], None]]:
    started: list[Callable[[], None]] = []
    try:
        if options.host_metrics:
            from infersight._gpu import observe_gpus  # noqa: PLC0415 - as above
            from infersight._host import HostMetrics  # noqa: PLC0415 - as above

            HostMetrics(providers.meter, pauses)
            observe_gpus(providers.meter)
        if options.instrument_clients:
            from infersight.integrations.clients import ClientInstrumentation  # noqa: PLC0415 - as above

            started.append(ClientInstrumentation().stop)
        from infersight._pools import Pools  # noqa: PLC0415 - as above

        started.append(Pools().stop)  # around the instrumentation of threads
        if options.control:
            from infersight._control import Control  # noqa: PLC0415 - as above

            started.append(Control().stop)
    except Exception:  # noqa: BLE001 - what the application itself emits does not depend on them
        report("observe the host and its clients")
    return started
