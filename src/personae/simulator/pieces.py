"""The text that each token adds to those before it, for any tokenizer: what is shown of an answer by token."""

from collections.abc import Sequence
from typing import Any

BEFORE = 4  # tokens read before the first, since some tokenizers drop the space that a text begins with
HALF = "\ufffd"  # what is read of a character while some of its bytes are still to come


def pieces(tokenizer: Any, ids: Sequence[int], start: int) -> list[str]:  # noqa: ANN401
    """The texts of `ids[start:]`, which joined are the text of them all.

    "" for a special token, such as ends a turn, and for a part of a character, which the token that completes it has.
    """

    def read(first: int, last: int) -> str:
        plain = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        return str(tokenizer.decode(list(ids[first:last]), **plain))

    texts, first, told = [], max(0, start - BEFORE), start
    for last in range(start + 1, len(ids) + 1):
        text = read(first, last)
        if text.endswith(HALF) and last < len(ids):
            texts.append("")
            continue
        texts.append(text[len(read(first, told)) :])
        first, told = told, last
    return texts
