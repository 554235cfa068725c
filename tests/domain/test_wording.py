"""What says something, and what only takes up room."""

import pytest

from tongban.domain.wording import says_something


@pytest.mark.parametrize("text", ["合同未备案", "x", "7", " a ", "\u200b理由"])
def test_letters_characters_and_digits_say_something(text: str) -> None:
    assert says_something(text)


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t", "\u3000", "\u00a0", "\u200b", "\ufeff\u2060", "\u00ad", "\u2800", "\u3164", "……", "。-"]
)
def test_spaces_seen_or_not_and_mere_signs_say_nothing(text: str) -> None:
    assert not says_something(text)
