"""Tables for a page or a terminal, and parts of a page that are replaced as a whole."""

from collections.abc import Sequence
from pathlib import Path

from personae.records.files import write_text


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def put(page: Path, name: str, part: str, head: str = "") -> None:
    """Put a part on a page, which begins with `head` where there is none yet."""
    write_text(page, with_part(page.read_text(encoding="utf-8") if page.exists() else head, name, part))


def with_part(page: str, name: str, part: str) -> str:
    r"""The page with `part` between the marks of `name`: in the place of what was there, or at the end.

    >>> page = with_part(with_part("# Head", "a", "one\n"), "b", "two\n")
    >>> print(with_part(page, "a", "three\n"), end="")
    # Head
    <BLANKLINE>
    <!-- figures of a -->
    three
    <!-- end of a -->
    <BLANKLINE>
    <!-- figures of b -->
    two
    <!-- end of b -->
    """
    begin, end = (f"<!-- {mark} of {name} -->" for mark in ("figures", "end"))
    whole = f"{begin}\n{part}{end}"
    if begin not in page:
        return f"{page.rstrip()}\n\n{whole}\n"
    before, rest = page.split(begin, 1)
    return before + whole + rest.split(end, 1)[1]
