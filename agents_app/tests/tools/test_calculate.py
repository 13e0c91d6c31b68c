from __future__ import annotations

import asyncio
import math
import time
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents_app.base import ToolError
from agents_app.tools import calculate
from agents_app.tools.arithmetic import CONSTANTS, FUNCTIONS, BadArithmetic, evaluate
from agents_app.tools.arithmetic_words import as_notation


async def test_it_works():
    found = await calculate(None, expression="(2 + 3) * 4")
    assert found.text == "(2 + 3) * 4 = 20"
    assert found.facts == {"expression": "(2 + 3) * 4", "result": "20", "exact": True}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        # exact, without the noise of binary fractions
        ("0.1 + 0.2", "0.3"),
        ("1.1 * 1.1", "1.21"),
        ("1/3 + 1/6", "0.5"),
        ("1 - 0.9", "0.1"),
        ("100 * 1.19 ** 3", "168.5159"),
        ("2 ** 100", "1267650600228229401496703205376"),
        ("7 // 2", "3"),
        ("-7 // 2", "-4"),
        ("17 % 5", "2"),
        ("17 % -5", "-3"),
        ("2 ** -2", "0.25"),
        ("-2 ** 2", "-4"),
        ("1e3", "1000"),
        ("0", "0"),
        ("0e999999999", "0"),
        ("10 ** 20 + 1", "100000000000000000001"),
        # functions
        ("sqrt(16)", "4"),
        ("SQRT(2.25)", "1.5"),
        ("16 ** 0.5", "4"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(3.14159, 2)", "3.14"),
        ("round(1234, -2)", "1200"),
        ("floor(-1.5) + ceil(1.2)", "0"),
        ("min(3, 1, 2) + max(4, 5) + abs(-6)", "12"),
        ("sum(1, 2, 3) + mean(1, 2, 3)", "8"),
        ("gcd(12, 18) + lcm(4, 6)", "18"),
        ("factorial(5)", "120"),
        ("20!", "2432902008176640000"),
        # percentages
        ("15% of 80", "12"),
        ("15 % of 80", "12"),
        ("15 percent of 1,200", "180"),
        ("80 + 15%", "92"),
        ("200 - 10% - 5%", "171"),
        ("15% + 5%", "0.2"),
        ("20% off 80", "64"),
        ("50%", "0.5"),
        ("(50% of 10) * 2", "10"),
        # as people write it
        ("3 × 4 ÷ 2", "6"),
        ("3 x 4", "12"),
        ("2^10", "1024"),
        ("7 − 5", "2"),
        ("3 times 4 plus 5 minus 2", "15"),
        ("10 divided by 4", "2.5"),
        ("6 multiplied by 7", "42"),
        ("2 to the power of 8", "256"),
        ("5 squared", "25"),
        ("5²", "25"),
        ("√16 + the square root of 9", "7"),
        ("17 mod 5", "2"),
        ("what is 2 + 2?", "4"),
        ("How much is 2+2 =", "4"),
        ("2(3 + 4)", "14"),
        ("(1 + 2)(3 + 4)", "21"),
        ("$1,234.50 * 2", "2469"),
        ("1,234,567 + 1", "1234568"),
        ("1 234 567 + 1", "1234568"),
        ("1'234 + 1", "1235"),
        ("1.234,5 + 1", "1235.5"),
        ("3,5 + 1", "4.5"),
        ("max(1,200)", "200"),
        ("max((1,200), 3)", "1200"),
        ("1_000 + 1", "1001"),
    ],
)
async def test_results_that_come_out_even(expression, result):
    found = await calculate(None, expression=expression)
    assert (found.facts["result"], found.facts["exact"]) == (result, True)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("10 / 3", "3.33333333333"),
        ("sqrt(2)", "1.41421356237"),
        ("2 * pi", "6.28318530718"),
        ("2π", "6.28318530718"),
        ("sin(pi)", "0"),
        ("cos(0)", "1"),
        ("tan(pi/4)", "1"),
        ("ln(e)", "1"),
        ("log(8, 2)", "3"),
        ("log10(1000)", "3"),
        ("exp(1)", "2.71828182846"),
        ("cbrt(27)", "3"),
        ("degrees(pi)", "180"),
        ("hypot(3, 4)", "5"),
        ("1000 * (1 + 0.0375/12) ** 240", "2114.52576062"),
        ("2 ** 0.5", "1.41421356237"),
        ("1.000123 ** 36500", "89.0523071957"),
        ("1/3 * 10 ** -20", "3.33333333333 × 10^-21"),
        ("2.5 ** 300", "2.4099198651 × 10^119"),
        ("9 ** 300", "1.87392770388 × 10^286"),
    ],
)
async def test_results_that_are_rounded_say_so(expression, result):
    found = await calculate(None, expression=expression)
    assert (found.facts["result"], found.facts["exact"]) == (result, False)
    assert "≈" in found.text


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "nothing to calculate"),
        ("hello world", "cannot read"),
        ("1 +", "cannot read"),
        ("1 / 0", "divides by zero"),
        ("5 % 0", "divides by zero"),
        ("0 ** -1", "divides by zero"),
        ("9 ** 9 ** 9", "too large"),
        ("9 ** 9 ** 9 ** 9", "too large"),
        ("2 ** 1e30", "too large"),
        ("1e999999999", "too large"),
        ("1e-999999999", "too large, or too small"),
        ("10.5 ** 4000 * 1.5", "too large"),
        ("exp(1000)", "too large"),
        ("factorial(100000)", "from 0 to 1000"),
        ("factorial(2.5)", "whole numbers"),
        ("factorial(-1)", "from 0 to 1000"),
        ("sqrt(-1)", "no real result"),
        ("(-8) ** 0.3", "no real result"),
        ("log(0)", "no real result"),
        ("asin(2)", "no real result"),
        ("round(1, 1000)", "at most 100"),
        ("sqrt()", "another number of values"),
        ("sqrt(1, 2)", "another number of values"),
        ("open('x')", "do not know “open”"),
        ("__import__('os').system('ls')", "only work out numbers"),
        ("(1).__class__", "only work out numbers"),
        ("[1, 2]", "only work out numbers"),
        ("1 if 1 else 2", "only work out numbers"),
        ("1 < 2", "only work out numbers"),
        ("lambda: 1", "only work out numbers"),
        ("1,2,3", "only work out numbers"),
        ("x + 1", "do not know “x”"),
        ("'a' * 10", "not a decimal number"),
        ("True + 1", "not a decimal number"),
        ("3j", "not a decimal number"),
        ("sqrt(x=4)", "do not know|only work out"),
        ("max(*(1, 2))", "only work out numbers"),
        ("1" * 2000, "too long"),
        ("(" * 400 + "1" + ")" * 400, "cannot read|nested"),
        ("-" * 900 + "1", "cannot read|nested"),
        ("\0", "cannot read"),
    ],
)
async def test_what_cannot_be_worked_out_says_why(expression, why):
    with pytest.raises(ToolError, match=why):
        await calculate(None, expression=expression)


