"""{{name}}: a sink that counts elements and bytes, and tells the sums when the stream is complete."""

import torvyn


@torvyn.sink
class {{name_pascal}}:
    def __init__(self):
        self.elements = 0
        self.bytes = 0

    def push(self, element):
        self.elements += 1
        self.bytes += len(element.bytes)

    def complete(self):
        print(f"{self.elements} elements, {self.bytes} bytes")
