"""The decorators. They leave what they decorate as it is, so that a test can call it, and note what it is for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import NamedTuple, TypeVar

Definition = TypeVar("Definition", bound=Callable)


class Role(NamedTuple):
    name: str
    method: str  # what a class of this role has to have
    functions: bool = True  # whether a function will do


ROLES = {role.name: role for role in (
    Role("processor", "process"),
    Role("batch_processor", "process"),
    Role("filter", "keep"),
    Role("router", "route"),
    Role("source", "__iter__"),
    Role("sink", "push"),
    Role("aggregator", "ingest", functions=False),
)}


def _mark(definition: Definition, role: Role) -> Definition:
    """Raises TypeError where `definition` cannot fill its role: at the decorator's line, when the module is imported."""
    name = getattr(definition, "__name__", repr(definition))
    if inspect.isclass(definition):
        methods = [role.method] + (["flush"] if role.name == "aggregator" else [])
        for method in methods:
            if not callable(getattr(definition, method, None)):
                raise TypeError(f"{name} is a @torvyn.{role.name}, so it needs a method `{method}`")
    elif not callable(definition):
        raise TypeError(f"@torvyn.{role.name} stands before a function or a class, not {name}")
    elif not role.functions:
        raise TypeError(f"@torvyn.{role.name} stands before a class with `{role.method}` and `flush`: {name} is a function")
    elif inspect.iscoroutinefunction(definition):
        raise TypeError(f"{name} is async: a stage is called for one run after the other, there is nothing to wait for")
    definition.__torvyn_role__ = role.name
    return definition


def processor(definition: Definition) -> Definition:
    """A function of one element that gives bytes, text, None or several of these; the element itself is passed on uncopied.

        @torvyn.processor
        def shout(element):
            return element.bytes.upper()

    Keyword-only parameters are settings. A class has `process(element)`, its settings are the parameters of `__init__`, and what it
    keeps is its state; `close()` is called at the end where it is there.
    """
    return _mark(definition, ROLES["processor"])


def batch_processor(definition: Definition) -> Definition:
    """A function of a whole run, for speed: it writes with `run.emit` and `run.forward`.

        @torvyn.batch_processor
        def shout(run):
            run.emit(run.bytes.upper())

    An error is about the element that its `index` names, the first one where it names none; outputs emitted for those before it stand.
    """
    return _mark(definition, ROLES["batch_processor"])


def filter(definition: Definition) -> Definition:
    """A function of one element: true keeps it. Nothing is copied. A class has `keep(element)`."""
    return _mark(definition, ROLES["filter"])


def router(definition: Definition) -> Definition:
    """A function of one element that gives the name of an output port, several, or None. Nothing is copied. A class has `route(element)`."""
    return _mark(definition, ROLES["router"])


def source(definition: Definition) -> Definition:
    """A generator of bytes, text or Outputs; its end is the end of the stream. To yield None says "nothing yet".

    A class has `__iter__`. Where it has `acknowledge(count)`, it is told how many of its elements have met their fate; where it
    has `backpressure(paused)`, whether the flow has become slower than it is.
    """
    return _mark(definition, ROLES["source"])


def sink(definition: Definition) -> Definition:
    """A function of one element. To return torvyn.PAUSE asks that the next one waits a while. A class has `push(element)`, and
    `complete()` where something is to be done after the last element."""
    return _mark(definition, ROLES["sink"])


def aggregator(definition: Definition) -> Definition:
    """A class with `ingest(element)`, which may give results as a processor does, and `flush()`, which gives those that are left."""
    return _mark(definition, ROLES["aggregator"])
