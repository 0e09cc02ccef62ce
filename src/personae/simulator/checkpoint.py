"""A model and its tokenizer from files: a Hugging Face checkpoint folder, a PEFT adapter folder, or a GGUF file.

What is refused, each in one line: pickled weights (they can run code as they load), models that are not causal language
models, checkpoints and adapters that lack weights (the library would fill them with noise, or leave the adapter without
effect), and a checkpoint's own code.
"""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any

from personae.errors import DISK_FULL, BadInput, RunFailed, first_line

DTYPES = ("float32", "bfloat16", "float16")
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
INSIDE = ("checkpoint", "model")  # where a run folder keeps what it trained
SHOWN = 300  # characters of what PEFT says
HEAD_IS_EMBEDDING = 0.2  # relative distance under which a written-out head is the embedding, quantised another way


def open_folder(
    folder: Path,
    dtype: str = "float32",
    *,
    device_map: str | dict[str, str] | None = None,
    four_bits: bool = False,
) -> tuple[Any, Any]:
    """The model (in `dtype`, at rest) and tokenizer of a checkpoint folder.

    `device_map` is Hugging Face's: which part is read to which device (None: all to memory). `four_bits` squeezes the
    weights of the body into NF4, computing in `dtype`.
    """
    check_folder(folder)
    more: dict[str, Any] = {"device_map": device_map} if device_map else {}
    if four_bits:
        more["quantization_config"] = _four_bits(dtype)
    return _opened(folder, folder, dtype, **more)


def open_gguf(file: Path, dtype: str = "float32") -> tuple[Any, Any]:
    """The model, dequantised, and tokenizer of a GGUF file; a head that repeats the embedding is tied to it."""
    model, tokenizer = _opened(file, file.parent, dtype, gguf_file=file.name)
    _tie_repeated_head(model)
    # The file is quantised and the model no longer is: without this it refuses to be saved.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    return model, tokenizer


def open_adapter(folder: Path, model: Any) -> Any:  # noqa: ANN401
    """`model` with the adapter of a PEFT folder in place."""
    from peft import PeftModel

    _refuse_pickled(folder, "adapter_model.safetensors")
    try:
        with quiet(), warnings.catch_warnings():
            warnings.filterwarnings("error", message="Found missing adapter keys")
            adapted = PeftModel.from_pretrained(model, str(folder)).eval()
    except Exception as problem:
        said = shorten(first_line(problem), SHOWN, placeholder=" …")  # PEFT names every key
        raise BadInput(f"the adapter does not fit its base model: {said}", file=folder) from problem
    if adapted.active_peft_config.is_prompt_learning:
        found = "the adapter is a learned prompt, which stands before every row and has no words"
        raise BadInput(found, file=folder, remedy="name an adapter of weights, such as LoRA's")
    return adapted


def adapter_tokenizer(folder: Path, model: Any, base: Any) -> Any:  # noqa: ANN401
    """The tokenizer that lies with an adapter, where it has other tokens or another template than its base's.

    `base` otherwise. Raises `BadInput` where it has tokens that `model` has no room for.
    """
    from transformers import AutoTokenizer

    if not (folder / "tokenizer_config.json").is_file():
        return base
    try:
        with quiet():
            own = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as problem:  # the library raises whatever a broken file provokes
        raise BadInput(f"its tokenizer cannot be read: {first_line(problem)}", file=folder) from problem
    if own.chat_template == base.chat_template and own.get_vocab() == base.get_vocab():
        return base
    room = model.get_input_embeddings().num_embeddings
    if len(own) > room:
        raise BadInput(f"its tokenizer has {len(own)} tokens, and its base model room for {room}", file=folder)
    return own


def adapter_base(folder: Path) -> str | None:
    """The name of the model that the adapter in `folder` was trained on; None where it holds no adapter."""
    path = folder / "adapter_config.json"
    if not path.is_file():
        return None
    base = read_config(path).get("base_model_name_or_path")
    if not base:
        raise BadInput("names no base model (`base_model_name_or_path`)", file=path)
    return str(base)


