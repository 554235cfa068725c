"""The codes of a service item: base code 12, implementation code 31, handling-item code 33 (GB/T 39554.1-2020)."""

from __future__ import annotations

import re

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_BASE = re.compile(r"\d{12}", re.ASCII)
_ITEM = re.compile(r"[0-9A-Z]{18}[1-7]\d{12}", re.ASCII)
_HANDLING = re.compile(r"\d{2}", re.ASCII)


def is_uscc(code: str) -> bool:
    """Whether a unified social credit code ends in the right check character (GB 32100: weights 3^i mod 31)."""
    if len(code) != 18 or not set(code) <= set(_USCC_ALPHABET):
        return False
    weighted = sum(_USCC_ALPHABET.index(sign) * pow(3, place, 31) for place, sign in enumerate(code[:17]))
    return _USCC_ALPHABET[-weighted % 31] == code[17]


def base_code_problem(code: str, item_type: str) -> str | None:
    """What is wrong with a base code: province 2, type of item 2, main item 5, sub-item 3."""
    if not _BASE.fullmatch(code):
        return "12 digits are required"
    return None if code[2:4] == item_type else "digits 3 and 4 are not the type of the item"


def item_code_problem(code: str, base_code: str, level: str) -> str | None:
    """What is wrong with an implementation code: body's credit code 18, exercise level 1, base code 12."""
    if not _ITEM.fullmatch(code):
        return "a credit code, a level and a base code are required, 31 characters in all"
    if not is_uscc(code[:18]):
        return "the check character of the body's credit code is wrong"
    if code[18] != level:
        return "character 19 is not the exercise level"
    return None if code[19:] == base_code else "it does not end in the base code"


def handling_code_problem(code: str, item_code: str) -> str | None:
    """What is wrong with a handling-item code: implementation code 31 and two digits."""
    if code.startswith(item_code) and _HANDLING.fullmatch(code.removeprefix(item_code)):
        return None
    return "the implementation code with two more digits is required"
