"""What a stage may say went wrong: one exception for each case of the contract's `process-error`."""

import os


class ProcessError(Exception):
    """An error about one element. What becomes of the element is for the node's `on_error` to say; the stage lives on."""

    case = "internal"

    def __init__(self, message: str = "", *, index: int | None = None) -> None:
        """`index`: the element of the run, in a whole-run function; outputs emitted for those before it stand."""
        super().__init__(message)
        self.index = index


class InvalidInput(ProcessError):
    """This element is not what the stage can work on. Asking again would not help."""

    case = "invalid-input"


class Unavailable(ProcessError):
    """Not now: something the stage needs is away. It is asked again. From a source: nothing yet."""

    case = "unavailable"


class Internal(ProcessError):
    """The stage failed on this element. Any other exception that leaves a stage arrives as this one."""

    case = "internal"


class DeadlineExceeded(ProcessError):
    """The element's deadline has passed."""

    case = "deadline-exceeded"


class Fatal(ProcessError):
    """The stage cannot go on. The flow ends."""

    case = "fatal"


_SDK_FOLDER = os.path.dirname(os.path.abspath(__file__))


def as_process_error(error: BaseException, root: str) -> ProcessError:
    """`error` itself where it is one; else an Internal with its message and its place in the author's source below `root`."""
    if isinstance(error, ProcessError):
        return error
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if place := place_of(error, root):
        message += f" ({place})"
    return Internal(message)


def place_of(error: BaseException, root: str) -> str:
    """Where the author's code was when `error` left it: "shout.py:8, in shout"; "" if it was nowhere there."""
    place = ""
    frame = error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        path = os.path.normpath(code.co_filename)
        if path.startswith(root + os.sep) and os.path.dirname(path) != _SDK_FOLDER:
            place = f"{path[len(root) + 1:]}:{frame.tb_lineno}, in {code.co_qualname}"
        frame = frame.tb_next
    return place
