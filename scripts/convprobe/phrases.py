"""Numbers as the sentences on the page, in figures and on the card have them."""


def percent(share: float, digits: int = 1) -> str:
    """A share in per cent; no line begins with the sign."""
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def points(change: float) -> str:
    """A change of a share in percentage points, with its sign."""
    return f"{100 * change:+.1f}".replace("-", "\N{MINUS SIGN}")


def p_value(value: float) -> str:
    """As `p = 0.031`."""
    return (
        f"p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{value:.2g}"
        if value >= 0.0001
        else "p\N{NO-BREAK SPACE}< 0.0001"
    )
