"""Whether a text says anything. What looks empty on paper is empty, whatever characters it is made of."""

from __future__ import annotations

# Letters by their category, but drawn as nothing (Hangul fillers).
_UNSEEN = frozenset("\u115f\u1160\u3164\uffa0")


def says_something(text: str) -> bool:
    """Whether there is a letter, a character or a digit in it; spaces, seen or unseen, and mere signs say nothing."""
    return any(character.isalnum() and character not in _UNSEEN for character in text)
