"""{{name}}: a filter that keeps the elements containing a text.

Setting: `pattern`, the text.
"""

import torvyn


@torvyn.filter
def {{name_snake}}(element, *, pattern: str):
    return pattern.encode() in element.bytes
