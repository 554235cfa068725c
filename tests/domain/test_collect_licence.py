from dataclasses import replace

from tests.examples import (
    CASE_ID,
    LICENCE_ID,
    SYSTEM,
    approval_granted,
    collect_licence,
    envelope,
    licence_collected,
    licence_issued,
)
from tests.given import given
from tongban.domain.licence.commands import CollectLicence
from tongban.domain.personal import ERASED
from tongban.domain.policies import POLICIES
from tongban.domain.recorded import Recorded


def test_an_issued_licence_enters_the_library() -> None:
    given().when(collect_licence, by=SYSTEM).then(licence_collected)


def test_a_licence_that_is_in_the_library_is_not_entered_again() -> None:
    given(licence_collected).when(collect_licence, by=SYSTEM).then_nothing()


def recorded(event: object) -> Recorded:
    return Recorded(position=1, envelope=envelope(event), event=event, sealed=())


def test_the_policy_asks_for_every_issued_licence_to_be_collected() -> None:
    [asked] = POLICIES["collect-issued-licence"](recorded(licence_issued))
    assert asked == CollectLicence(
        licence_id=LICENCE_ID,
        case_id=CASE_ID,
        licence_type=licence_issued.licence_type,
        licence_number=licence_issued.licence_number,
        holder=licence_issued.holder,
        valid_from=licence_issued.valid_from,
        valid_to=licence_issued.valid_to,
        face=licence_issued.face,  # type: ignore[arg-type]
        correlation=CASE_ID,
    )


def test_the_policy_collects_a_licence_whose_face_was_erased_with_an_empty_face() -> None:
    [asked] = POLICIES["collect-issued-licence"](recorded(replace(licence_issued, face=ERASED)))
    assert asked.face == {}


def test_the_policy_asks_for_nothing_else() -> None:
    assert POLICIES["collect-issued-licence"](recorded(approval_granted)) == ()
