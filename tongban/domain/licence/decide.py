"""What a command to a licence leads to."""

from __future__ import annotations

from tongban.domain.licence.commands import CollectLicence
from tongban.domain.licence.events import LicenceCollected
from tongban.domain.licence.state import Licence


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
