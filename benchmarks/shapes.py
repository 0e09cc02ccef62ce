"""What the engine is measured on: a model with the rows it is to score, and the arithmetic that these rows need.

A *shape* is a model with random weights and random token ids of the lengths that chats have: neither changes how long
anything takes. A *real* model reads the user's episodes under the first personas of the library's cast.

    needed FLOPs = 2 · body · (beginnings, once a persona + prompts + responses) + 2 · head · responses

`body` counts parameters without the embedding and the head, `head` those of the head; the rest are tokens. Attention's
own products are left out, so the share of a peak that follows from it is a little too low, for every method alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from personae import library
from personae.data import read_episodes
from personae.simulator import load
from personae.simulator.dialogue import Encoded

SHAPES = {  # vocabulary, width, feed-forward, layers, heads, heads of keys
    "tiny": (256, 32, 64, 2, 2, 2),
    "S": (2_048, 128, 384, 4, 4, 4),
    "M": (49_152, 576, 1_536, 30, 9, 3),  # SmolLM2-135M
    "Q": (151_936, 896, 4_864, 24, 14, 2),  # Qwen2.5-0.5B
    "7B": (152_064, 3_584, 18_944, 28, 28, 4),  # Qwen2.5-7B
}
PERSONA, PROMPT, RESPONSE = (40, 80), (20, 120), (30, 150)  # tokens, from and to
Table = list[list[Encoded]]


@dataclass
class Subject:
    """A model in float32, and its table of N episodes under K personas."""

    name: str
    model: Any
    table: Table

    @property
    def rows(self) -> list[Encoded]:
        """(N · K,) episode by episode."""
        return [row for rows in self.table for row in rows]

    @property
    def vocabulary(self) -> int:
        """Numbers in one token's logits."""
        return int(self.model.get_output_embeddings().weight.shape[0])


def of_shape(name: str, episodes: int, personas: int, device: str) -> Subject:
    """A random model of that shape, and random rows."""
    vocabulary, width, forward, layers, heads, keys = SHAPES[name]
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=forward,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=keys,
        max_position_embeddings=1024,
        tie_word_embeddings=name != "7B",
        dtype=torch.float32,
    )
    torch.manual_seed(0)
    with torch.device(device):
        model = LlamaForCausalLM(config).eval()
    return Subject(name, model, random_table(episodes, personas, vocabulary))


def random_table(episodes: int, personas: int, vocabulary: int) -> Table:
    """(N, K) rows: a persona's tokens, a prompt's, a response's."""
    draw = np.random.default_rng(0)

    def some(lengths: tuple[int, int]) -> list[int]:
        return list(map(int, draw.integers(0, vocabulary, draw.integers(*lengths))))

    contexts = [some(PERSONA) for _ in range(personas)]
    chats = [(some(PROMPT), some(RESPONSE)) for _ in range(episodes)]
    return [[Encoded(c + prompt + answer, len(c + prompt)) for c in contexts] for prompt, answer in chats]


def of_model(name: str, data: Path, episodes: int, personas: int, device: str) -> Subject:
    """A model by name, and the first episodes of a file under the first personas of the library's cast."""
    simulator = load(name, device=device)
    contexts = [persona.context for persona in library.cast().personas[:personas]]
    table = [
        [simulator.dialogue.encode(episode, context, window=simulator.window) for context in contexts]
        for episode in read_episodes(data, limit=episodes)
    ]
    return Subject(name, simulator.model.eval(), table)


def needed_flops(subject: Subject) -> float:
    """The arithmetic that the table needs, FLOPs."""
    embedding = subject.model.get_input_embeddings().weight
    head = subject.model.get_output_embeddings().weight
    body = sum(p.numel() for p in subject.model.parameters()) - embedding.numel()
    body -= 0 if head is embedding else head.numel()
    columns = list(zip(*subject.table, strict=True))
    shared = [_common([row.ids[: row.start] for row in column]) for column in columns]
    read = sum(
        known + sum(len(row.ids) - known for row in column) for known, column in zip(shared, columns, strict=True)
    )
    return 2.0 * body * read + 2.0 * head.numel() * responses(subject.rows)


def responses(rows: Sequence[Encoded]) -> int:
    """Tokens that are scored."""
    return sum(len(row.ids) - row.start for row in rows)


def _common(beginnings: Sequence[Sequence[int]]) -> int:
    """How many first tokens all share."""
    return sum(1 for _ in takewhile(lambda alike: len(set(alike)) == 1, zip(*beginnings, strict=False)))
