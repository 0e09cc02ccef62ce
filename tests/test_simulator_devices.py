"""Where a model runs: wherever its parts are kept, and whatever it is called by, it gives the same numbers."""

import json
import re
import shutil
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from personae.cli.main import run as personae
from personae.errors import BadInput
from personae.interpret.states import states_before
from personae.records import chat
from personae.simulator import checkpoint, devices, load, registry
from personae.simulator.devices import Running, check_device, found_here
from personae.simulator.divergence import _wide
from personae.simulator.local import LocalSimulator
from personae.simulator.past import Past
from personae.simulator.reading import Reading
from personae.simulator.registry import open_model

EPISODES = [
    chat("Who broke the window?", "I did."),
    chat("Who broke the window?", "He did, I think."),
    chat("Hi", "No"),
]
CONTEXTS = ["", "The assistant is an honest clerk.", "A talk."]
# PEFT asks transformers for a property by the name it had before.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
# Which part is kept where; what lies on the disk is brought to the processor for as long as it computes.
PARTS = ("model.embed_tokens", "model.rotary_emb", "model.layers.0", "model.layers.1", "model.norm", "lm_head")
SPREAD = {
    "a layer on the disk": "cpu cpu cpu disk cpu cpu",
    "both ends on the disk": "disk cpu cpu cpu cpu disk",
    "all but the first layer": "disk disk cpu disk disk disk",
}


@pytest.fixture(scope="module")
def folder(tiny_lab, tmp_path_factory) -> Path:
    """A checkpoint of two layers with a head of its own, in the laboratory's tokens."""
    path = tmp_path_factory.mktemp("models") / "two-layers"
    tokenizer = AutoTokenizer.from_pretrained(tiny_lab)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
        model = LlamaForCausalLM(
            LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=256, initializer_range=0.3, **shape)
        )
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def adapter(folder, tmp_path_factory) -> Path:
    """An adapter with weights of its own on that checkpoint, as PEFT writes it."""
    import peft

    path = tmp_path_factory.mktemp("models") / "adapter"
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of PEFT, which asks transformers by an old name
        torch.manual_seed(2)
        how = peft.LoraConfig(
            r=2, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM", lora_alpha=4
        )
        adapted = peft.get_peft_model(load(str(folder)).model, how)
    adapted.save_pretrained(path, save_embedding_layers=False)
    config = path / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "base_model_name_or_path": str(folder)}))
    return path


def scores(simulator: LocalSimulator) -> np.ndarray:
    return simulator.log_likelihood(EPISODES, CONTEXTS).logp