async def test_a_long_sum_is_no_deep_nesting():
    assert (await calculate(None, expression=" + ".join(["1.25"] * 140))).facts["result"] == "175"


@pytest.mark.parametrize(
    "expression",
    [
        "sum(" + ",".join(f"{prime}**-2000" for prime in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41) * 6) + ")",
        "lcm(" + ",".join(f"{n}**3000" for n in range(3, 9) for _ in range(8)) + ")",
        "*".join(["factorial(1000)"] * 50),
        "**".join(["9"] * 300),
        "factorial(" * 20 + "3" + ")" * 20,
        "round(1/3**6000, 100)" + "+1/7**3000" * 60,
        "max(" * 90 + "1" + ")" * 90,
    ],
)
async def test_nothing_takes_long(expression):
    start = time.monotonic()
    try:
        await calculate(None, expression=expression)
    except ToolError:
        pass
    assert time.monotonic() - start < 10


numbers = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.decimals(-1000, 1000, places=3).map(str),
    st.sampled_from(["9", "99", "1e9", "1e300", "1e-300", "0.1", "0", "999999999999", *CONSTANTS]),
)
sums = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "^", " x ", "% of "]), inner).map(
            "".join
        ),
        st.tuples(st.sampled_from(sorted(FUNCTIONS)), st.lists(inner, max_size=3)).map(
            lambda call: f"{call[0]}({','.join(call[1])})"
        ),
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map("{}!".format),
        inner.map("{}%".format),
    ),
    max_leaves=12,
)


@settings(deadline=2000, max_examples=300)
@given(st.one_of(sums, st.text("0123456789+-*/%^().,e!√π x×÷of\0 sqrtnlgam'[]{}", max_size=40), st.text(max_size=60)))
@example("9**9**9**9")
@example("1e308*10")
@example("(-1)**1e-5")
@example("1e300//1e-300")
def test_it_never_hangs_and_raises_nothing_but_tool_errors(expression):
    try:
        found = asyncio.run(calculate(None, expression=expression))
    except ToolError as error:
        assert str(error)
    else:
        assert found.facts["result"] not in ("nan", "inf", "-inf")
        assert len(found.facts["result"]) < 300


@given(st.fractions(max_denominator=1000), st.fractions(max_denominator=1000))
def test_sums_are_exact(first, second):
    assert evaluate(f"({first}) + ({second})") == first + second
    assert evaluate(f"({first}) * ({second})") == first * second


@given(st.integers(0, 10**12))
def test_thousands_separators_change_nothing(number):
    assert evaluate(as_notation(f"{number:,} + 0.5")) == number + Fraction(1, 2)


def test_only_its_own_error_comes_out_of_the_evaluator():
    with pytest.raises(BadArithmetic):
        evaluate("sqrt(-1)")
    assert math.isclose(float(evaluate("log(100, 10)")), 2)


def test_its_description_tells_a_model_what_it_needs():
    assert calculate.name == "calculate"
    assert calculate.parameters["required"] == ["expression"]
    assert "every calculation" in calculate.description
