"""Arithmetic as people write it, turned into the notation that `arithmetic` reads: "15% of 1,200" → "percent(15)*1200"."""

from __future__ import annotations

import re

from agents_app.tools.arithmetic import FUNCTIONS, MAX_CHARS, too_long

NUMBER = r"(?<![\d.])(?:\d+(?:\.\d*)?|\.\d+)"
NAMES = "|".join(FUNCTIONS)

GROUPED_NUMBERS = re.compile(rf"(?P<call>\b(?:{NAMES})\s*)?\(|\)|(?<![\w.,])\d[\d.,]*\d", re.IGNORECASE)
GERMAN = re.compile(r"\d{1,3}(\.\d{3})+,\d+")
THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
DECIMAL_COMMA = re.compile(r"\d+,\d+")

# In this order: each counts on the ones before it.
REWRITES = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"^\s*(?:please\s+)?(?:what(?:'s|’s| is)|how much is|calculate|compute|work out)\b[:\s]*", ""),
        (r"[=?\s]+$", ""),
        (r"[$€£¥]", ""),
        (r"(?<=\d)['’\u00a0\u2009\u202f ](?=\d{3}(?!\d))", ""),  # 1'234 567
        (r"\b(?:raised )?to the power(?: of)?\b|\^", "**"),
        (r"\bmultiplied (?:by|with)\b|\btimes\b|[×·⋅∙]", "*"),
        (r"(?<=[\d)])\s*x\s*(?=[\d(.])", "*"),
        (r"\bdivided by\b|\bover\b|[÷∕]", "/"),
        (r"\bplus\b", "+"),
        (r"\bminus\b|[−–—]", "-"),
        (r"\bsquared\b|²", "**2"),
        (r"\bcubed\b|³", "**3"),
        (r"\b(?:the )?(?:square )?root of\b|√", "sqrt "),
        (r"\b(?:the )?factorial of\b", "factorial "),
        (r"\bmod(?:ulo)?\b", "%"),
        (r"\bper ?cent\b", "%"),
        (r"π", "pi"),
        (rf"\b({NAMES})\s+({NUMBER})", r"\1(\2)"),
        (rf"({NUMBER})\s*!", r"factorial(\1)"),
        (rf"({NUMBER})\s*%\s*off\b(?: of\b)?", r"(1-percent(\1))*"),
        (rf"({NUMBER})\s*%\s*of\b", r"percent(\1)*"),
        # "80 + 15%" and "15% - 5" are percentages, "17 % 5" and "17 % -5" remainders.
        (rf"({NUMBER})%(?=\s*(?:[-+*/),]|$))", r"percent(\1)"),
        (rf"({NUMBER})\s+%(?=\s*(?:[*/),]|$))", r"percent(\1)"),
        (r"\bof\b", "*"),
        (rf"(?<![\w.])({NUMBER})\s*(?=\(|pi\b)", r"\1*"),  # 2(3 + 4), 2pi
        (r"\)\s*\(", ")*("),
    )
)


def as_notation(text: str) -> str:
    """Raises `BadArithmetic` for a text that is too long to look through."""
    if len(text) > MAX_CHARS:
        raise too_long()
    text = _plain_numbers(text)
    for pattern, replacement in REWRITES:
        text = pattern.sub(replacement, text)
    return text.strip()


def _plain_numbers(text: str) -> str:
    """Takes the commas out of numbers. In a function's arguments, as in `max(1,200)`, they part the arguments and stay."""
    in_call: list[bool] = []

    def plain(found: re.Match[str]) -> str:
        token = found[0]
        if token == ")":  # noqa: S105  (a bracket, not a password)
            in_call[-1:] = []
        elif token.endswith("("):
            in_call.append(bool(found["call"]))
        elif not (in_call and in_call[-1]):
            return _plain_number(token)
        return token

    return GROUPED_NUMBERS.sub(plain, text)


def _plain_number(number: str) -> str:
    if GERMAN.fullmatch(number):
        return number.replace(".", "").replace(",", ".")
    if THOUSANDS.fullmatch(number):
        return number.replace(",", "")
    return number.replace(",", ".") if DECIMAL_COMMA.fullmatch(number) else number
