"""What a command to a licence leads to."""

from __future__ import annotations

from tongban.domain.errors import Conflict
from tongban.domain.licence.commands import CollectLicence, RevokeIssuedLicence
from tongban.domain.licence.events import LicenceCollected, LicenceRevoked
from tongban.domain.licence.state import Licence, LicenceStatus


def collect_licence(command: CollectLicence, licence: Licence) -> list[LicenceCollected]:
    """Enter the licence, or nothing if it is in the library already."""
    if licence.holder is not None:
        return []
    return [
        LicenceCollected(
            case_id=command.case_id,
            licence_type=command.licence_type,
            licence_number=command.licence_number,
            holder=command.holder,
            valid_from=command.valid_from,
            valid_to=command.valid_to,
            face=command.face,
        )
    ]


class NotCollectedYet(Conflict):
    """The licence is not in the library yet: it is to be collected first."""

    zh = "证照尚未归集。"


def revoke_issued_licence(command: RevokeIssuedLicence, licence: Licence) -> list[LicenceRevoked]:
    """撤销, once. Raises NotCollectedYet: the reactor asks again when it is."""
    if licence.holder is None:
        raise NotCollectedYet(licence_id=command.licence_id)
    if licence.status is LicenceStatus.REVOKED:
        return []
    return [LicenceRevoked(case_id=command.case_id, holder=licence.holder)]
