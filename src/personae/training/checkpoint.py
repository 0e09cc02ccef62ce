"""How a trained model is kept: a Hugging Face checkpoint or a PEFT adapter, tokenizer and card; whole or not at all.

Everything is written into a hidden folder beside the one asked for, which takes its name once it is complete, so a kill
leaves nothing under that name. The same training gives the same bytes. `training.json` is the card.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from personae.errors import BadInput, RunFailed
from personae.simulator.checkpoint import quiet, written_to

CARD = "training.json"


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `out` if nothing went wrong, and is gone otherwise."""
    if out.exists():
        raise BadInput("is there already", file=out, remedy="name another folder, or remove it")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    except OSError as problem:
        raise RunFailed(f"{out}: cannot be written ({problem.strerror}); name another folder") from problem
    try:
        yield beside
        with written_to(out):
            beside.chmod(0o755)
            beside.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def save_weights(model: Any, tokenizer: Any, folder: Path) -> None:  # noqa: ANN401
    """Write a model's weights (an adapter's, where it carries one) and its tokenizer, as safetensors.

    Raises `RunFailed` where the disk refuses.
    """
    with written_to(folder.parent), quiet():  # the folder itself may be a hidden one, and is gone afterwards
        if hasattr(model, "peft_config"):
            for config in model.peft_config.values():
                config.target_modules = sorted(config.target_modules)  # a set would be written in any order
            model.save_pretrained(folder, save_embedding_layers=False)
        else:
            model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
