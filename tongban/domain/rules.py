"""The clocks of the law as data: what applies where an item's own law says nothing else.

Each limit comes with its basis. An item overrides a limit in its terms (`catalogue.item`).
"""

from __future__ import annotations

from tongban.domain.clock import Limit, Unit

# R1
RULE_DEEMED_ACCEPTED = "R1"
CORRECTION_BY_OFFICE = (Limit(5, Unit.WORKING_DAY), "行政许可法 art. 32(4)")
# How long the applicant has to mend; no law says it, so it is this project's choice.
CORRECTION_BY_APPLICANT = (Limit(15, Unit.WORKING_DAY), "")
# R6
ISSUE_AND_DELIVER = (Limit(10, Unit.WORKING_DAY), "行政许可法 art. 44")
# R7
ART_45 = frozenset({"HEARING", "TENDER", "AUCTION", "INSPECTION_TEST", "QUARANTINE", "APPRAISAL", "EXPERT_REVIEW"})
LONGEST_PROCEDURE = 250  # working days; a year: what is told must still be a time
# R9
HEARING_TO_BE_REQUESTED = (Limit(5, Unit.WORKING_DAY), "行政许可法 art. 47")
HEARING_TO_BE_HELD = (Limit(20, Unit.WORKING_DAY), "行政许可法 art. 47")
HEARING_NOTICE = 7  # working days (art. 48, 82)
# R10
RULE_DEEMED_RENEWED = "R10"
RENEWAL_IN_TIME = 30  # working days before the expiry (art. 50, 82)
