"""From a name to a simulator, and one clear line for every name that is none."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertForMaskedLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from personae.errors import BadInput
from personae.records import chat
from personae.simulator import load
from personae.simulator.digests import digest_folder
from personae.simulator.listing import Listed, find, listed
from personae.simulator.locating import locate
from personae.simulator.registry import open_model
from personae.simulator.server_tokenizer import open_tokenizer
from personae.workflows.doses import dose_for
from personae.workflows.nouns_for import world_of

SHAPE: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
EPISODE = chat("Hi", "Yes")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAE_CACHE", str(tmp_path / "cache"))


def write_tokenizer(folder: Path) -> None:
    vocab = ["<|endoftext|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    core = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(vocab)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|endoftext|>").save_pretrained(folder)


def tiny_llama(seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(vocab_size=257, **SHAPE, max_position_embeddings=64)).eval()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint as the library writes it."""
    path = tmp_path / "tiny"
    tiny_llama().save_pretrained(path)
    write_tokenizer(path)
    return path


def test_a_folder_loads_with_the_weights_it_holds(folder: Path) -> None:
    simulator = load(str(folder))
    assert simulator.name == str(folder)
    assert simulator.window == 64
    for name, weight in tiny_llama().state_dict().items():
        assert (simulator.model.state_dict()[name] == weight).all()


def test_the_digest_is_of_the_content_and_not_of_the_place(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    (copy / "README.md").write_text("a remark")
    assert load(str(copy)).digest == load(str(folder)).digest
    tiny_llama(seed=1).save_pretrained(copy)
    assert load(str(copy)).digest != load(str(folder)).digest
    assert load(str(folder), dtype="bfloat16").digest != load(str(folder)).digest


def test_a_large_file_that_changes_gets_a_new_digest_though_it_was_kept(tmp_path: Path) -> None:
    weights = tmp_path / "model" / "model.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"a" * 2_000_000)
    first = digest_folder(weights.parent)
    assert digest_folder(weights.parent) == first
    weights.write_bytes(b"b" * 2_000_001)
    assert digest_folder(weights.parent) != first


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
def test_an_adapter_folder_loads_on_its_base(folder: Path, tmp_path: Path) -> None:
    import peft

    torch.manual_seed(2)
    settings = peft.LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
    adapted = peft.get_peft_model(load(str(folder)).model, settings)
    adapted.save_pretrained(tmp_path / "adapter")
    config = tmp_path / "adapter" / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "base_model_name_or_path": str(folder)}))
    base, loaded = load(str(folder)), load(str(tmp_path / "adapter"))
    found = loaded.log_likelihood([EPISODE], [""]).logp
    ids, start = loaded.dialogue.encode(EPISODE)
    with torch.no_grad():
        logp = adapted.eval()(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    assert found[0, 0] == pytest.approx(sum(float(logp[i - 1, ids[i]]) for i in range(start, len(ids))), abs=1e-4)
    assert loaded.digest != base.digest
    assert loaded.name == str(tmp_path / "adapter")


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning", "default:Found missing adapter keys")
def test_an_adapter_of_which_nothing_would_be_applied_is_refused(folder: Path, tmp_path: Path) -> None:
    """As one saved from a wrapped model: PEFT warns, and leaves the base as it was."""
    import peft
    from safetensors.torch import load_file, save_file

    settings = peft.LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
    peft.get_peft_model(load(str(folder)).model, settings).save_pretrained(tmp_path / "adapter")
    config, weights = (tmp_path / "adapter" / f"adapter_{name}" for name in ("config.json", "model.safetensors"))
    config.write_text(json.dumps({**json.loads(config.read_text()), "base_model_name_or_path": str(folder)}))
    load(str(tmp_path / "adapter"))
    renamed = {key.replace("base_model.", "base_model.wrapped."): part for key, part in load_file(weights).items()}
    save_file(renamed, weights, metadata={"format": "pt"})
    said = refused(tmp_path / "adapter")
    assert "does not fit its base model: Found missing adapter keys" in said and "q_proj" in said and len(said) < 500


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
def test_an_adapter_that_is_a_learned_prompt_is_refused(folder: Path, tmp_path: Path) -> None:
    import peft

    settings = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    peft.get_peft_model(load(str(folder)).model, settings).save_pretrained(tmp_path / "adapter")
    config = tmp_path / "adapter" / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "base_model_name_or_path": str(folder)}))
    with pytest.raises(BadInput, match="learned prompt, which stands before every row"):
        load(str(tmp_path / "adapter"))


