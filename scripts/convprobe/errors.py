"""Errors that a user is shown in one line, without a traceback."""

# How PyTorch, oneDNN and the system say that there is no memory left, on a GPU or a CPU.
OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "could not create a primitive",
)
LONGEST_REASON = 100  # characters


class InputError(ValueError):
    """A mistake in what the user gave: a config, a file, a data set.

    Its message is one clear line: the key or file, what was found, what was expected.
    """


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error of Python, PyTorch or one of its libraries means that memory ran out."""
    if isinstance(error, MemoryError):
        return True
    message = str(error)
    return any(words in message for words in OUT_OF_MEMORY)


def short_reason(error: BaseException) -> str:
    """The first line of an error's message, cut to a readable length."""
    message = str(error) or type(error).__name__
    first_line = message.partition("\n")[0]
    return first_line[:LONGEST_REASON]
