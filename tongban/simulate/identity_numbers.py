"""Identifiers that are valid and belong to nobody.

Citizens were born from 1850 to 1899. Organisations have an organisation code that begins with XX, as the sample
departments have. Passports begin with UTO, the state of Utopia of ICAO 9303's specimens.
"""

from __future__ import annotations

from datetime import date, timedelta

from stdnum.cn import ric, uscc

from tongban.simulate.randomness import scattered

# GB/T 2260. Citizens: districts, some of them former ones, that are older than the births (Pudong, for one, is not).
_OLD_DISTRICTS = tuple(str(code) for code in range(310101, 310111))
_DISTRICTS = (
    *("310101", "310104", "310105", "310106", "310107", "310109", "310110", "310112"),
    *("310113", "310114", "310115", "310116", "310117", "310118", "310120", "310151"),
)
_OTHER_REGIONS = ("810000", "820000", "830000")  # Hong Kong, Macao, Taiwan
_FIRST_BIRTHDAY = date(1850, 1, 1)
_BIRTHDAYS = (date(1900, 1, 1) - _FIRST_BIRTHDAY).days
_SEQUENCES = 999  # 001 to 999; odd for men, even for women
_ORGANISATIONS = 1_000_000
_PASSPORTS = 1_000_000
_GB_11714_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def citizen_id(seed: int, index: int) -> str:
    """公民身份号码 (GB 11643) of the `index`-th citizen."""
    return _personal(seed, "citizen", index, _OLD_DISTRICTS)


def residence_permit(seed: int, index: int) -> str:
    """港澳台居民居住证号码 of the `index`-th resident of another region."""
    return _personal(seed, "resident", index, _OTHER_REGIONS)


def passport(seed: int, index: int) -> str:
    """A passport number (nine characters, ICAO 9303) of the `index`-th foreigner."""
    return f"UTO{scattered(seed, 'passport', index, _PASSPORTS):06d}"


def credit_code(seed: int, index: int) -> str:
    """统一社会信用代码 (GB 32100) of the `index`-th enterprise, registered in a district of Shanghai."""
    district, serial = divmod(scattered(seed, "organisation", index, len(_DISTRICTS) * _ORGANISATIONS), _ORGANISATIONS)
    organisation = f"XX{serial:06d}"
    number = f"91{_DISTRICTS[district]}{organisation}{_organisation_check(organisation)}"
    return number + str(uscc.calc_check_digit(number))


def is_man(number: str) -> bool:
    """Whether a citizen id or residence permit is a man's."""
    return int(number[16]) % 2 == 1


def _personal(seed: int, name: str, index: int, areas: tuple[str, ...]) -> str:
    rest, sequence = divmod(scattered(seed, name, index, len(areas) * _BIRTHDAYS * _SEQUENCES), _SEQUENCES)
    area, days = divmod(rest, _BIRTHDAYS)
    number = f"{areas[area]}{_FIRST_BIRTHDAY + timedelta(days):%Y%m%d}{sequence + 1:03d}"
    return number + str(ric.calc_check_digit(number + "?"))  # takes a whole number, and leaves out its last sign


def _organisation_check(organisation: str) -> str:
    total = sum(weight * int(sign, 36) for weight, sign in zip(_GB_11714_WEIGHTS, organisation, strict=True))
    check = 11 - total % 11
    return {10: "X", 11: "0"}.get(check, str(check))
