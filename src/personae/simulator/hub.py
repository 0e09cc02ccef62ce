"""Checkpoints from the Hugging Face Hub: safetensors and tokenizer only, the configuration looked at first.

Of what lies in a repository's folders templates alone are taken: the rest is the same model in other forms.
"""

import json
from fnmatch import fnmatch
from pathlib import Path

from personae.errors import BadInput, first_line
from personae.simulator.checkpoint import PICKLED, check_causal

WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
TOKENIZER = [pattern for pattern in WANTED if pattern != "*.safetensors"]
UNWANTED = ["consolidated*", *(f"*/{pattern}" for pattern in WANTED if pattern != "*.jinja")]
NEEDED = ["config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]  # of those that there are
VOCABULARY = ("tokenizer.json", "*.model", "vocab.*", "tekken.json")  # one of which says what the tokens are
PATIENCE = 10.0  # seconds to find out whether the Hub can be reached at all


def kept_snapshot(name: str) -> Path | None:
    """The folder of a Hub model or adapter that lies whole on this machine, whoever brought it, if there is one."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, allow_patterns=NEEDED, local_files_only=True))
        return folder if _is_whole(folder) else None
    except Exception:  # noqa: BLE001 - not here, for whatever reason
        return None


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
        if not any(file.endswith(".safetensors") and not any(fnmatch(file, no) for no in UNWANTED) for file in files):
            pickled = next((file for file in sorted(files) if file.endswith(PICKLED)), None)
            raise BadInput(f"only pickled weights ({pickled})" if pickled else "holds no safetensors", file=name)
        return Path(snapshot_download(name, allow_patterns=WANTED, ignore_patterns=UNWANTED))
    except BadInput:
        raise
    except Exception as problem:
        raise _not_given(name, problem, remedy) from problem


def fetch_tokenizer(name: str, remedy: str) -> Path:
    """The folder with a Hub model's tokenizer and without its weights, downloaded where it is not here yet."""
    from huggingface_hub import snapshot_download

    try:
        kept = Path(snapshot_download(name, allow_patterns=NEEDED, local_files_only=True))
        if _says_tokens(kept):
            return kept
    except Exception:  # noqa: BLE001, S110 - not here, for whatever reason
        pass
    _check_reachable(name, remedy)
    try:
        return Path(snapshot_download(name, allow_patterns=TOKENIZER, ignore_patterns=UNWANTED))
    except Exception as problem:
        raise _not_given(name, problem, remedy) from problem


def _is_whole(folder: Path) -> bool:
    """Whether all weights are there, and of a model, what else it is read from."""
    if (folder / "adapter_config.json").is_file():
        return (folder / "adapter_model.safetensors").is_file()
    parts = ["model.safetensors"]
    if not (folder / parts[0]).is_file():
        index = json.loads((folder / "model.safetensors.index.json").read_text(encoding="utf-8"))
        parts = index["weight_map"].values()
    return _says_tokens(folder) and all((folder / file).is_file() for file in ("config.json", *parts))


def _says_tokens(folder: Path) -> bool:
    return any(any(folder.glob(pattern)) for pattern in VOCABULARY)


def _not_given(name: str, problem: Exception, remedy: str) -> BadInput:
    """The error for what the Hub, or the way to it, raised; `remedy` is what else helps."""
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    if isinstance(problem, GatedRepoError):
        asks = f"ask for access on {constants.ENDPOINT}/{name}, then `hf auth login`; {remedy}"
        return BadInput(f"the Hub gives {name} to those alone who have asked for it", remedy=asks)
    if isinstance(problem, RepositoryNotFoundError):
        looks = f"check the spelling or, if it is private, `hf auth login`; {remedy}"
        return BadInput(f"the Hub shows no {name}", remedy=looks)
    return BadInput(f"the Hub does not give {name}: {first_line(problem)}", remedy=remedy)


def _check_reachable(name: str, remedy: str) -> None:
    """One short try, since the client's own retries take half a minute."""
    from huggingface_hub import constants, get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=PATIENCE)
    except Exception as problem:
        raise BadInput(
            f"there is no folder {name} here, and the Hub cannot be reached ({first_line(problem)})", remedy=remedy
        ) from problem
