"""How numbers are written in sentences: on the page, in figures and on the card."""

SPACE = "\N{NO-BREAK SPACE}"  # no line begins with a sign or breaks within an equation
MINUS = "\N{MINUS SIGN}"
LEAST_P_VALUE = 0.0001  # smaller ones are not told apart


def percent(share: float, digits: int = 1) -> str:
    """A share in per cent."""
    return f"{100 * share:.{digits}f}{SPACE}%"


def points(change: float) -> str:
    """A change of a share in percentage points, with its sign."""
    return f"{100 * change:+.1f}".replace("-", MINUS)


def p_value(value: float) -> str:
    """As `p = 0.031`."""
    if value < LEAST_P_VALUE:
        return f"p{SPACE}< {LEAST_P_VALUE}"
    return f"p{SPACE}={SPACE}{value:.2g}"
