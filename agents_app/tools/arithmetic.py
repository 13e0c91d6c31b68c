"""Evaluates arithmetic without `eval`: exactly, with fractions, as long as it can; within limits that end every sum at once.

A value is a `Fraction` (exact) or a `float` (after a square root, a sine, or when the fraction becomes too long).
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction

Value = Fraction | float

MAX_CHARS = 1_000
NOTATION_MAX_CHARS = 5_000  # "5!" becomes "factorial(5)"
MAX_DEPTH = 300
MAX_BITS = 10_000  # of a numerator or denominator: about 3,000 digits
MAX_FACTORIAL = 1_000


class BadArithmetic(ValueError):
    """It cannot be worked out. The text says why."""


def evaluate(notation: str) -> Value:
    """The value of an expression in Python's notation. Raises `BadArithmetic` only."""
    if len(notation) > NOTATION_MAX_CHARS:
        raise too_long()
    try:
        tree = ast.parse(notation, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: too many brackets
        raise BadArithmetic("I cannot read that as arithmetic.") from None
    try:
        return _value(tree.body, notation, MAX_DEPTH)
    except RecursionError:
        raise _too_deep() from None
    except ZeroDivisionError:
        raise BadArithmetic("That divides by zero, which has no result.") from None
    except OverflowError:
        raise _too_large() from None


def _value(node: ast.expr, source: str, depth: int) -> Value:  # noqa: C901  (one branch for each kind of node)
    if not depth:
        raise _too_deep()
    match node:
        case ast.Constant():
            return _number(ast.get_source_segment(source, node) or "")
        case ast.Name(id=name) if name.lower() in CONSTANTS:
            return CONSTANTS[name.lower()]
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() as sign, operand=operand):
            value = _value(operand, source, depth - 1)
            return -value if isinstance(sign, ast.USub) else value
        case ast.BinOp(op=op, left=left, right=right) if type(op) in OPERATORS:
            first, second = _value(left, source, depth - 1), _value(right, source, depth - 1)
            if isinstance(op, ast.Add | ast.Sub) and _is_percent(right) and not _is_percent(left):
                second = first * second  # 80 + 15% is 15 % more than 80
            return _bounded(OPERATORS[type(op)](first, second))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name.lower() in FUNCTIONS:
            return _call(name.lower(), [_value(arg, source, depth - 1) for arg in args])
        case ast.Call(func=ast.Name(id=name)) | ast.Name(id=name):
            raise BadArithmetic(f"I do not know “{name[:40]}”. I know {', '.join(sorted(FUNCTIONS))}, pi, e and tau.")
    raise BadArithmetic("I only work out numbers with + - * / // % ** and functions such as sqrt.")


