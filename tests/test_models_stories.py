"""A real trained model small enough for every run: 260 thousand weights that tell children's stories.

The weights lie in llama2.c's format, which this reads as a test only: seven integers, then float32 matrices in a fixed
order. That program turns neighbouring pairs of a head's numbers, Hugging Face's Llama turns halves, so the rows of the
query and key matrices are put in another order.
"""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from personae.records import Cast, Persona, text
from personae.simulator import load
from personae.simulator.local import LocalSimulator
from personae.simulator.numerics import rounding_error

CONTEXTS = ["A story about a happy little girl.", "A story about a big angry dog."]
CAST = Cast(
    name="two",
    neutral="A story.",
    personas=tuple(
        Persona(name=name, kind="fiction", context=context)
        for name, context in zip(("girl", "dog"), CONTEXTS, strict=True)
    ),
)
EPISODES = [
    text("Once upon a time,", " there was a little girl named Lily."),
    text("One day, a dog", " was very angry."),
    text("The boy was sad. He", " wanted to go home."),
    text("Once upon a time,", " the the of cat seven."),
]


def read_weights(file: Path) -> LlamaForCausalLM:
    """The model of a llama2.c file."""
    data = file.read_bytes()
    dim, hidden, layers, heads, kv_heads, vocab, window = struct.unpack("7i", data[:28])
    shape: dict[str, Any] = {"hidden_size": dim, "intermediate_size": hidden, "num_hidden_layers": layers}
    config = LlamaConfig(
        vocab_size=vocab,
        **shape,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=window,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
    )
    flat = torch.from_numpy(np.frombuffer(data, dtype="<f4", offset=28).copy())
    place = 0

    def take(*size: int) -> torch.Tensor:
        nonlocal place
        count = int(np.prod(size))
        place += count
        return flat[place - count : place].reshape(size)

    def halves(matrix: torch.Tensor, heads: int) -> torch.Tensor:
        rows = matrix.shape[0] // heads
        return matrix.reshape(heads, rows // 2, 2, dim).transpose(1, 2).reshape(matrix.shape)

    kv = dim // heads * kv_heads
    weights = {"model.embed_tokens.weight": take(vocab, dim)}
    order = [
        ("input_layernorm", (dim,)),
        ("self_attn.q_proj", (dim, dim)),
        ("self_attn.k_proj", (kv, dim)),
        ("self_attn.v_proj", (kv, dim)),
        ("self_attn.o_proj", (dim, dim)),
        ("post_attention_layernorm", (dim,)),
        ("mlp.gate_proj", (hidden, dim)),
        ("mlp.down_proj", (dim, hidden)),
        ("mlp.up_proj", (hidden, dim)),
    ]
    for name, size in order:
        for layer, matrix in enumerate(take(layers, *size)):
            turned = {"self_attn.q_proj": heads, "self_attn.k_proj": kv_heads}.get(name)
            weights[f"model.layers.{layer}.{name}.weight"] = halves(matrix, turned) if turned else matrix
    weights["model.norm.weight"] = take(dim)
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    model = LlamaForCausalLM(config).eval()
    model.load_state_dict(weights)
    return model


def read_tokenizer(file: Path) -> PreTrainedTokenizerFast:
    """Its tokenizer: pieces with a rank, joined best rank first."""
    data, place, pieces = file.read_bytes(), 4, []
    while place < len(data):
        (length,) = struct.unpack("i", data[place + 4 : place + 8])
        pieces.append(data[place + 8 : place + 8 + length].decode().replace(" ", "▁"))
        place += 8 + length
    pieces[1:3] = ["<s>", "</s>"]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    merges = [
        (piece[:cut], piece[cut:])
        for piece in pieces[259:]
        for cut in range(1, len(piece))
        if piece[:cut] in vocab and piece[cut:] in vocab
    ]
    core = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


@pytest.fixture(scope="module")
def stories(shared: Path) -> LocalSimulator:
    folder = shared / "weights" / "stories260K"
    model, tokenizer = read_weights(folder / "stories260K.bin"), read_tokenizer(folder / "tok512.bin")
    return LocalSimulator.from_parts(model, tokenizer, "stories260K")


def test_it_tells_a_story(stories: LocalSimulator) -> None:
    told = stories.continuations(["Once upon a time,"], max_tokens=30, temperature=0.0)[0]
    assert told.strip().startswith("there was a little")


def test_evidence_equals_the_loop_on_trained_weights(stories: LocalSimulator) -> None:
    found = stories.log_likelihood(EPISODES, CONTEXTS).logp
    for n, episode in enumerate(EPISODES):
        for k, context in enumerate(CONTEXTS):
            ids, start = stories.dialogue.encode(episode, context)
            with torch.inference_mode():
                logp = stories.model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
            truth = sum(float(logp[i - 1, ids[i]]) for i in range(start, len(ids)))
            assert found[n, k] == pytest.approx(truth, abs=2e-3)


def test_a_story_is_likelier_than_its_words_at_random(stories: LocalSimulator) -> None:
    found = stories.log_likelihood(EPISODES, CONTEXTS).logp
    assert (found[3] < found[0] - 20.0).all()


def test_sixteen_bits_are_close_where_the_text_is_ordinary(stories: LocalSimulator) -> None:
    truth = stories.log_likelihood(EPISODES[:3], CONTEXTS).logp
    low = LlamaForCausalLM(stories.model.config)
    low.load_state_dict(stories.model.state_dict())
    simulator = LocalSimulator.from_parts(low.to(torch.bfloat16), stories.tokenizer, "low")
    error = simulator.log_likelihood(EPISODES[:3], CONTEXTS).logp - truth
    assert 0.0 < np.sqrt((error**2).mean()) < 0.2


def one_by_one(simulator: LocalSimulator) -> np.ndarray:
    """(N, K + 1) nats: each row alone through the body in its own type, and through a head in float32."""
    truth = np.zeros((len(EPISODES), len(CAST.contexts)))
    for n, episode in enumerate(EPISODES):
        for k, context in enumerate(CAST.contexts):
            ids, start = simulator.dialogue.encode(episode, context)
            with torch.inference_mode():
                hidden = simulator.model.model(input_ids=torch.tensor([ids])).last_hidden_state[0].float()
                logp = (hidden @ simulator.model.lm_head.weight.float().T).log_softmax(-1)
            truth[n, k] = sum(float(logp[i - 1, ids[i]]) for i in range(start, len(ids)))
    return truth


def test_the_error_reported_is_that_of_a_comparison_row_by_row(stories: LocalSimulator, tmp_path: Path) -> None:
    stories.model.save_pretrained(tmp_path / "stories")
    stories.tokenizer.save_pretrained(tmp_path / "stories")
    rounded = load(str(tmp_path / "stories"), dtype="bfloat16")
    rounded.model.float()  # its weights are rounded and its sums are not, so they do not depend on the batch
    found = rounding_error(rounded, "bfloat16", CAST, EPISODES)
    errors = one_by_one(rounded) - one_by_one(stories)
    bias = (errors - errors[:, :1]).mean(axis=0)
    assert found.rms == pytest.approx(np.sqrt((errors**2).mean()), abs=1e-4)
    assert list(found.bias.values()) == pytest.approx(bias.tolist(), abs=1e-4)
    assert found.rms > 1e-3 and found.resolution > 1e-3


def test_the_error_of_sixteen_bits_is_of_the_size_that_a_comparison_row_by_row_finds(
    stories: LocalSimulator, tmp_path: Path
) -> None:
    stories.model.save_pretrained(tmp_path / "stories")
    stories.tokenizer.save_pretrained(tmp_path / "stories")
    low = load(str(tmp_path / "stories"), dtype="bfloat16")
    found = rounding_error(low, "bfloat16", CAST, EPISODES)
    errors = one_by_one(low) - one_by_one(stories)
    # Another batch rounds differently: the two are draws of one error.
    assert 0.5 < found.rms / np.sqrt((errors**2).mean()) < 2.0


def test_it_loads_again_from_a_checkpoint(stories: LocalSimulator, tmp_path: Path) -> None:
    stories.model.save_pretrained(tmp_path / "stories")
    stories.tokenizer.save_pretrained(tmp_path / "stories")
    again = load(str(tmp_path / "stories")).log_likelihood(EPISODES, CONTEXTS)
    assert again.logp == pytest.approx(stories.log_likelihood(EPISODES, CONTEXTS).logp, abs=1e-5)
