"""Stages for Torvyn in Python.

    import torvyn

    @torvyn.processor
    def shout(element):
        return element.bytes.upper()

A module holds one stage. It is an ordinary module: import it in a test and call what is in it, with a `torvyn.Element` or through
`torvyn.testing.run`. What is printed, and what goes through `logging`, is shown by the host as `[node] …`.
"""

from torvyn._element import Element, Meta, Run
from torvyn._errors import DeadlineExceeded, Fatal, Internal, InvalidInput, ProcessError, Unavailable
from torvyn._outputs import Output
from torvyn._runners import PAUSE
from torvyn._stage import aggregator, batch_processor, filter, processor, router, sink, source

__version__ = "0.1.0"  # the contract's

__all__ = [
    "PAUSE", "DeadlineExceeded", "Element", "Fatal", "Internal", "InvalidInput", "Meta", "Output", "ProcessError", "Run",
    "Unavailable", "aggregator", "batch_processor", "filter", "processor", "router", "sink", "source",
]
