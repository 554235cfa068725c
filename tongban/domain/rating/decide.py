"""What a rating leads to."""

from __future__ import annotations

from tongban.domain.aggregate import Circumstances
from tongban.domain.case.refusals import UnknownCase
from tongban.domain.case.state import Case, Status
from tongban.domain.errors import NotYours, RuleBroken
from tongban.domain.rating.commands import RateCase
from tongban.domain.rating.events import CaseRated
from tongban.domain.rating.state import Rating

BEST, WORST = 1, 5


class GradeOutOfRange(RuleBroken):
    """A grade is a whole number from 1 (best) to 5 (worst)."""

    zh = "评价等级须为 1 (最好) 至 5 (最差)。"


class CaseNotClosed(RuleBroken):
    """The case is not closed yet: it can be rated when it is."""

    zh = "办件尚未办结, 暂不能评价。"


class AlreadyRated(RuleBroken):
    """This case is rated already, and the first rating stands (一事一评)."""

    zh = "该办件已评价, 以首次评价为准。"


def rate_case(command: RateCase, circumstances: Circumstances, rating: Rating, rated: Case) -> list[CaseRated]:
    """Rate, or nothing if it was given this very grade already."""
    if rated.item is None or rated.applicant is None:
        raise UnknownCase(case_id=command.case_id)
    actor = circumstances.actor
    if actor.id != str(rated.applicant) and actor.on_behalf_of != rated.applicant:
        raise NotYours(case_id=command.case_id)
    if not BEST <= command.grade <= WORST:
        raise GradeOutOfRange(grade=command.grade)
    if rating.grade is not None:
        if rating.grade == command.grade:
            return []
        raise AlreadyRated(case_id=command.case_id, grade=rating.grade)
    if rated.status is not Status.CLOSED:
        raise CaseNotClosed(case_id=command.case_id, state=rated.status)
    return [
        CaseRated(
            case_id=command.case_id,
            item_id=rated.item.id,
            department=rated.lead,
            rater=rated.applicant,
            grade=command.grade,
            options=command.options,
            anonymous=command.anonymous,
            text=command.text,
        )
    ]
