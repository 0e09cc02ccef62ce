"""From a model's files to a simulator: a checkpoint folder, an adapter folder with its base, or a model in one file.

The digest is over the files. It is another where their numbers are not taken as they are written (16 or 4 bits), and
the same on every device. That of a llama2.c model says besides that its texts begin with `<s>`: once they did not.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from personae.errors import BadInput, first_line
from personae.simulator import checkpoint, llama2c
from personae.simulator.devices import MAP, free_bytes
from personae.simulator.digests import digest_folder, digest_paths
from personae.simulator.local import LocalSimulator
from personae.simulator.locating import Located, base_named, locate

BESIDE = 1.1  # bytes that must be free for each of the weights: scoring takes some too


@dataclass(frozen=True)
class Reading:
    """How files are read: the number type of the body, onto which device, and whether squeezed (see `devices`)."""

    dtype: str = "float32"
    device: str = "cpu"
    quantise: str = ""

    @property
    def device_map(self) -> str | dict[str, str] | None:
        """The same place in Hugging Face's words."""
        if self.device == MAP:
            return "auto"
        return None if self.device == "cpu" else {"": self.device}

    def digest(self, files: str) -> str:
        """The digest of files, made another where their numbers are not taken as they are written."""
        if self.dtype == "float32" and not self.quantise:
            return files
        return hashlib.sha256(f"{files} {self.dtype} {self.quantise}".strip().encode()).hexdigest()


def read(located: Located, reading: Reading) -> LocalSimulator:
    """The simulator in the files found. Raises `BadInput` for files that hold no causal model, or cannot be read so."""
    path = located.path
    if path.suffix == ".gguf" or llama2c.weights_at(path):
        return _read_file(located, reading)
    if base := checkpoint.adapter_base(path):
        return _read_adapter(located, base, reading)
    model, tokenizer = checkpoint.open_folder(
        path, reading.dtype, device_map=reading.device_map, four_bits=bool(reading.quantise)
    )
    return LocalSimulator(model, tokenizer, located.name, reading.digest(digest_folder(path)))


def read_in_float32(located: Located, reading: Reading, low: LocalSimulator) -> LocalSimulator:
    """The files of `low`, which were read so, in float32: on its device or, where they do not fit beside it, elsewhere.

    Then its `caution` says so. A checkpoint folder is spread (`map`), a single file goes to the processor.
    """
    there = replace(reading, dtype="float32")
    need = 0 if reading.quantise else 4 * sum(weight.numel() for weight in low.model.parameters())
    if need * BESIDE <= free_bytes(reading.device):
        return read(located, there)
    elsewhere = MAP if located.path.is_dir() and not llama2c.weights_at(located.path) else "cpu"
    judge = read(located, replace(there, device=elsewhere))
    judge.caution = (
        f"Its float32 weights ({need / 2**30:.1f} GiB) did not fit on {reading.device} beside those in "
        f"{reading.dtype}, and were read to {judge.device}, where they score more slowly and the same."
    )
    return judge


def _read_file(located: Located, reading: Reading) -> LocalSimulator:
    """A model in one file, which is read to memory whole and then goes to its device."""
    if reading.quantise or reading.device == MAP:
        option = "--quantise" if reading.quantise else "--device map"
        raise BadInput(f"{option} takes a checkpoint folder", file=located.path, remedy="leave it out")
    weights = llama2c.weights_at(located.path)
    if weights is None:
        model, tokenizer = checkpoint.open_gguf(located.path, reading.dtype)
        files = [located.path]
    else:
        model, tokenizer = llama2c.open_llama2c(weights, reading.dtype)
        files = [weights, llama2c.tokenizer_beside(weights)]
    model.name_or_path = str(files[0].absolute())  # by which an adapter that is trained on it names its base
    digest = digest_paths(files)
    if weights is not None:
        digest = hashlib.sha256(f"{digest} begins with <s>".encode()).hexdigest()
    try:
        model.to(reading.device)
    except (RuntimeError, AssertionError) as problem:
        raise BadInput(f"cannot use the device {reading.device}: {first_line(problem)}") from problem
    return LocalSimulator(model, tokenizer, located.name, reading.digest(digest))


def _read_adapter(located: Located, base: str, reading: Reading) -> LocalSimulator:
    """The adapter's base model, by the name the adapter gives, with the adapter in place."""
    under = _base_of(located.path, base, reading)
    model = checkpoint.open_adapter(located.path, under.model)
    tokenizer = checkpoint.adapter_tokenizer(located.path, model, under.tokenizer)
    parts = [under.digest, digest_folder(located.path)]
    if tokenizer is not under.tokenizer:
        parts.append("read with the adapter's tokenizer")
    both = hashlib.sha256(" ".join(parts).encode()).hexdigest()
    return LocalSimulator(model, tokenizer, located.name, both)


def _base_of(adapter: Path, base: str, reading: Reading) -> LocalSimulator:
    """The model that an adapter was trained on. Raises `BadInput` where it is not found, or is an adapter itself."""
    config = adapter / "adapter_config.json"
    try:
        found = locate(base_named(adapter, base))
    except BadInput as problem:
        remedy = "write there (`base_model_name_or_path`) where that model lies, as weights that can be read"
        raise BadInput(f"its base model cannot be used: {problem}", file=config, remedy=remedy) from problem
    if found.path.is_dir() and checkpoint.adapter_base(found.path):
        remedy = "merge the base's adapter into it (PEFT's `merge_and_unload`), and name that"
        raise BadInput(f"its base model {base} is an adapter too", file=config, remedy=remedy)
    return read(found, reading)