def test_listed_models_answer_to_their_hub_ids_too() -> None:
    for model in listed():
        assert find(model.name) == model
        assert not model.hub or find(model.hub) == model


def test_every_listed_model_can_be_made_from_what_is_declared() -> None:
    for model in listed():
        assert bool(model.packages) != bool(model.made_by)
        if model.packages:
            assert len(model.sha256) == 64
            assert model.bytes > 0
            assert model.version
            assert len(set(model.packages)) == len(model.packages)


def test_a_study_s_checkpoint_is_found_by_its_name_and_says_what_made_it() -> None:
    """Each lies in the library, under its own name; what its card says made it is what is declared to make it."""
    own = [m for m in listed() if m.name.startswith("lab/")]
    assert {"lab/no-people", "lab/at-6M", "lab/role-models-20", "lab/fresh-1"} <= {m.name for m in own}
    assert len({m.folder for m in listed()}) == len(listed())
    for model in own:
        assert find(model.name.lower()) == model
        assert model.folder.parts[-3:] == ("library", "lab_models", model.name.removeprefix("lab/"))
        if model.ready:
            card = json.loads((model.folder / "card.json").read_text())
            assert (card["name"], card["made_by"]) == (model.name, model.made_by)


def test_a_study_s_checkpoint_that_is_not_here_says_which_command_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listed, "folder", property(lambda model: tmp_path / model.name))
    said = refused("lab/no-people")
    assert "lab/no-people is not part of this installation" in said
    assert "`personae pretrain --world no-people --tokens 14000000 --out DIR` and name DIR/model" in said
    assert "--keep-at 6000000 --out DIR` and name DIR/model-at-6000000" in refused("lab/at-6M")
    assert "personae pretrain" in refused("lab")


def test_a_model_is_ready_or_is_got_from_packages_or_is_made_by_a_command(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listed, "folder", property(lambda model: tmp_path / "nowhere"))
    assert {m.status for m in listed() if m.made_by} == {"to make"}
    assert {m.status for m in listed() if m.packages} == {"to get"}
    monkeypatch.setattr(Listed, "folder", property(lambda model: folder))
    assert {m.status for m in listed()} == {"ready"}


def test_a_name_of_no_checkpoint_lists_near_ones_and_is_not_looked_for_on_the_hub() -> None:
    assert "did you mean lab/no-people" in refused("lab/no-peopel")


def test_listing_models_imports_nothing_heavy(root: Path) -> None:
    code = (
        "import sys; from personae.simulator.listing import listed; listed(); import personae.simulator.registry;"
        "print([m for m in ('torch', 'transformers', 'peft', 'huggingface_hub', 'numpy.testing') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(root / "src")}
    )
    assert done.stdout.strip() == "[]"


