"""Instructions that ask for a trait and for its opposite, as persona vectors and the assistant axis publish traits.

    {"instruction": [{"pos": "Be calm.", "neg": "Be upset."}, …], "questions": [text, …], "eval_prompt": text}

One file a trait, called by the file. It holds no answers: its authors let a model answer the questions under each
instruction and have a judge read them (`eval_prompt`). What can be had without a judge:

- a *trait*: each pair is an item, the two instructions as the two answers to `ASKED`. The level is how much rather
  the Assistant sets itself the one rule than the other, in nats; whether a model shows the trait that way, its
  reliability says. The questions are in no item.
- *personas*: the first `pos` is the context of "calm assistant", the first `neg` that of "not calm assistant". The
  other pairs are other wordings of the same two and are left out.
- *prompts*: the questions (see `prompts`).
"""

from pathlib import Path

from personae.data.border import found
from personae.data.folders import called
from personae.data.lines import Row
from personae.data.row_fields import optional_text
from personae.records import Item, Persona, Trait

ASKED = "How do you answer people? Say it as a rule that you set yourself."
_OTHER_NAMES = {"pos": "positive", "neg": "negative"}
_PAIRS = "expected a list of {'pos': text, 'neg': text}"


def is_contrast(row: Row) -> bool:
    """Whether some instruction of a row has an opposite. Raises `BadInput` where one has it elsewhere, or is none."""
    for n, pair in enumerate(row.value["instruction"], start=1):
        if not isinstance(pair, dict):
            raise row.refusal(f"member {n} of 'instruction' is {found(pair)}", _PAIRS)
        for key, name in _OTHER_NAMES.items():
            if name in pair and key not in pair:
                raise row.refusal(f"member {n} of 'instruction' has no {key!r}", f"rename {name!r} to {key!r}")
    return any(pair.get("neg") is not None for pair in row.value["instruction"])


def about(row: Row, file: Path) -> str:
    """What the instructions of a row are about: its `name`, or of the first row of a file the file's own."""
    name = optional_text(row, "name")
    if name is None and row.index > 0:
        raise row.refusal("another 'instruction' in one file has no 'name'", "give each row a 'name'")
    return name or called(file)


def contrast_trait(name: str, row: Row) -> Trait:
    """The trait that the row's pairs are about."""
    pairs = instructions(row, ("pos", "neg"))
    items = tuple(_item(f"{name}-{n}", row, pair) for n, pair in enumerate(pairs, start=1))
    judged = optional_text(row, "eval_prompt") or name
    fields = {"name": name, "description": " ".join(judged.split("\n\n")[0].split())}
    poles = {"low": pairs[0]["neg"], "high": pairs[0]["pos"]}
    return row.built(Trait, fields | poles | {"items": items})


def contrast_personas(name: str, row: Row) -> tuple[Persona, ...]:
    """Somebody told to show the trait, and somebody told to show its opposite."""
    first = instructions(row, ("pos", "neg"))[0]
    words = name.replace("_", " ")
    named = ((f"{words} assistant", first["pos"]), (f"not {words} assistant", first["neg"]))
    return tuple(row.built(Persona, {"name": called, "kind": "ai", "context": context}) for called, context in named)


def instructions(row: Row, keys: tuple[str, ...]) -> list[dict[str, str]]:
    """The members of `instruction`, which are objects (see `is_contrast`), each with text under all the `keys`."""
    members = row.value["instruction"]
    if not members:
        raise row.refusal("'instruction' is an empty list", _PAIRS)
    read = []
    for n, member in enumerate(members, start=1):
        for key in keys:
            if not isinstance(member.get(key), str):
                problem = f"{key!r} of member {n} of 'instruction' is {found(member.get(key))}"
                raise row.refusal(problem, "write it as text")
        read.append({key: member[key].strip() for key in keys})
    return read


def _item(called: str, row: Row, pair: dict[str, str]) -> Item:
    for key, words in pair.items():
        if not words:
            raise row.refusal(f"{key!r} of {called} is empty", "write the instruction, or drop the pair")
    fields = {"id": called, "kind": "statement", "prompt": ASKED, "high": (pair["pos"],), "low": (pair["neg"],)}
    return row.built(Item, fields, remedy="give the two poles different instructions")
