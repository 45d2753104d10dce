"""Python's logging, to torvyn:diagnostics."""

import logging

from wit_world.imports import torvyn_diagnostics_log_0_1_0 as diagnostics

_LEVELS = (
    (logging.ERROR, diagnostics.Level.ERROR),
    (logging.WARNING, diagnostics.Level.WARN),
    (logging.INFO, diagnostics.Level.INFO),
    (logging.DEBUG, diagnostics.Level.DEBUG),
)


class Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        level = next((ours for theirs, ours in _LEVELS if record.levelno >= theirs), diagnostics.Level.TRACE)
        diagnostics.log(level, self.format(record))
