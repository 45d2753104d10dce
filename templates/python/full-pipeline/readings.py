"""A source of temperatures, "SENSOR CELSIUS".

Setting: `count`, how many.
"""

import torvyn


@torvyn.source
def readings(*, count: int = 10):
    for number in range(count):
        sensor, base = ("kitchen", 20) if number % 2 == 0 else ("cellar", 10)
        yield f"{sensor} {base + number}\n"
