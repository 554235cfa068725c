"""Which materials need not be brought, whom to ask about them, and what the answers come to (免于提交).

In: the definition of the item version in force, the applicant's answers, what was claimed and what sources said. Out:
questions to sources, how each material is met, and the evidence of an application. Pure; asking is done elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from tongban.domain.case.commands import How, MaterialOffered
from tongban.domain.errors import RuleBroken
from tongban.domain.recorded import Evidence
from tongban.domain.sharing.events import ExchangeResult

ASKED = frozenset({How.E_LICENCE, How.DATA_SHARING, How.ONLINE_AUTHORISATION})
"""The means that rest on what a source says; the others rest on the applicant's word or paper."""

NOT_CONNECTED = "NOT_CONNECTED"


class MaterialNotMet(RuleBroken):
    """A source does not have what it was named for: upload these materials instead."""

    zh = "数据源未能提供所列材料, 请改为上传。"


class UploadUnknown(RuleBroken):
    """An uploaded material names no stored upload of this applicant: upload it first and name its ref."""

    zh = "所引用的上传文件不存在, 请先上传材料。"


class Need(NamedTuple):
    """One material of an item: how the guide says that it is met, and which source knows of it, if any."""

    material: str
    how: How
    licence_type: str | None
    source: str | None
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a source vouches for. `version` and `as_of` are the source's; `id` names its answer."""

    source: str
    version: str
    as_of: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Met:
    """How one material is met when the form is opened. `fallback` says why an exemption came to nothing."""

    material: str
    how: How
    exempt: bool
    evidence: Found | None
    fallback: str | None
    name_zh: str
    name_en: str


SourceOf = Callable[[str, How, str | None], str]
"""(material, how, licence type) → the id of the source that answers for it."""


def needs(
    definition: Mapping[str, Any], source_of: SourceOf, holds: Callable[[Mapping[str, Any]], bool]
) -> dict[str, Need]:
    """The materials of a published item whose condition `holds`, by id, in the guide's order."""
    found: dict[str, Need] = {}
    for entry in definition["materials"]:
        if not holds(entry):
            continue
        material, licence_type = entry["materialId"], entry.get("licenceTypeId")
        exempt_by = entry.get("exemptBy") or "NONE"
        how = How.UPLOAD if exempt_by == "NONE" else How(exempt_by)
        source = source_of(material, how, licence_type) if how in ASKED else None
        found[material] = Need(material, how, licence_type, source, entry.get("nameZh", ""), entry.get("nameEn", ""))
    return found


def met(need: Need, answer: Found | str | None) -> Met:
    """How a material is met, `answer` being what its source gave, or why it gave nothing."""
    if need.how not in ASKED:
        exempt = need.how is not How.UPLOAD
        return Met(need.material, need.how, exempt, None, None, need.name_zh, need.name_en)
    if isinstance(answer, Found):
        return Met(need.material, need.how, True, answer, None, need.name_zh, need.name_en)
    problem = answer or ExchangeResult.ERROR.value
    return Met(need.material, How.UPLOAD, False, None, problem, need.name_zh, need.name_en)


def to_ask(claimed: Sequence[MaterialOffered], known: Mapping[str, Need]) -> list[Need]:
    """The needs of what was claimed to be had from a source, where the guide names that means."""
    return [
        need
        for offered in claimed
        if offered.how in ASKED and (need := known.get(offered.material)) is not None and need.how is offered.how
    ]


def resolve(
    claimed: Sequence[MaterialOffered],
    known: Mapping[str, Need],
    answers: Mapping[str, Found | str],
    uploads: Collection[str],
) -> tuple[Evidence, ...]:
    """The evidence of an application: what sources vouch for, and uploads that are there.

    `answers` by material, for all that `to_ask` named; `uploads` are the refs that are stored for the applicant. A
    material or a means that the guide does not name is left to the decision, which refuses it. Raises MaterialNotMet,
    UploadUnknown.
    """
    missing: list[dict[str, str | None]] = []
    unknown: list[dict[str, str | None]] = []
    evidence: list[Evidence] = []
    for offered in claimed:
        material, how = offered.material, offered.how
        need = known.get(material)
        if how is How.UPLOAD:
            if offered.ref is None or offered.ref not in uploads:
                unknown.append({"material": material, "ref": offered.ref})
            evidence.append(Evidence(material, how.value, "applicant", None, offered.ref))
        elif how in ASKED and need is not None and need.how is how:
            answer = answers.get(material, NOT_CONNECTED)
            if isinstance(answer, Found):
                evidence.append(Evidence(material, how.value, answer.source, answer.version, answer.id))
            else:
                missing.append({"material": material, "source": need.source, "problem": answer, "instead": "UPLOAD"})
        else:
            evidence.append(Evidence(material, how.value, "applicant", None, offered.ref))
    if missing:
        raise MaterialNotMet(materials=missing)
    if unknown:
        raise UploadUnknown(materials=unknown)
    return tuple(evidence)
