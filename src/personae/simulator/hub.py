"""Checkpoints from the Hugging Face Hub: safetensors and tokenizer only, the configuration looked at first."""

import json
from pathlib import Path

from personae.errors import BadInput, first_line
from personae.simulator.checkpoint import PICKLED, check_causal

WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
TOKENIZER = [pattern for pattern in WANTED if pattern != "*.safetensors"]
PATIENCE = 10.0  # seconds to find out whether the Hub can be reached at all


def kept_snapshot(name: str) -> Path | None:
    """The folder of a Hub model that an earlier download left whole on this machine, if there is one."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, allow_patterns=WANTED, local_files_only=True))
    except Exception:  # noqa: BLE001 - not here, for whatever reason
        return None
    return folder if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")) else None


def fetch_snapshot(name: str, remedy: str) -> Path:
    """The folder of a Hub model, downloaded where it is not here yet. `remedy` is said where that cannot be."""
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download

    if kept := kept_snapshot(name):
        return kept
    _check_reachable(name, remedy)
    try:
        files = {entry.rfilename for entry in HfApi().model_info(name, timeout=PATIENCE).siblings or ()}
        if "config.json" in files:
            config = json.loads(Path(hf_hub_download(name, "config.json")).read_text(encoding="utf-8"))
            check_causal(config, name)
        if not any(file.endswith(".safetensors") for file in files):
            pickled = next((file for file in sorted(files) if file.endswith(PICKLED)), None)
            raise BadInput(f"only pickled weights ({pickled})" if pickled else "holds no safetensors", file=name)
        return Path(snapshot_download(name, allow_patterns=WANTED))
    except BadInput:
        raise
    except Exception as problem:
        raise BadInput(f"the Hub does not give {name}: {first_line(problem)}", remedy=remedy) from problem


def fetch_tokenizer(name: str, remedy: str) -> Path:
    """The folder with a Hub model's tokenizer and without its weights, downloaded where it is not here yet."""
    from huggingface_hub import snapshot_download

    try:
        kept = Path(snapshot_download(name, allow_patterns=TOKENIZER, local_files_only=True))
        if any(kept.glob("tokenizer*")):
            return kept
    except Exception:  # noqa: BLE001, S110 - not here, for whatever reason
        pass
    _check_reachable(name, remedy)
    try:
        return Path(snapshot_download(name, allow_patterns=TOKENIZER))
    except Exception as problem:
        raise BadInput(f"the Hub does not give {name}: {first_line(problem)}", remedy=remedy) from problem


def _check_reachable(name: str, remedy: str) -> None:
    """One short try, since the client's own retries take half a minute."""
    from huggingface_hub import constants, get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=PATIENCE)
    except Exception as problem:
        raise BadInput(
            f"there is no folder {name} here, and the Hub cannot be reached ({first_line(problem)})", remedy=remedy
        ) from problem
