"""Which letters count as the same in a search. Pure.

Capitals, accents and strokes do not matter, and neither do compatibility forms: "muller no5 lodz" finds "Müller №5
Łódź". ``page/search.js`` takes the same steps in the same order, and tests/vectors/folding.json checks both: NFKD
(Unicode Annex 15), lower case, no marks (Mn, Me) and no invisible characters (Cf), then :data:`LETTERS`. White space
separates words.
"""

import unicodedata

# Letters that Unicode does not decompose, as people type them: each followed by what it is taken for.
LETTERS = (
    "øo đd ħh łl ŧt ƀb ƶz ǥg ȼc ɇe ɉj ɍr ɏy ɨi ᵽp ⱥa ⱦt ꝁk ꞙf ꞹu ƚl ɫl ⱡl ꞡg ꞣk ꞥn ꞧr ꞩs ɓb ɗd ɖd ƙk ƴy ƒf ŋn ıi ȷj ĸk "
    "ðd þth æae œoe ßss ςσ ғг ґг ҟк қк ңн ұу ҳх ҷч ‐- ‑- ‒- –- —- −- ‘' ’' ʼ' ʻ' “\" ”\" „\""
)
_DROPPED = ("Mn", "Me", "Cf")


class _Table(dict[int, str]):
    """For ``str.translate``: filled as letters are met, so that a category is looked up once for each."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        self[code] = folded = "" if unicodedata.category(letter) in _DROPPED else letter
        return folded


_TABLE = _Table({ord(pair[0]): pair[1:] for pair in LETTERS.split(" ")})


def fold(text: str) -> str:
    """``text`` in the form that is compared: words with one space between them."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).lower().translate(_TABLE)
    return " ".join(text.lower().split())


def words(text: str) -> tuple[str, ...]:
    """The words to look for, the longest first. A word inside another one adds nothing."""
    kept: list[str] = []
    for word in sorted(fold(text).split(), key=len, reverse=True):
        if not any(word in longer for longer in kept):
            kept.append(word)
    return tuple(kept)
