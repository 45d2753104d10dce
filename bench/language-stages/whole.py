"""A function of the whole run."""

import torvyn


@torvyn.batch_processor
def whole(run):
    run.emit(run.bytes.upper())