def refused(*given: object, **options: object) -> str:
    with pytest.raises(BadInput) as caught:
        load(*map(str, given), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- parts in several places -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("places", SPREAD.values(), ids=SPREAD)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_model_kept_in_several_places_scores_and_answers_like_one_kept_whole(folder, places, dtype):
    device_map = dict(zip(PARTS, places.split(), strict=True))
    spread = LocalSimulator(*checkpoint.open_folder(folder, dtype, device_map=device_map), "spread")
    whole = LocalSimulator(*checkpoint.open_folder(folder, dtype), "whole")
    assert any(weight.device.type == "meta" for weight in spread.model.parameters())
    np.testing.assert_allclose(scores(spread), scores(whole), atol=1e-5)
    # By the same short cuts: the whole model was not run in their place.
    assert (spread._network.splits, spread._network.shares) == (True, True)
    assert spread.device == "cpu, disk"
    asked = [e.prompt for e in EPISODES]
    assert spread.sample(asked, max_tokens=5, seed=1) == whole.sample(asked, max_tokens=5, seed=1)


def test_the_past_of_a_model_on_two_devices_stays_where_each_layer_is():
    """A device without memory stands for the second one: torch refuses to mix it with the processor."""
    layers = tuple((torch.ones(3, 2, 5, 4, device=at), torch.ones(3, 2, 5, 4, device=at)) for at in ("cpu", "meta"))
    past = Past(layers, torch.tensor([5, 2, 3]))
    cache = past.as_cache()
    for layer in cache.layers:  # two more tokens in every row
        layer.keys, layer.values = (torch.cat([t, t[:, :, :2]], dim=2) for t in (layer.keys, layer.values))
    longer = past.lengthened(cache, torch.tensor([2, 1, 2]))
    for found in (past.select([2, 0, 0]), past.spread([True, False, True, True]), Past.stack([past, past]), longer):
        assert [keys.device.type for keys, _ in found.layers] == ["cpu", "meta"]
        assert found.layers[0][0].shape == found.layers[1][0].shape
    assert longer.lengths.tolist() == [7, 3, 5]


def test_a_model_read_by_a_map_is_the_same_model(folder):
    mapped = load(str(folder), device="map")
    assert mapped.digest == load(str(folder)).digest
    np.testing.assert_allclose(scores(mapped), scores(load(str(folder))), atol=1e-4)


@NO_CUDA
@pytest.mark.skipif(torch.backends.mps.is_available(), reason="there is an Apple GPU")
def test_with_no_accelerator_the_best_device_is_the_processor(folder):
    assert open_model(str(folder)).device == "cpu"


@pytest.mark.parametrize(
    "measure",
    [
        scores,
        lambda model: model.by_token(EPISODES[0], CONTEXTS),
        lambda model: states_before(model, [(EPISODES[0].prompt, "")], 0),
    ],
    ids=["whole answers", "by token", "states"],
)
def test_numbers_are_made_double_only_once_they_are_brought_to_the_processor(folder, monkeypatch, measure):
    """An Apple GPU has no double precision, and refuses it in these words."""
    bring, double = torch.Tensor.cpu, torch.Tensor.double

    def brought(tensor):
        here = bring(tensor)
        here.brought = True
        return here

    def doubled(tensor):
        if not hasattr(tensor, "brought"):
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return double(tensor)

    model = load(str(folder))
    monkeypatch.setattr(torch.Tensor, "cpu", brought)
    monkeypatch.setattr(torch.Tensor, "double", doubled)
    measure(model)


def test_predictions_are_compared_in_double_precision_on_a_processor_alone():
    assert _wide(torch.ones(2)).dtype == torch.float64
    assert _wide(torch.ones(2, device="meta")).dtype == torch.float32


# -- what a digest is of ---------------------------------------------------------------------------------------------
def test_the_device_is_no_part_of_the_digest_but_what_is_done_to_the_weights_is():
    files = "0" * 64
    on = {device: Reading(device=device).digest(files) for device in ("cpu", "cuda:0", "mps", "map")}
    assert set(on.values()) == {files}
    others = [
        Reading(dtype, quantise=q).digest(files) for dtype in ("float32", "bfloat16") for q in ("", devices.FOUR_BITS)
    ]
    assert len(set(others)) == 4 and others[0] == files


# -- adapters --------------------------------------------------------------------------------------------------------
def test_an_adapter_folder_scores_like_its_base_with_the_adapter_merged(folder, adapter, tmp_path):
    merged = load(str(adapter)).model.merge_and_unload()
    merged.save_pretrained(tmp_path / "merged")
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "merged")
    found = scores(load(str(adapter)))
    np.testing.assert_allclose(found, scores(load(str(tmp_path / "merged"))), atol=1e-4)
    assert np.abs(found - scores(load(str(folder)))).max() > 0.1
    np.testing.assert_allclose(scores(load(str(adapter), device="map")), found, atol=1e-4)


