"""The tool `calculate`."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

from agents_app.base import ToolError, ToolResult, Turn, tool
from agents_app.tools.arithmetic import BadArithmetic, Value, evaluate
from agents_app.tools.arithmetic_words import as_notation

DIGITS = 12  # of results that do not come out even
PLAIN_DIGITS = 15
MAX_WHOLE_DIGITS = 200


@tool
async def calculate(turn: Turn, expression: str) -> ToolResult:
    """Work out arithmetic exactly. Use it for every calculation, however small, instead of doing it in your head.

    Takes numbers, + - * / // % ** and brackets, percentages such as "15% of 80" or "80 + 15%", and the functions sqrt,
    cbrt, round, floor, ceil, abs, min, max, sum, mean, gcd, lcm, factorial, exp, ln, log (natural; log(x, base)), log2,
    log10, sin, cos, tan, asin, acos, atan (radians), degrees, radians, hypot, with pi, e and tau.
    Pass only the expression, for example "1200 * 1.19 ** 3".
    """
    if not expression.strip():
        raise ToolError("There is nothing to calculate: give an expression such as 12 * 7.")
    try:
        value = evaluate(as_notation(expression))
    except BadArithmetic as error:
        raise ToolError(str(error)) from None
    result, exact = _written(value)
    asked = expression.strip().rstrip("=? ")
    return ToolResult(
        f"{asked} {'=' if exact else '≈'} {result}", {"expression": asked, "result": result, "exact": exact}
    )


def _written(value: Value) -> tuple[str, bool]:
    """The value in digits, and whether these are all of them."""
    if isinstance(value, Fraction) and value.denominator == 1 and abs(value) < 10**MAX_WHOLE_DIGITS:
        return str(value.numerator), True
    with localcontext(prec=DIGITS):
        top, bottom = value.as_integer_ratio()
        digits = (Decimal(top) / Decimal(bottom)).normalize()
    return _plain(digits), isinstance(value, Fraction) and Fraction(digits) == value


def _plain(digits: Decimal) -> str:
    if -7 <= digits.adjusted() < PLAIN_DIGITS:
        return f"{digits:f}"
    mantissa, power = f"{digits:e}".split("e")
    return f"{mantissa} × 10^{int(power)}"
