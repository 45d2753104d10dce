"""A sink that tells each reading, and how many there were when the stream is complete."""

import torvyn


@torvyn.sink
class Report:
    def __init__(self):
        self.readings = 0

    def push(self, element):
        self.readings += 1
        print(f"{element.text.rstrip()} F")

    def complete(self):
        print(f"{self.readings} readings")
