"""Identifiers of parties: checked with python-stdnum, looked up by HMAC so that no number is in the database."""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Callable

from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from tongban.domain.party.events import IdentifierKind

# Residents of Hong Kong (81), Macao (82) and Taiwan (83) bear numbers of the GB 11643 form whose region python-stdnum
# does not know.
_RESIDENT_OF_OTHER_REGION = re.compile(r"8[123]0000\d{11}[0-9X]")
_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")  # ICAO 9303 has nine characters; some states print more


def normalise(identifier: str) -> str:
    """The one spelling of an identifier: full-width forms folded (NFKC), spaces and hyphens out, upper case."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", identifier)).upper()


def problem_with(kind: IdentifierKind, identifier: str) -> str | None:
    """What is wrong with a normalised identifier of this kind, or None. Never repeats the number."""
    match kind:
        case IdentifierKind.CITIZEN_ID | IdentifierKind.RESIDENCE_PERMIT:
            if _RESIDENT_OF_OTHER_REGION.fullmatch(identifier):
                return _problem_with_other_region(identifier)
            if kind is IdentifierKind.RESIDENCE_PERMIT:
                return "not of the form 81/82/83 0000, birth date, three digits, check digit"
            return _by_stdnum(ric.validate, identifier)
        case IdentifierKind.USCC:
            return _by_stdnum(uscc.validate, identifier)
        case IdentifierKind.PASSPORT:
            return None if _PASSPORT.fullmatch(identifier) else "not 5 to 20 letters and digits"


def _problem_with_other_region(identifier: str) -> str | None:
    try:
        ric.get_birth_date(identifier)
    except ValidationError:
        return "the birth date does not exist"
    return None if ric.calc_check_digit(identifier) == identifier[-1] else "the check digit is wrong"


def _by_stdnum(validate: Callable[[str], str], identifier: str) -> str | None:
    try:
        validate(identifier)
    except ValidationError as error:
        return str(error)
    return None


def identifier_digest(pepper: bytes, kind: IdentifierKind, identifier: str) -> bytes:
    """HMAC-SHA-256 of a normalised identifier under the secret pepper (32 bytes).

    Citizen and residence-permit numbers are one number space, so one person is found under either kind.
    """
    space = IdentifierKind.CITIZEN_ID if kind is IdentifierKind.RESIDENCE_PERMIT else kind
    return hmac.digest(pepper, f"{space}:{identifier}".encode(), "sha256")
