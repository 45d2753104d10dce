"""{{name}}: a source of the lines "tick 1", "tick 2", …

Setting: `count`, how many.
"""

import torvyn


@torvyn.source
def {{name_snake}}(*, count: int = 10):
    for number in range(1, count + 1):
        yield f"tick {number}\n"