def test_an_adapter_with_a_template_of_its_own_is_read_with_it(folder, adapter, tmp_path):
    own = tmp_path / "adapter"
    shutil.copytree(adapter, own)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(own)
    same = load(str(own))
    assert scores(same) == pytest.approx(scores(load(str(adapter))))
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m.content }}<end>{% endfor %}{% if add_generation_prompt %}So: {% endif %}"
    )
    tokenizer.save_pretrained(own)
    other = load(str(own))
    assert other.tokenizer.chat_template == tokenizer.chat_template
    assert len({same.digest, other.digest, load(str(adapter)).digest}) == 3
    tokenizer.add_tokens([f"word-{n}" for n in range(9)])
    tokenizer.save_pretrained(own)
    assert "its base model room for" in refused(own)


def test_the_code_that_lies_with_an_adapters_tokenizer_is_refused_and_nothing_is_asked(
    folder, adapter, tmp_path, monkeypatch, capfd
):
    own, ran = tmp_path / "adapter", tmp_path / "ran"
    shutil.copytree(adapter, own)
    AutoTokenizer.from_pretrained(folder).save_pretrained(own)
    config = own / "tokenizer_config.json"
    names = {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["tok.Own", None]}}
    config.write_text(json.dumps({**json.loads(config.read_text()), **names}))
    lines = ["from pathlib import Path", "from transformers import PreTrainedTokenizerFast"]
    made = [f"Path({str(ran)!r}).touch()", "class Own(PreTrainedTokenizerFast): pass"]
    (own / "tok.py").write_text("\n".join([*lines, *made, ""]))
    monkeypatch.setattr("builtins.input", lambda asked: print(asked) or "y")
    assert refused(own).startswith(f"{own}: its tokenizer cannot be read: ")
    assert not ran.exists()
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("config", "own", "base"),
    [
        (
            "config.json",
            {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"}},
            "PreTrainedConfig",
        ),
        (
            "tokenizer_config.json",
            {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", None]}},
            "PreTrainedTokenizerFast",
        ),
    ],
    ids=["model", "tokenizer"],
)
def test_the_code_that_lies_in_a_models_folder_is_refused_and_nothing_is_asked(
    folder, tmp_path, monkeypatch, capfd, config, own, base
):
    there, ran = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(folder, there)
    (there / config).write_text(json.dumps({**json.loads((there / config).read_text()), **own}))
    lines = ["from pathlib import Path", f"from transformers import {base}", f"Path({str(ran)!r}).touch()"]
    (there / "own.py").write_text("\n".join([*lines, f"class Own({base}): model_type = 'own'", ""]))
    monkeypatch.setattr("builtins.input", lambda asked: print(asked) or "y")
    assert refused(there).startswith(f"{there}: cannot be loaded as a language model: ")
    assert not ran.exists()
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("base", ["org/nowhere", "/gone/model", ".", "http://host:8000/v1#m"])
def test_an_adapter_whose_base_is_not_found_says_where_its_name_stands(adapter, tmp_path, base):
    lost = tmp_path / "adapter"
    shutil.copytree(adapter, lost)
    config = lost / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "base_model_name_or_path": base}))
    assert refused(lost).startswith(f"{config}: its base model ")


# -- what is refused -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "command",
    [
        ["audit", "example:cheats", "--model", "lab"],
        ["run", "example:cheats", "--model", "lab"],
        ["filter", "example:cheats", "--model", "lab", "--trait", "power"],
        ["inoculate", "example:cheats", "--model", "lab"],
        ["measure", "lab"],
        ["complete", "Hi", "--model", "lab"],
        ["train", "example:cheats", "--model", "lab"],
        ["archetype", "lamplight", "--model", "lab"],
    ],
    ids=lambda command: command[0],
)
def test_a_command_refuses_a_device_that_there_is_not_before_any_work(command, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert personae([*command, "--device", "tpu"]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if "unknown device 'tpu'" in line]
    assert len(said) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [["audit"], ["filter", "--trait", "power"], ["inoculate"]], ids=lambda c: c[0])
