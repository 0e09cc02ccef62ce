"""A model and its tokenizer in the binary form of llama2.c, whose small models tell stories.

A weights file is seven int32 (width, hidden width, layers, heads, key-value heads, vocabulary, window) and then float32
matrices in a fixed order; a negative vocabulary says that the head is written out last, else it is the embedding. The
form has no mark of its own, so a file is one only where its size is exactly what its header asks for: nothing in it can
run as it loads. Its tokenizer stands beside it (`llama2c_tokenizer`).

llama2.c turns neighbouring pairs of a head's numbers and Hugging Face's Llama turns halves, so the rows of the query
and key matrices are put in another order.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from personae.errors import BadInput
from personae.simulator.checkpoint import DTYPES
from personae.simulator.llama2c_tokenizer import MOST_TOKENS, pieces, read_tokenizer

HEADER = struct.Struct("<7i")
MARKED = struct.pack("<I", 0x616B3432)  # "ak42", with which the later versions of the form begin


@dataclass(frozen=True)
class Shape:
    """What the header says."""

    dim: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int
    window: int
    tied: bool

    @property
    def head(self) -> int:
        """Width of one head."""
        return self.dim // self.heads

    @property
    def size(self) -> int:
        """Bytes of a file of this shape."""
        return HEADER.size + 4 * sum(_count(each) for _, each in self.matrices())

    def matrices(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Name and size of what follows the header, in order; names without a layer are of the whole model."""
        dim, kv, every = self.dim, self.head * self.kv_heads, self.layers
        yield "model.embed_tokens.weight", (self.vocabulary, dim)
        yield "input_layernorm", (every, dim)
        yield "self_attn.q_proj", (every, dim, dim)
        yield "self_attn.k_proj", (every, kv, dim)
        yield "self_attn.v_proj", (every, kv, dim)
        yield "self_attn.o_proj", (every, dim, dim)
        yield "post_attention_layernorm", (every, dim)
        yield "mlp.gate_proj", (every, self.hidden, dim)
        yield "mlp.down_proj", (every, dim, self.hidden)
        yield "mlp.up_proj", (every, self.hidden, dim)
        yield "model.norm.weight", (dim,)
        yield "turns", (self.window, self.head)  # cosines and sines, which are known anyway
        if not self.tied:
            yield "lm_head.weight", (self.vocabulary, dim)


def weights_at(path: Path) -> Path | None:
    """The weights file that `path` is, or that a folder with no Hugging Face model holds; None where there is none."""
    return next((file for file in _candidates(path) if read_shape(file)), None)


def nearly_at(path: Path) -> BadInput | None:
    """The error for such a file that is not whole, or of a later version; None where `path` has none."""
    return next((problem for file in _candidates(path) if (problem := _nearly(file))), None)


def _candidates(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir() or (path / "config.json").exists() or (path / "adapter_config.json").exists():
        return []
    return sorted(path.glob("*.bin"))


def read_shape(path: Path) -> Shape | None:
    """The shape that a file's header tells, where the file has exactly the size of that shape."""
    shape = _header_shape(path)
    return shape if shape and shape.size == path.stat().st_size else None


def _nearly(path: Path) -> BadInput | None:
    if _beginning(path)[: len(MARKED)] == MARKED:
        problem = "is a model of llama2.c in a later version of its form, which is not read"
        return BadInput(problem, file=path, remedy="export it with --version 0")
    shape = _header_shape(path)
    if shape is None or shape.size == path.stat().st_size:
        return None
    problem = f"has {path.stat().st_size} bytes, where its header, of a model of llama2.c, asks for {shape.size}"
    return BadInput(problem, file=path, remedy="download it again")


def _beginning(path: Path) -> bytes:
    """The bytes of a file where the header stands; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(HEADER.size)
    except OSError:
        return b""


def _header_shape(path: Path) -> Shape | None:
    """The shape that a file's header tells, whatever follows it; None where there can be no such shape."""
    begun = _beginning(path)
    if len(begun) < HEADER.size:
        return None
    numbers = HEADER.unpack(begun)
    dim, hidden, layers, heads, kv_heads, vocabulary, window = numbers
    if min(dim, hidden, layers, heads, kv_heads, window) < 1 or vocabulary == 0:
        return None
    if dim % heads or heads % kv_heads or dim // heads % 2 or abs(vocabulary) > MOST_TOKENS:
        return None
    return Shape(dim, hidden, layers, heads, kv_heads, abs(vocabulary), window, tied=vocabulary > 0)


def tokenizer_beside(weights: Path) -> Path:
    """The tokenizer file in the folder of the weights that has a token for each of the model's."""
    shape = read_shape(weights)
    for file in sorted(weights.parent.glob("tok*.bin")):
        if shape and len(pieces(file)) == shape.vocabulary:
            return file
    wanted = f" of {shape.vocabulary} tokens" if shape else ""
    raise BadInput(f"no tokenizer{wanted} beside the weights", file=weights, remedy="put its tokenizer.bin there")


def open_llama2c(weights: Path, dtype: str = "float32") -> tuple[Any, Any]:
    """The model (in `dtype`, at rest) and the tokenizer of a weights file."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    if dtype not in DTYPES:
        raise BadInput(f"unknown number type {dtype!r}", remedy=f"one of {', '.join(DTYPES)}")
    shape = read_shape(weights)
    if shape is None:
        raise BadInput("is no model of llama2.c: its size is not what its header asks for", file=weights)
    tokenizer = read_tokenizer(tokenizer_beside(weights))
    sizes: dict[str, Any] = {"hidden_size": shape.dim, "intermediate_size": shape.hidden}
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        **sizes,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.window,
        rms_norm_eps=1e-5,
        tie_word_embeddings=shape.tied,
    )
    model: Any = LlamaForCausalLM(config)
    model.load_state_dict(_weights(weights, shape))
    return model.to(getattr(torch, dtype)).eval(), tokenizer


def _weights(path: Path, shape: Shape) -> dict[str, Any]:
    """{name: tensor} as Hugging Face's Llama names them."""
    import numpy as np
    import torch

    flat = torch.from_numpy(np.fromfile(path, dtype="<f4", offset=HEADER.size))
    place, weights = 0, dict[str, Any]()
    for name, size in shape.matrices():
        whole = flat[place : place + _count(size)].reshape(size)
        place += _count(size)
        if "." in name and name.endswith(".weight"):
            weights[name] = whole
        elif name != "turns":
            heads = {"self_attn.q_proj": shape.heads, "self_attn.k_proj": shape.kv_heads}.get(name)
            for layer, matrix in enumerate(whole):
                weights[f"model.layers.{layer}.{name}.weight"] = _halves(matrix, heads) if heads else matrix
    weights.setdefault("lm_head.weight", weights["model.embed_tokens.weight"])
    return weights


def _halves(matrix: Any, heads: int) -> Any:  # noqa: ANN401 - a tensor
    """The same rotation with each head's pairs (2i, 2i + 1) at (i, i + half)."""
    rows, columns = matrix.shape
    return matrix.reshape(heads, rows // heads // 2, 2, columns).transpose(1, 2).reshape(rows, columns)


def _count(size: tuple[int, ...]) -> int:
    count = 1
    for each in size:
        count *= each
    return count
