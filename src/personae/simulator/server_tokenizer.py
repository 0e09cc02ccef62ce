"""A tokenizer without its model: for weights that are served elsewhere."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from personae.errors import BadInput, first_line
from personae.records.files import canonical
from personae.simulator.checkpoint import quiet
from personae.simulator.listing import find
from personae.simulator.locating import HUB_ID, path_named

FILES = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json")
REMEDY = "name it in the URL, as in http://host:8000/v1?tokenizer=FOLDER#model"


def open_tokenizer(names: Sequence[str]) -> Any:  # noqa: ANN401
    """The tokenizer of the first of `names` (folders, listed names, Hub ids) that lies here, or else is on the Hub."""
    from transformers import AutoTokenizer

    folder = _folder([name for name in names if name])
    try:
        with quiet():
            return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as problem:  # the library raises whatever a broken file provokes
        raise BadInput(f"holds no tokenizer that can be read: {first_line(problem)}", file=folder) from problem


def digest_of(tokenizer: Any) -> str:  # noqa: ANN401
    """Sha256 (hex) over how text becomes tokens, and the template that lays out a chat."""
    fast = getattr(tokenizer, "backend_tokenizer", None)
    how = canonical(tokenizer.get_vocab()) if fast is None else fast.to_str()
    return hashlib.sha256(f"{how}\n{tokenizer.chat_template}".encode()).hexdigest()


def _folder(names: Sequence[str]) -> Path:
    from personae.simulator.hub import fetch_tokenizer

    for name in names:
        if found := _here(name):
            return found
    said = " or ".join(dict.fromkeys(names))
    for name in dict.fromkeys(names):
        if HUB_ID.fullmatch(name):
            return fetch_tokenizer(name, REMEDY)
    raise BadInput(f"the tokenizer of the served model ({said}) is not on this machine", remedy=REMEDY)


def _here(name: str) -> Path | None:
    """The folder of this machine that holds the tokenizer called `name`."""
    entry = find(name)
    places = [path_named(name), *([entry.folder] if entry else [])]
    return next((p for p in places if any((p / file).is_file() for file in FILES)), None)
