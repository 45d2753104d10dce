"""A node's settings as keyword arguments of the author's function or class."""

import inspect
import json
from collections.abc import Callable, Mapping

from torvyn._errors import InvalidInput

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def parse(config: str) -> dict:
    """What `init` is given: nothing, a JSON object, or any other text. That is the main setting, in an object the one without a name."""
    if not config:
        return {}
    try:
        settings = json.loads(config)
    except ValueError:
        settings = config
    return settings if isinstance(settings, dict) else {"": config}


def keywords(definition: Callable, given: Mapping) -> dict:
    """The arguments that `given` stands for: the keyword-only parameters of a function, all parameters of a class.

    The main setting is the first of them. A pipeline's settings are text; they become what the parameter's annotation says, or else its default's type."""
    kinds = (inspect.Parameter.KEYWORD_ONLY,)
    if inspect.isclass(definition):
        kinds += (inspect.Parameter.POSITIONAL_OR_KEYWORD,)
    signature = inspect.signature(definition, eval_str=True).parameters.values()
    parameters = {each.name: each for each in signature if each.kind in kinds}
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in signature)

    if "" in given and parameters:
        given = {next(iter(parameters)): given[""]} | {name: value for name, value in given.items() if name}
    for name in given:
        if name not in parameters and not takes_any:
            known = "there are " + ", ".join(parameters) if parameters else "there are none"
            raise InvalidInput(f"unknown setting `{name}`; {known}")
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in given:
            raise InvalidInput(f"the setting `{name}` is missing")
    return {name: _convert(name, value, parameters.get(name)) for name, value in given.items()}


def _convert(name: str, value: object, parameter: inspect.Parameter | None) -> object:
    if parameter is None:
        return value
    wanted = parameter.annotation
    if wanted is parameter.empty:
        wanted = type(parameter.default)
    if wanted not in (bool, int, float, str) or type(value) is wanted:
        return value
    if wanted is float and type(value) is int:
        return float(value)
    try:
        if type(value) is not str:
            raise ValueError
        return _WORDS[value.lower()] if wanted is bool else wanted(value)
    except (ValueError, KeyError):
        words = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
        raise InvalidInput(f"the setting `{name}` is to be {words[wanted]}, not {value!r}") from None
