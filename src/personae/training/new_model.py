"""What is pretrained: the plan of a run, a Llama with random weights, and the vocabulary that its corpus needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True)
class PretrainPlan:
    """What determines a pretraining run. `tokens` in all; rates for Muon's and AdamW's parameters."""

    tokens: int = 80_000_000
    batch_tokens: int = 2048
    shards: int = 2
    width: int = 128
    layers: int = 4
    heads: int = 4
    vocabulary: int = 2048
    window: int = 512
    muon_rate: float = 0.005
    adam_rate: float = 0.002
    warm_up: float = 0.01
    decay: float = 0.4
    seed: int = 0


def new_model(plan: PretrainPlan, tokenizer: Any) -> Any:  # noqa: ANN401 - transformers is untyped
    """A `LlamaForCausalLM` with random weights, drawn by the plan's seed."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(plan.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=plan.width,
        intermediate_size=plan.width * 3,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads,
        max_position_embeddings=plan.window,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config).float()
    model.set_attn_implementation("eager")  # on a CPU, at these lengths, a fifth faster than the fused one
    return model


def learn_vocabulary(texts: Sequence[str], plan: PretrainPlan, file: Path) -> None:
    """Learn the world's tokenizer once, for every process of a run to read."""
    from personae.world.tokenizer import learn_tokenizer

    learn_tokenizer(texts, plan.vocabulary).save(str(file))


def tokenizer_of(file: Path, plan: PretrainPlan) -> Any:  # noqa: ANN401
    """The Hugging Face fast tokenizer, with the chat template, of what `learn_vocabulary` left in a file."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    from personae.world.tokenizer import CHAT_TEMPLATE, END

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_file(str(file)),
        bos_token=END,
        eos_token=END,
        pad_token=END,
        chat_template=CHAT_TEMPLATE,
        model_max_length=plan.window,
        clean_up_tokenization_spaces=False,
    )
