"""A function of one element, as most authors write one."""

import torvyn


@torvyn.processor
def each(element):
    return element.bytes.upper()
