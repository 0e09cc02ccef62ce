"""How long the evidence of a file takes, and how much sooner it is there than by plainer ways, on several shapes.

    python benchmarks/evidence.py --shapes S M Q
    python benchmarks/evidence.py --shapes M Q 7B --device cuda --dtype bfloat16

64 episodes under 24 personas, random token ids of the lengths that chats have, and models with random weights of the
shapes that are named: neither changes how long anything takes. By turns, in one run:

- ours    what `personae audit` does: beginnings read once, like lengths together, the head on response tokens alone
- batches rows of like length, whole rows and whole logits, at the best of three batch sizes, as lm-eval does it
- loop    one row after another, whole logits (on so many rows as `--loop` says, and scaled up)

Printed: seconds for the whole matrix, ratios, and how far ours is from the loop, nats an answer, root mean square.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence
from transformers import LlamaConfig, LlamaForCausalLM

from personae.simulator.dialogue import Encoded
from personae.simulator.engine import score
from personae.simulator.network import Network

SHAPES = {  # vocabulary, width, feed-forward, layers, heads, heads of keys
    "S": (2_048, 128, 384, 4, 4, 4),
    "M": (49_152, 576, 1_536, 30, 9, 3),  # SmolLM2-135M
    "Q": (151_936, 896, 4_864, 24, 14, 2),  # Qwen2.5-0.5B
    "7B": (152_064, 3_584, 18_944, 28, 28, 4),  # Qwen2.5-7B
}
PERSONA, PROMPT, RESPONSE = (40, 80), (20, 120), (30, 150)  # tokens, from and to
ROWS = (8, 32, 128)  # sizes of a batch that `batches` tries
Table = list[list[Encoded]]
Scores = NDArray[np.float64]


def random_model(shape: str, device: str, dtype: torch.dtype) -> LlamaForCausalLM:
    """A model of that shape."""
    vocabulary, width, forward, layers, heads, keys = SHAPES[shape]
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=forward,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=keys,
        max_position_embeddings=1024,
        tie_word_embeddings=shape != "7B",
        dtype=dtype,
    )
    torch.manual_seed(0)
    with torch.device(device):
        return LlamaForCausalLM(config).to(dtype).eval()


def random_table(episodes: int, personas: int, vocabulary: int) -> Table:
    """(N, K) rows: a persona's tokens, a prompt's, a response's."""
    draw = np.random.default_rng(0)

    def some(lengths: tuple[int, int]) -> list[int]:
        return list(map(int, draw.integers(0, vocabulary, draw.integers(*lengths))))

    contexts = [some(PERSONA) for _ in range(personas)]
    chats = [(some(PROMPT), some(RESPONSE)) for _ in range(episodes)]
    return [[Encoded(c + prompt + answer, len(c + prompt)) for c in contexts] for prompt, answer in chats]


@torch.inference_mode()
def in_batches(model: LlamaForCausalLM, rows: list[Encoded], size: int) -> Scores:
    """Nats of each row, `size` rows of like length at a time."""
    found = np.zeros(len(rows))
    order = sorted(range(len(rows)), key=lambda n: -len(rows[n].ids))
    for first in range(0, len(rows), size):
        chosen = order[first : first + size]
        ids = pad_sequence([torch.tensor(rows[n].ids) for n in chosen], batch_first=True).to(model.device)
        logp = torch.log_softmax(model(input_ids=ids).logits.float(), dim=-1)
        for i, n in enumerate(chosen):
            start, stop = rows[n].start, len(rows[n].ids)
            found[n] = float(logp[i, start - 1 : stop - 1].gather(1, ids[i, start:stop, None]).sum())
    return found


def timed(device: str, work: Callable[[], Scores]) -> tuple[float, Scores]:
    """Seconds, and what was found."""
    if device != "cpu":
        torch.cuda.synchronize()
    begun = time.perf_counter()
    found = work()
    return time.perf_counter() - begun, found


def compare(shape: str, args: argparse.Namespace) -> str:
    """One line of the table."""
    dtype = getattr(torch, args.dtype)
    model = random_model(shape, args.device, dtype)
    table = random_table(args.episodes, args.personas, SHAPES[shape][0])
    flat = [row for rows in table for row in rows]
    alone = [flat[n] for n in np.random.default_rng(1).permutation(len(flat))[: args.loop]]
    network = Network(model)
    ways: dict[str, Callable[[], Scores]] = {
        "ours": lambda: score(network, table),
        "loop": lambda: in_batches(model, alone, 1),
    }
    ways |= {f"batches of {n}": lambda n=n: in_batches(model, flat, n) for n in args.rows}
    for work in ways.values():  # a device loads its kernels and takes its memory the first time
        timed(args.device, work)
    times: dict[str, list[float]] = {way: [] for way in ways}
    found: dict[str, Scores] = {}
    for _ in range(args.rounds):
        for way, work in ways.items():
            seconds, found[way] = timed(args.device, work)
            times[way].append(seconds * (len(flat) / len(alone) if way == "loop" else 1.0))
    middle = {way: float(np.median(t)) for way, t in times.items()}
    best = min((way for way in middle if way.startswith("batches")), key=lambda way: middle[way])
    near = [found["ours"].ravel()[n] for n in np.random.default_rng(1).permutation(len(flat))[: args.loop]]
    off = float(np.sqrt(np.square(np.array(near) - found["loop"]).mean()))
    ours = middle["ours"]
    read = sum(len(row.ids) for row in flat) / ours
    return (
        f"{shape:3} {args.dtype:9} {ours:9.2f} {middle[best]:9.2f} ({best:>14}) {middle['loop']:9.2f} "
        f"{middle[best] / ours:6.2f} {middle['loop'] / ours:6.1f} {read:10,.0f} {off:9.4f}"
    )


def main() -> None:
    """Compare, print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--shapes", nargs="+", choices=sorted(SHAPES), default=["S", "M", "Q"])
    asked.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    asked.add_argument("--device", default="cpu")
    asked.add_argument("--episodes", type=int, default=64)
    asked.add_argument("--personas", type=int, default=24)
    asked.add_argument("--rows", type=int, nargs="+", default=ROWS)
    asked.add_argument("--loop", type=int, default=64, help="rows that the loop reads")
    asked.add_argument("--rounds", type=int, default=3)
    args = asked.parse_args()
    where = torch.cuda.get_device_name() if args.device.startswith("cuda") else f"{torch.get_num_threads()} threads"
    print(f"{args.episodes} episodes x {args.personas} personas on {where}, torch {torch.__version__}")
    print("shape dtype      ours, s  batches, s                     loop, s  ratio  ratio  tokens/s  off, nats")
    for shape in args.shapes:
        print(compare(shape, args), flush=True)


if __name__ == "__main__":
    main()
