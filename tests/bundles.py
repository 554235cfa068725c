"""Made-up items and bundles for tests: nothing in the code knows their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from tests.examples import DEFINITION
from tongban.domain.catalogue.item import read_item
from tongban.domain.catalogue.state import Item, ItemVersionEntry


def an_item(
    name: str, *, lead: str | None = None, licence: str | None = None, needs: Sequence[str] = (), **changes: Any
) -> dict[str, Any]:
    """An entry of an item with a form of its own, a paper, and the e-licences in `needs` (types)."""
    form, identity, paper = DEFINITION["materials"]
    department = lead or f"dept-{name}"
    return {
        **DEFINITION,
        "id": name,
        "nameZh": f"事项{name}",
        "nameEn": f"item {name}",
        "departmentId": department,
        "reviewBranches": {"departments": [department]},
        "legalTimeLimit": {"value": 20, "unit": "WORKING_DAY", "basis": "行政许可法 art. 42"},
        "promisedTimeLimit": {"value": 10, "unit": "WORKING_DAY", "source": "sample"},
        "materials": [
            form,
            {**paper, "materialId": "paper", "nameZh": "材料", "nameEn": "paper"},
            *({**identity, "materialId": f"copy-{kind}", "licenceTypeId": kind} for kind in needs),
        ],
        "resultLicenceTypeId": licence,
        **changes,
    }


def in_force(*entries: Mapping[str, Any]) -> dict[str, Item]:
    """The items of these entries, each in its first version."""
    found = {}
    for entry in entries:
        read = read_item(entry)
        version = ItemVersionEntry(1, entry, read, date.min, None)
        found[read.id] = Item(1, entry, read, (version,))
    return found


def a_bundle(items: Sequence[str | Mapping[str, Any]], **changes: Any) -> dict[str, Any]:
    """An entry of a bundle; an item is a name or a whole sub-item."""
    return {
        "id": "a-bundle",
        "version": "2026",
        "nameZh": "一件事",
        "nameEn": "one thing",
        "leadDepartmentId": "samr",
        "subItems": [{"itemId": item} if isinstance(item, str) else dict(item) for item in items],
        **changes,
    }


def edge(before: str, kind: str, after: str) -> dict[str, str]:
    """A dependency."""
    return {"before": before, "type": kind, "after": after}


SHOP = (
    an_item("permit", licence="lt-permit", needs=("lt-business",), onSiteInspection=True),
    an_item("sale", licence="lt-sale", needs=("lt-permit",)),
    an_item("bins"),
)
"""Three made-up items: a permit with an inspection, a sale that takes effect after it, bins with no licence."""
COMPANY = an_item("company", licence="lt-business")

SHOP_BUNDLE = a_bundle(
    [
        {"itemId": "permit", "afterPromisedWorkingDays": 8},
        {"itemId": "sale", "when": {"question": "sells", "is": True}},
        "bins",
    ],
    id="a-shop",
    questions=[{"id": "sells", "zh": "是否销售?", "en": "Do you sell?", "kind": "boolean"}],
    sharedTasks=[{"id": "visit", "nameZh": "联合核查", "serves": ["permit", "bins"], "withinWorkingDays": 5}],
    dependencies=[
        edge("company", "PRECONDITION", "*"),
        edge("permit", "EFFECTIVE_AFTER", "sale"),
        edge("ALL_DECIDED", "FINISH_TO_START", "ISSUE"),
    ],
    mergedMaterials=[
        {
            "materialId": "one-form",
            "nameZh": "综合申请表",
            "nameEn": "one form",
            "replaces": [{"itemId": name, "materialId": "form"} for name in ("permit", "sale", "bins")],
        }
    ],
    droppedMaterials=[{"itemId": "sale", "materialId": "copy-lt-permit", "reason": "result of a sister item"}],
    sharedForm={
        "sections": [
            {"id": "premises", "fields": ["address"], "usedBy": ["permit", "bins"]},
            {"id": "trade", "fields": ["goods"], "usedBy": ["sale"]},
            {"id": "owner", "fields": ["owner"]},
        ]
    },
)
"""A made-up bundle of the three, over a business licence that must be valid."""
