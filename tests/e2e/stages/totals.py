"""An aggregator: the words, each with how often it came."""

import torvyn
from counting import Counting


@torvyn.aggregator
class Totals:
    def __init__(self, *, tell_each: int = 0):
        self.words = Counting()
        self.tell_each = tell_each

    def ingest(self, element):
        word = element.text.strip()
        if not word:
            raise torvyn.InvalidInput("no word")
        count = self.words.add(word)
        return f"{word} again\n" if count == self.tell_each else None

    def flush(self):
        for word, count in self.words:
            yield f"{word} {count}\n"
