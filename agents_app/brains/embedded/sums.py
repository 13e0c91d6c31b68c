"""Finds the arithmetic in a sentence."""

from __future__ import annotations

import re

from agents_app.tools.arithmetic import BadArithmetic, evaluate
from agents_app.tools.arithmetic_words import as_notation

OPERATION = re.compile(
    r"[-+*/×x÷^%!√]|\*\*|\b(sqrt|log|sin|cos|tan|max|min|sum|percent|times|plus|minus|over|by|of|squared)\b",
    re.IGNORECASE,
)
CALCULATES = re.compile(
    r"\b(what('s|’s| is| are)|how much( is| are)?|calculate|compute|solve|work out|evaluate)\b", re.IGNORECASE
)
POLITE = re.compile(r"^\W*please\b|[,\s]*\bplease\b|[=?\s]+$", re.IGNORECASE)
EXPRESSION = re.compile(r"[(\d√][\d\s.,+\-*/x×÷^%!()²³]*[\d)%!²³]")


def find_expression(text: str) -> str:
    """The arithmetic in a sentence: the whole of it, or the part in digits where it is a sum one asks for."""
    plain = POLITE.sub("", text).strip()
    begins = CALCULATES.match(plain)
    candidates = [plain[begins.end() :] if begins else plain]
    if CALCULATES.search(text) or text.rstrip(" ?").endswith("="):
        candidates += sorted(EXPRESSION.findall(text), key=len, reverse=True)
    return next((candidate.strip() for candidate in candidates if _is_arithmetic(candidate)), "")


def _is_arithmetic(text: str) -> bool:
    if not re.search(r"\d", text) or not OPERATION.search(text.strip().lstrip("-+")):
        return False
    try:
        evaluate(as_notation(text))
    except BadArithmetic as error:
        return "zero" in str(error)  # 1 / 0 is arithmetic, and the tool says what is wrong with it
    return True
