"""{{name}}: a processor that makes letters upper case."""

import torvyn


@torvyn.processor
def {{name_snake}}(element):
    return element.text.upper()
