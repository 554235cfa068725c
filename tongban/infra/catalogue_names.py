"""Names of departments and licence types for the read side, from the reference data."""

from __future__ import annotations

from tongban.infra.reference import Reference


class CatalogueNames:
    """Implements `graphql.context.Names`."""

    def __init__(self, reference: Reference) -> None:
        """`reference` is loaded once (`load_reference`)."""
        self._reference = reference

    def department(self, code: str, lang: str) -> str | None:
        """The name of a department in `zh-Hans` or `en`; None if there is none."""
        found = self._reference.departments.get(code)
        return _pick(found.name_zh, found.name_en, lang) if found else None

    def licence_type(self, code: str, lang: str) -> str | None:
        """The name of a type of licence in `zh-Hans` or `en`; None if there is none."""
        found = self._reference.licence_types.get(code)
        return _pick(found.name_zh, found.name_en, lang) if found else None


def _pick(zh: str, en: str, lang: str) -> str:
    return en if lang == "en" else zh
