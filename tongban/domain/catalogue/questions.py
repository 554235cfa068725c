"""Questions to an applicant, and conditions over the answers.

A question is `{"id", "zh", "en", "kind": "boolean" | "choice" | "number", "options": [{"value", "zh", "en"}]}`. A
condition is `{"question", "is": value}`, `{"question", "atMost": n}`, `{"question", "atLeast": n}`, or `{"all": […]}`,
`{"any": […]}`, `{"not": …}`. As long as an answer is missing a condition may be neither true nor false.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tongban.domain.catalogue.part import Part
from tongban.domain.catalogue.refusals import InvalidAnswer, InvalidItem, UnknownAnswer

Question = Mapping[str, Any]
Condition = Mapping[str, Any]

_KINDS = frozenset({"boolean", "choice", "number"})
_BOUNDS = frozenset({"atMost", "atLeast"})
_DEPTH = 8


def holds(condition: Condition | None, answers: Mapping[str, Any]) -> bool | None:
    """Whether a condition holds; None while that depends on an answer not given. No condition always holds."""
    if condition is None:
        return True
    if "all" in condition:
        return _together([holds(part, answers) for part in condition["all"]], decisive=False)
    if "any" in condition:
        return _together([holds(part, answers) for part in condition["any"]], decisive=True)
    if "not" in condition:
        inside = holds(condition["not"], answers)
        return None if inside is None else not inside
    if condition["question"] not in answers:
        return None
    answer = answers[condition["question"]]
    if "is" in condition:
        return bool(answer == condition["is"])
    return bool(answer <= condition["atMost"] if "atMost" in condition else answer >= condition["atLeast"])


def _together(parts: Sequence[bool | None], *, decisive: bool) -> bool | None:
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


def asked_by(condition: Condition | None, answers: Mapping[str, Any]) -> frozenset[str]:
    """The questions an undecided condition still waits for; those of a part that no longer matters are left out."""
    if condition is None or holds(condition, answers) is not None:
        return frozenset()
    if "question" in condition:
        return frozenset({condition["question"]})
    inside = [condition["not"]] if "not" in condition else condition.get("all") or condition.get("any") or []
    return frozenset().union(*(asked_by(part, answers) for part in inside))


def check_answers(questions: Sequence[Question], answers: Mapping[str, Any]) -> None:
    """Refuse answers nobody asked for or that are none. Raises UnknownAnswer, InvalidAnswer with the place."""
    known = {question["id"]: question for question in questions}
    for name, answer in answers.items():
        at = f"/answers/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in known:
            raise UnknownAnswer(at=at, questions=sorted(known))
        if not _answers(known[name], answer):
            raise InvalidAnswer(at=at, kind=known[name]["kind"])


def fitting(questions: Sequence[Question], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that are some: what nobody asked, and what is no answer to its question, counts as not given."""
    known = {question["id"]: question for question in questions}
    return {name: answer for name, answer in answers.items() if name in known and _answers(known[name], answer)}


def _answers(question: Question, answer: Any) -> bool:
    match question["kind"]:
        case "boolean":
            return isinstance(answer, bool)
        case "number":
            return isinstance(answer, int | float) and not isinstance(answer, bool)
        case _:
            return any(answer == option["value"] for option in question["options"])


# ── when an entry is published ───────────────────────────────────────────────────────────────────────────────────────


def check_questions(entry: Part) -> Mapping[str, Question]:
    """The questions of an entry by id. Raises InvalidItem."""
    if not entry.has("questions"):
        return {}
    questions = entry.parts("questions")
    for question in questions:
        question.only({"id", "zh", "en", "kind", "options"})
        question.name("id")
        question.text("zh")
        question.text("en")
        if question.choice("kind", _KINDS) == "choice":
            options = question.parts("options")
            for option in options:
                option.only({"value", "zh", "en"})
                for key in ("value", "zh", "en"):
                    option.text(key)
            if len(options) < 2:
                question.refuse("options", "two or more options are required")
            question.none_twice("options", (option.value["value"] for option in options))
        elif question.has("options"):
            question.refuse("options", "only a choice has options")
    entry.none_twice("questions", (question.value["id"] for question in questions))
    return {question.value["id"]: question.value for question in questions}


def check_condition(holder: Part, key: str, questions: Mapping[str, Question]) -> None:
    """Refuse a condition that no answer could ever decide. Raises InvalidItem."""
    _check(holder.part(key), questions, depth=1)


def _check(part: Part, questions: Mapping[str, Question], *, depth: int) -> None:
    if depth > _DEPTH:
        raise InvalidItem(at=part.at, problem="the condition is nested too deeply")
    if "question" in part.value:
        _check_comparison(part, questions)
        return
    if len(part.value) != 1:
        raise InvalidItem(at=part.at, problem="question, all, any or not is required")
    part.only({"all", "any", "not"})
    if "not" in part.value:
        _check(part.part("not"), questions, depth=depth + 1)
        return
    key = next(iter(part.value))
    if not part.parts(key):
        part.refuse(key, "one or more conditions are required")
    for inside in part.parts(key):
        _check(inside, questions, depth=depth + 1)


def _check_comparison(part: Part, questions: Mapping[str, Question]) -> None:
    question = questions.get(part.text("question"))
    if question is None:
        part.refuse("question", "there is no such question")
    part.only({"question", "is", *_BOUNDS})
    if len(part.value) != 2:
        raise InvalidItem(at=part.at, problem="one of is, atMost, atLeast is required")
    [key] = set(part.value) - {"question"}
    if key in _BOUNDS and question["kind"] != "number":
        part.refuse(key, "only a number has bounds")
    if not _answers(question, part.value[key]):
        part.refuse(key, "this can never be the answer")