def _number(text: str) -> Fraction:
    """From the text as written, so that 0.1 is a tenth. The exponent is looked at first: 1e999999999 fills the memory."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadArithmetic(f"“{text}” is not a decimal number.") from None
    if not number:
        return Fraction(0)
    if abs(number.adjusted()) > MAX_BITS // 4:
        raise _too_large()
    return Fraction(number)


def _is_percent(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "percent"


def _bounded(value: Value | complex) -> Value:
    if isinstance(value, complex):
        raise BadArithmetic("That has no real result.")
    if isinstance(value, Fraction):
        if value.numerator.bit_length() <= MAX_BITS and value.denominator.bit_length() <= MAX_BITS:
            return value
        if value.denominator == 1:
            raise _too_large()
        value = float(value)
    if not math.isfinite(value):
        raise _too_large()
    return value


def _power(base: Value, exponent: Value) -> Value | complex:
    if exponent == Fraction(1, 2) and base >= 0:
        return _sqrt(base)
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if bits * abs(exponent.numerator) <= MAX_BITS or abs(base) in (0, 1):
            return base**exponent.numerator
        if base.denominator == 1 and exponent > 0:
            raise _too_large()
    return float(base) ** float(exponent)


def _call(name: str, values: list[Value]) -> Value:
    try:
        return _bounded(FUNCTIONS[name](*values))
    except TypeError:
        raise BadArithmetic(f"{name} takes another number of values.") from None
    except ValueError as error:
        if isinstance(error, BadArithmetic):
            raise
        raise BadArithmetic(f"{name} has no real result there.") from None


def too_long() -> BadArithmetic:
    return BadArithmetic(f"That is too long: at most {MAX_CHARS} characters.")


def _too_deep() -> BadArithmetic:
    return BadArithmetic("That is nested too deeply.")


def _too_large() -> BadArithmetic:
    return BadArithmetic("The result is too large, or too small, to write down.")


def _whole(value: Value, name: str) -> int:
    if value != int(value):
        raise BadArithmetic(f"{name} needs whole numbers.")
    return int(value)


def _sqrt(value: Value) -> Value:
    """Exact where it can be: sqrt(16), sqrt(2.25)."""
    if isinstance(value, Fraction) and value >= 0:
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if top * top == value.numerator and bottom * bottom == value.denominator:
            return Fraction(top, bottom)
    return math.sqrt(value)


def _round(value: Value, digits: Value = Fraction(0)) -> Value:
    """Half goes away from zero, as people learn it, and not to the even neighbour as in Python."""
    places = _whole(digits, "round")
    if abs(places) > 100:
        raise BadArithmetic("round takes at most 100 digits.")
    scaled = Fraction(value) * Fraction(10) ** places
    rounded = math.floor(abs(scaled) + Fraction(1, 2))
    return (-rounded if scaled < 0 else rounded) / Fraction(10) ** places


def _factorial(value: Value) -> Value:
    number = _whole(value, "factorial")
    if not 0 <= number <= MAX_FACTORIAL:
        raise BadArithmetic(f"factorial takes whole numbers from 0 to {MAX_FACTORIAL}.")
    return Fraction(math.factorial(number))


def _sum(first: Value, *rest: Value) -> Value:
    for value in rest:  # bounded at each step: denominators multiply
        first = _bounded(first + value)
    return first


def _lcm(*values: Value) -> Value:
    multiple = Fraction(1)
    for value in values:
        multiple = Fraction(math.lcm(multiple.numerator, _whole(value, "lcm")))
        _bounded(multiple)
    return multiple


def _around_zero(function: Callable[[float], float]) -> Callable[[Value], float]:
    """sin(pi) is 0 and not 1.2e-16: pi itself is known to 16 digits only."""
    return lambda value: round(function(float(value)), 15)


def _log(value: Value, base: Value | None = None) -> float:
    return math.log(value) if base is None else math.log(value) / math.log(base)


CONSTANTS: dict[str, Value] = {"pi": math.pi, "e": math.e, "tau": math.tau}

OPERATORS: dict[type[ast.operator], Callable[[Value, Value], Value | complex]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda first, second: Fraction(math.floor(first / second)),
    ast.Mod: operator.mod,
    ast.Pow: _power,
}

FUNCTIONS: dict[str, Callable[..., Value]] = {
    "percent": lambda value: value / 100,
    "sqrt": _sqrt,
    "cbrt": math.cbrt,
    "abs": abs,
    "round": _round,
    "floor": lambda value: Fraction(math.floor(value)),
    "ceil": lambda value: Fraction(math.ceil(value)),
    "min": lambda first, *rest: min(first, *rest) if rest else first,
    "max": lambda first, *rest: max(first, *rest) if rest else first,
    "sum": _sum,
    "mean": lambda first, *rest: _sum(first, *rest) / (1 + len(rest)),
    "gcd": lambda *values: Fraction(math.gcd(*(_whole(value, "gcd") for value in values))),
    "lcm": _lcm,
    "factorial": _factorial,
    "exp": math.exp,
    "ln": _log,
    "log": _log,
    "log2": math.log2,
    "log10": math.log10,
    "sin": _around_zero(math.sin),
    "cos": _around_zero(math.cos),
    "tan": _around_zero(math.tan),
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "degrees": math.degrees,
    "radians": math.radians,
    "hypot": math.hypot,
}
