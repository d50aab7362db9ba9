"""Log calls below their logger's level, while a request is recorded: to the recorder, and to no handler.

Lowering the levels themselves would not do: every handler that relies on its logger's level would print the detail,
loggers with levels of their own would stay closed, and each call outside of a request would pay for it. So the two
methods of `logging.Logger` that decide and that build records ask for a recording first. Everything at or above its
logger's level takes the same way as ever.
"""

import logging
import sys
import time
from collections.abc import Mapping
from reprlib import Repr
from types import CodeType
from typing import Any, Final

from opentelemetry.trace import get_current_span

from infersight import _attributes as names
from infersight._faults import report
from infersight._inputs import shape_of
from infersight._recording import KeptLog, Recording
from infersight._request import current_request
from infersight._severity import OWN_TRANSPORT
from infersight._structured import event_of, parts_of
from infersight._values import AttributeValue, carriable, exception_attributes, safe_str, text

_TEXT: Final = 16_384
"""Longest text that is kept of one record, in characters."""

_NOT_KEPT: Final = (*OWN_TRANSPORT, "torch.", "numba.")
"""Loggers whose detail is left alone. Compilers print all that they do where DEBUG is on: a first call of a module
behind `torch.compile` took 2.7 times as long."""

_PLAIN: Final = (str, int, float, bool, type(None))


class _Arguments(Repr):
    """Short texts of arguments. An array is described: printing one that lives on a GPU would wait for the GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxset = self.maxdict = 20
        self.maxlevel, self.maxstring, self.maxother, self.maxlong = 4, 2_000, 2_000, 100

    def repr_instance(self, x: Any, level: int) -> str:  # noqa: ARG002 - the base class's argument
        return described(x)


_SHORT: Final = _Arguments()


def described(value: object) -> str:
    """Text of an object; shape and dtype of an array."""
    shape = shape_of(value)
    if shape is None:
        return safe_str(value)
    return f"<{type(value).__name__} {shape} {getattr(value, 'dtype', '')}>"


def formatted(message: object, arguments: Any) -> AttributeValue:
    """What `LogRecord.getMessage` returns, of objects that are safe to print; the parts where they do not fit."""
    if not arguments:
        return text(message)[:_TEXT] if isinstance(message, str) else carriable(message)
    printable = (
        {key: _printable(value) for key, value in arguments[0].items()}
        if len(arguments) == 1 and isinstance(arguments[0], Mapping)
        else tuple(_printable(value) for value in arguments)
    )
    try:
        return text(str(message) % printable)[:_TEXT]
    except Exception:  # noqa: BLE001 - `%d` of an array, or a wrong log call
        return text(f"{safe_str(message)} {printable}")[:_TEXT]


def _printable(value: object) -> object:
    return value if isinstance(value, _PLAIN) else _Printed(_SHORT.repr(value))


class _Printed(str):
    """A text that `%r` does not quote again."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class LogTap:
    """Opens the loggers to the recorder until `remove`."""

    def __init__(self) -> None:
        self._removed = False
        self._is_enabled_before, self._log_before = logging.Logger.isEnabledFor, logging.Logger._log  # noqa: SLF001 - the one place where all log calls meet
        self._is_enabled, self._log = self._replacements()
        logging.Logger.isEnabledFor = self._is_enabled  # type: ignore[method-assign] # see the module
        logging.Logger._log = self._log  # type: ignore[method-assign] # noqa: SLF001 - see the module

    def remove(self) -> None:
        """Close them again; where someone has wrapped the methods since, ours stay and do nothing."""
        self._removed = True
        if logging.Logger.isEnabledFor is self._is_enabled and logging.Logger._log is self._log:  # noqa: SLF001 - see above
            logging.Logger.isEnabledFor = self._is_enabled_before  # type: ignore[method-assign] # see the module
            logging.Logger._log = self._log_before  # type: ignore[method-assign] # noqa: SLF001 - see the module

    def _replacements(self) -> tuple[Any, Any]:
        is_enabled, log = self._is_enabled_before, self._log_before

        def is_enabled_for(logger: logging.Logger, level: int) -> bool:
            if is_enabled(logger, level):
                return True
            # Most calls below their level are outside of a request: they pay for this look only.
            return current_request.get() is not None and not self._removed and recording_for(logger, level) is not None

        def log_or_keep(  # noqa: PLR0917 - the signature of `Logger._log`
            logger: logging.Logger,
            level: int,
            msg: object,
            args: Any,
            exc_info: Any = None,
            extra: Mapping[str, object] | None = None,
            stack_info: bool = False,
            stacklevel: int = 1,
        ) -> None:
            if self._removed or is_enabled(logger, level):
                # One more level of the stack: this function.
                log(logger, level, msg, args, exc_info, extra, stack_info, stacklevel + 1)
                return
            try:
                recording = recording_for(logger, level)
                if recording is not None:
                    recording.keep(_kept(logger.name, level, formatted(msg, args), extra, exc_info, stacklevel))
            except Exception:  # noqa: BLE001 - a log call must not fail for the recorder
                report("keep a log record")

        return is_enabled_for, log_or_keep


def recording_for(logger: logging.Logger, level: int) -> Recording | None:
    """The recording that takes records of this logger below its level; None without one."""
    request = current_request.get()
    if request is None or request.recording is None or level < logging.DEBUG:
        return None
    if logger.disabled or logger.manager.disable >= level or logger.name.startswith(_NOT_KEPT):
        return None
    return request.recording


def _kept(  # noqa: PLR0917 - called with few words where time counts
    name: str,
    level: int,
    body: AttributeValue,
    extra: Mapping[str, object] | None,
    exc_info: Any,
    stacklevel: int,
) -> KeptLog:
    attributes: dict[str, AttributeValue] = {}
    event = event_of(extra, body) if extra else None
    if event is not None:
        body, attributes = parts_of(event)
    elif extra:
        for key, value in extra.items():
            attributes[key] = carriable(value if shape_of(value) is None else described(value))
    code, line = _caller(stacklevel)
    attributes[names.CODE_FILE_PATH] = text(code.co_filename)
    attributes[names.CODE_FUNCTION_NAME] = code.co_name
    attributes[names.CODE_LINE_NUMBER] = line
    if exc_info:
        error = exc_info if isinstance(exc_info, BaseException) else sys.exc_info()[1]
        if error is not None:
            attributes.update(exception_attributes(error))
    return KeptLog(
        name,
        time.time_ns(),
        level,
        body,
        attributes,
        get_current_span().get_span_context(),
    )


def _caller(stacklevel: int) -> tuple[CodeType, int]:
    """Code and line of the log call, as `Logger.findCaller` finds it."""
    frame = sys._getframe(3)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - documented, as logging itself does
    while frame.f_back is not None and (frame.f_code.co_filename == _LOGGING or stacklevel > 1):
        stacklevel -= frame.f_code.co_filename != _LOGGING
        frame = frame.f_back
    return frame.f_code, frame.f_lineno


_LOGGING: Final = logging.Logger.info.__code__.co_filename