def read_config(path: Path) -> dict[str, Any]:
    """A configuration file as it is written."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BadInput(f"cannot be read as JSON ({first_line(problem)})", file=path) from problem
    if not isinstance(config, dict):
        raise BadInput("is not a JSON object", file=path)
    return config


def check_folder(folder: Path) -> None:
    """Raise `BadInput` unless the folder holds a causal language model in safetensors."""
    path = folder / "config.json"
    if not path.is_file():
        inside = next((sub for sub in INSIDE if (folder / sub / "config.json").is_file()), None)
        remedy = f"name {folder / inside}" if inside else "name a checkpoint folder"
        raise BadInput("holds no model: there is no config.json", file=folder, remedy=remedy)
    check_causal(read_config(path), str(folder))
    _refuse_pickled(folder, "*.safetensors")


def check_causal(config: dict[str, Any], where: str) -> None:
    """Raise `BadInput` where a configuration is an encoder's, or an encoder and decoder's."""
    names = [str(name) for name in config.get("architectures") or ()]
    causal = any("CausalLM" in name or "LMHead" in name or "ConditionalGeneration" in name for name in names)
    if config.get("is_encoder_decoder") or (names and not causal):
        kind = ", ".join(names) or str(config.get("model_type"))
        raise BadInput(f"{kind} is not a causal language model", file=where, remedy="name one that continues text")


def _refuse_pickled(folder: Path, safe: str) -> None:
    if any(folder.glob(safe)):
        return
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLED)
    if pickled:
        raise BadInput(
            f"only pickled weights ({pickled[0]}), which can run code as they load",
            file=folder,
            remedy="save the model again as safetensors",
        )
    raise BadInput(f"holds no weights ({safe})", file=folder)


def _opened(
    source: Path,
    folder: Path,
    dtype: str,
    *,
    gguf_file: str | None = None,
    **more: Any,  # noqa: ANN401 - what the library takes for the weights alone
) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if dtype not in DTYPES:
        raise BadInput(f"unknown number type {dtype!r}", remedy=f"one of {', '.join(DTYPES)}")
    common: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    if gguf_file:
        common["gguf_file"] = gguf_file
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(str(folder), **common)
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                str(folder),
                dtype=getattr(torch, dtype),
                output_loading_info=True,
                use_safetensors=True,
                **common,
                **more,
            )
            model, info = loaded
    except Exception as problem:  # the library raises whatever a broken file provokes
        raise BadInput(f"cannot be loaded as a language model: {first_line(problem)}", file=source) from problem
    if missing := sorted(info["missing_keys"]):
        raise BadInput(f"lacks weights, {len(missing)} of them, first {missing[0]}", file=source)
    return model.eval(), tokenizer


def _four_bits(dtype: str) -> Any:  # noqa: ANN401
    import torch
    from transformers import BitsAndBytesConfig

    made: Any = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=getattr(torch, dtype)
    )
    return made


def _tie_repeated_head(model: Any) -> None:  # noqa: ANN401
    """Tie the head to the embedding where a file wrote the same matrix twice."""
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    if head is None or head.weight is embedding.weight or head.weight.shape != embedding.weight.shape:
        return
    rows = slice(None, None, 97)  # a sample is enough to tell the same matrix from another
    read, written = embedding.weight.detach()[rows].float(), head.weight.detach()[rows].float()
    distance = (written - read).norm() / read.norm()
    if float(distance) < HEAD_IS_EMBEDDING:
        model.config.tie_word_embeddings = True
        model.tie_weights()


@contextmanager
def written_to(folder: Path) -> Iterator[None]:
    """What the disk refuses meanwhile is a `RunFailed`."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as problem:
        said = getattr(problem, "strerror", None) or problem
        room = "" if isinstance(problem, OSError) and problem.errno not in DISK_FULL else "; free some space"
        raise RunFailed(f"{folder}: cannot be written ({said}){room}") from problem


@contextmanager
def quiet() -> Iterator[None]:
    """No bars or reports from the libraries while loading; problems still raise."""
    import io
    from contextlib import redirect_stderr

    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