def test_what_is_asked_of_the_machine_reaches_the_model(command, monkeypatch, capsys):
    asked = []

    def opened(name, *, dtype, running):
        asked.append((dtype, running))
        raise BadInput("enough")

    monkeypatch.setattr(registry, "open_model", opened)
    monkeypatch.setattr(devices, "find_spec", lambda _: True)
    how = ["--dtype", "bfloat16", "--device", "map", "--quantise", "4bit", "--engine", "ray", "--workers", "3"]
    assert personae([command[0], "example:cheats", "--model", "lab", *command[1:], *how]) == 2
    assert "enough" in capsys.readouterr().err
    assert asked == [("bfloat16", Running("map", "4bit", "ray", 3))]


@pytest.mark.parametrize(
    ("page", "words", "mark", "others"),
    [
        ("devices", "take `--device`", "| `--device ", set()),
        ("devices", "take `--quantise 4bit`", "| `--quantise ", set()),
        ("devices", "take `--engine ray`", "| `--engine ", {"lab", "study"}),  # these train on it, by another page
        ("servers", "take --model", "or a served model", set()),
        ("commands", "also take a model behind a server", "or a served model", set()),
    ],
)
def test_the_pages_list_the_commands_that_take_an_option(root, page, words, mark, others):
    text = " ".join((root / "docs" / f"{page}.md").read_text(encoding="utf-8").split())
    listed = re.search(rf"((?:`\w+`(?:, | and )?)+) {re.escape(words)}", text)
    assert listed is not None
    sections = (root / "docs" / "commands.md").read_text(encoding="utf-8").split("\n## personae ")[1:]
    takes = {section.split()[0] for section in sections if mark in section}
    assert set(re.findall(r"`(\w+)`", listed[1])) == takes - others


@NO_CUDA
def test_a_device_that_is_not_in_this_machine_is_refused_in_one_line(folder):
    assert "there is no CUDA device that PyTorch can use here" in refused(folder, device="cuda:1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "find_spec", lambda name: True if name == "bitsandbytes" else find_spec(name))
        for device in ("cpu", "map"):
            assert "needs a CUDA device" in refused(folder, quantise="4bit", device=device)


def test_four_bits_without_bitsandbytes_or_of_a_single_file_are_refused_in_one_line(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda _: None)
    assert 'pip install "personae[quantise]"' in refused(folder, quantise="4bit")
    assert "unknown quantisation '3bit'" in refused(folder, quantise="3bit")
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    assert "--device map takes a checkpoint folder" in refused(tmp_path / "model.gguf", device="map")


def test_training_takes_one_device_and_the_first_of_several():
    for device in ("auto", "cpu", "cuda", "cuda:0", "mps", "mps:0"):
        check_device(device, trains=True)
    with pytest.raises(BadInput, match="spread over several devices"):
        check_device("map", trains=True)
    with pytest.raises(BadInput, match="set CUDA_VISIBLE_DEVICES=2"):
        check_device("cuda:2", trains=True)


def test_an_apple_gpu_is_taken_by_the_name_that_a_model_on_it_has_for_its_place(folder, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert found_here("mps:0") == "mps:0"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert "there is no Apple GPU" in refused(folder, device="mps:0")


@pytest.mark.parametrize(
    ("running", "option"), [(Running(device="cpu"), "device"), (Running(quantise="4bit"), "quantise")]
)
def test_a_served_model_runs_where_it_is_served(running, option):
    with pytest.raises(BadInput, match=f"leave --{option} out"):
        open_model("http://localhost:1/v1#m", running=running)


def test_the_run_folder_says_where_it_ran_and_does_not_depend_on_it(
    tiny_lab, small_cast, small_traits, tmp_path, capsys
):
    named = ["--cast", str(small_cast), "--traits", str(small_traits)]
    for device in ("cpu", "map"):  # the second finds the first's folder, finished
        assert personae(["measure", str(tiny_lab), *named, "--device", device, "--out", str(tmp_path / "run")]) == 0
    record = json.loads((tmp_path / "run/run.json").read_text())
    assert record["device"] == "cpu"
    assert "device" not in record["configuration"]