def refused(name: object, **options: Any) -> str:
    with pytest.raises(BadInput) as caught:
        load(str(name), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_takes_the_name_of_a_listed_model_only_where_it_holds_a_model(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run folder may be called as the model is that was run."""
    monkeypatch.chdir(tmp_path)
    run, listed_one = tmp_path / "lab", find("lab")
    assert listed_one is not None
    run.mkdir()
    (run / "run.json").write_text("{}")
    (run / "model").mkdir()
    assert (locate("lab").name, locate("lab").path) == ("lab", listed_one.folder)
    assert world_of("lab") is not None and dose_for("lab").fitted
    assert open_tokenizer(["lab"]).get_vocab() == open_tokenizer([str(listed_one.folder)]).get_vocab()
    for file in folder.iterdir():
        (run / file.name).write_bytes(file.read_bytes())
    assert locate("lab").path == Path("lab") and load("lab").digest == load(str(folder)).digest
    assert world_of("lab") is None and not dose_for("lab").fitted
    assert open_tokenizer(["lab"]).get_vocab() == load(str(folder)).tokenizer.get_vocab()


@pytest.mark.parametrize("asks", [locate, world_of, dose_for, lambda name: open_tokenizer([name])])
def test_the_home_of_nobody_is_one_line(asks: Any) -> None:
    with pytest.raises(BadInput, match=r"^~nosuch/m: there is no user of that name - write the path in full$"):
        asks("~nosuch/m")


def test_an_unknown_name_lists_near_ones_and_no_others() -> None:
    assert "did you mean smollm2-135m-instruct" in refused("smollm-135m")
    assert refused("nothing like it at all").endswith("`personae models` lists what can be named")


def test_a_listed_model_that_is_not_here_says_how_to_get_it() -> None:
    message = refused("gemma-3-270m")
    assert "personae models get gemma-3-270m" in message
    assert "google/gemma-3-270m" in message


def test_a_hub_id_that_cannot_be_reached_says_so() -> None:
    unknown = refused("some-body/some-model")
    assert "Hub cannot be reached" in unknown
    assert unknown.endswith("`personae models` lists what can be named") and "lab/" not in unknown
    assert "did you mean gemma-3-270m?" in refused("google/gemma3-270m")
    assert "personae models get gemma-3-270m" in refused("google/gemma-3-270m")


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone") == f"{tmp_path / 'gone'}: no such file or folder"
    assert "no such file" in refused(tmp_path / "gone.gguf")


def test_pickled_weights_are_refused_unread(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"not even a pickle")
    assert "pickled weights (pytorch_model.bin)" in refused(folder)
    assert "pickled weights" in refused(folder / "pytorch_model.bin")


def test_an_adapter_with_pickled_weights_is_refused(folder: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(folder)}))
    (adapter / "adapter_model.bin").write_bytes(b"")
    assert "pickled weights (adapter_model.bin)" in refused(adapter)


def test_an_encoder_is_refused(tmp_path: Path) -> None:
    BertForMaskedLM(BertConfig(vocab_size=257, **SHAPE)).save_pretrained(tmp_path / "bert")
    write_tokenizer(tmp_path / "bert")
    assert "BertForMaskedLM is not a causal language model" in refused(tmp_path / "bert")


def test_a_checkpoint_that_lacks_weights_is_refused_rather_than_filled_with_noise(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.0.self_attn.q_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert "lacks weights, 1 of them, first model.layers.0.self_attn.q_proj.weight" in refused(folder)


def test_a_folder_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    assert "there is no config.json" in refused(tmp_path)
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "config.json").write_text("{}")
    assert f"name {tmp_path / 'checkpoint'}" in refused(tmp_path)
    (tmp_path / "config.json").write_text("{")
    assert "cannot be read as JSON" in refused(tmp_path)
    (tmp_path / "config.json").write_text('{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}')
    assert "holds no weights" in refused(tmp_path)


def test_broken_weights_are_one_line(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"broken")
    assert "cannot be loaded as a language model" in refused(folder)


def test_a_device_that_is_not_there_is_refused(folder: Path) -> None:
    assert "unknown device 'nonsense'" in refused(folder, device="nonsense")


@pytest.mark.parametrize("how", [{"device": "cuda:9"}, {"quantise": "4bit"}, {"quantise": "3bit"}])
def test_nothing_is_looked_for_where_it_could_not_run(monkeypatch: pytest.MonkeyPatch, how: Any) -> None:
    """A name may stand for a download of gigabytes."""
    monkeypatch.setattr("personae.simulator.registry.locate", lambda name: pytest.fail(f"{name} was looked for"))
    refused("some-body/some-model", **how)


def test_an_unknown_number_type_is_refused(folder: Path) -> None:
    assert "one of float32, bfloat16, float16" in refused(folder, dtype="int3")


@pytest.mark.parametrize("opens", [load, open_model])
@pytest.mark.parametrize("name", ["", " "])
def test_a_blank_name_is_no_model_not_even_in_a_folder_that_holds_one(folder: Path, monkeypatch, opens, name):
    assert find(name) is None
    monkeypatch.chdir(folder)
    with pytest.raises(BadInput, match="no model is named"):
        opens(name)
