"""A router: short words to one port, long ones to the other, three letters to both."""

import torvyn


@torvyn.router
def route(element):
    size = len(element.text.strip())
    if size == 0:
        raise torvyn.InvalidInput("no word")
    return ["short", "long"] if size == 3 else "short" if size < 3 else "long" if size < 9 else None
