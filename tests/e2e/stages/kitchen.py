"""A processor that does with each element what the setting `how` says."""

import logging
import random
import time
import weakref

import torvyn


class Dish:
    """Something to finalize."""


@torvyn.processor
class Kitchen:
    def __init__(self, how: str, at: int = 0):
        if how == "refuse":
            raise ValueError("no such dish")
        self.work = getattr(self, how)
        self.at = at
        self.kept = []

    def process(self, element):
        return self.work(element) if element.sequence >= self.at else element.bytes

    def upper(self, element):
        return element.text.upper()

    def several(self, element):
        return [element.bytes.strip(), "ä", element, None, torvyn.Output("{}\n", "application/json")]

    def nothing(self, element):
        return None

    def invalid(self, element):
        raise torvyn.InvalidInput("not to be eaten")

    def broken(self, element):
        return {}["spoon"]

    def deep(self, element):
        return self.deep(element) + b"!"

    def large(self, element):
        return bytes(40_000_000) if element.sequence == 1 else bytes(600_000)

    def keep(self, element):
        self.kept.append(element)
        return b",".join(each.bytes.strip() for each in self.kept) + b"\n"

    def finalize(self, element):
        gone = []
        dish = Dish()
        told = weakref.finalize(dish, gone.append, element.bytes)
        assert isinstance(told, weakref.finalize) and told.alive
        del dish
        return gone

    def tell(self, element):
        print("printed", element.sequence)
        logging.warning("logged %d", element.sequence)
        return f"{random.random()} {time.time() > 1.7e9} {element.content_type} {element.flow_id} {len(element.trace_id)}\n"

    def close(self):
        print("closed")
