"""What totals.py imports: a module goes into a component with those beside it."""


class Counting:
    def __init__(self):
        self.counts = {}

    def add(self, word):
        self.counts[word] = self.counts.get(word, 0) + 1
        return self.counts[word]

    def __iter__(self):
        return iter(sorted(self.counts.items()))
