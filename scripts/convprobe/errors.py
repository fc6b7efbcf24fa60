"""The one exception that is shown to a user without a traceback."""


class InputError(ValueError):
    """A mistake in what the user gave: a config, a file, a data set.

    Its message is one clear line: the key or file, what was found, what was expected.
    """
