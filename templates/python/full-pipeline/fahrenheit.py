"""A processor that turns "SENSOR CELSIUS" into "SENSOR FAHRENHEIT"."""

import torvyn


@torvyn.processor
def fahrenheit(element):
    try:
        sensor, celsius = element.text.split()
        return f"{sensor} {float(celsius) * 9 / 5 + 32:.1f}\n"
    except ValueError:
        raise torvyn.InvalidInput(f"not \"SENSOR CELSIUS\": {element.text!r}")
