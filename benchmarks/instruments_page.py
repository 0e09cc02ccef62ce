"""The page of the instruments, `docs/instruments.md`, from the figures that ship."""

from collections import defaultdict
from pathlib import Path
from statistics import median

from personae.records.files import read_arrays, write_text
from personae.theory.reliability import RELIABLE

HEAD = """# Instruments: what a model can show, and how it is asked

An *instrument* is a way of asking a model about a trait. `personae measure M --instrument NAME` has six. Each gives a
level in nats, the high pole over the low one. Levels of two instruments have the same unit but not the same scale, so
do not compare them.

| instrument | asks | cancels |
|---|---|---|
| `answers` (default) | every item: log-likelihood of high answers less that of low ones | |
| `behaviour` | the same, on what somebody does in a situation | |
| `statements` | the same, on what somebody says of himself | |
| `yes-no` | "would you answer like this?", of both poles | a liking for Yes |
| `options` | "A or B?", in both orders | a liking for a letter or a place |
| `sampled` | free answers, scored by a judge | |

A judge is any served model (`--judge http://host:8000/v1#name`), asked through Inspect
(`pip install 'personae[judge]'`). Answers that it did not score are counted and shown, and enter no mean.

How to read the tables:

- *Reliability* comes from variance components over the cast's personas: how well a trait's items tell them apart. A
  cell (model × trait × instrument) below a half is marked "this model cannot show it".
- *Split half*, *retest* and *agreement* are correlations over personas: of two random halves of the items, stepped up
  to the whole; of the same asked in a second wording; with `behaviour`.
- *Human answers* are those of somebody with feelings or a body: how likely they are, of the two on offer, for the
  Assistant (under no context), and how much more so than for a plain tool or for people (under their descriptions).
  *Human share* is where the Assistant stands between these two (0 and 1), in nats; "unknown" where the model does not
  tell them apart.
- *Attenuation* is the share of an instrument that a LoRA of 8 steps of 8 plain answers takes away, at a rate of 2e-4
  (light) and 1e-3 (heavy), over the traits that the instrument shows. Below zero, the characters stand further apart
  than before.
- Intervals are of 95 %: Fisher's for correlations (personas taken as independent), else over draws of items or traits.
  One seed of training.

**An audit mostly shows fewer traits** than these tables, or than `measure`. It judges a trait by three quarters of the
items that it reads (12 of 16), because the others measure attenuation. `measure` reads all 27 or 28 items of a trait,
and beside its own figure says of how many items the one in these tables is.

**Read retest and agreement beside reliability.** Where items share their wording, an instrument that the model does not
understand can still tell its personas apart, in the same way on every item. The laboratory's model knows no English,
and its `yes-no` and `options` are of this kind.

**Why `answers` is the default.** It is `behaviour` and `statements` together, and shows more traits than either.

- A light LoRA takes nothing from `behaviour` and `statements` on any of four models of 135 M to 1.5 billion parameters,
  and the personas keep their order in a second wording (0.94 to 0.98).
- On the three smaller models, `yes-no` and `options` keep little of that order (0.10 to 0.61) and may lose much to a
  light LoRA: `options` loses 0.50 [0.32, 0.75] on SmolLM2-135M, while the intervals of the other losses, up to 0.33,
  reach zero.
- At five times the rate, `yes-no` and `options` are gone on Qwen2.5-Coder-0.5B (1.13 [0.10, 1.94] and 0.92
  [0.58, 1.35]), where nothing certain is lost of the other instruments.
- At five times the rate, `behaviour` has lost 0.34 [0.24, 0.42] on SmolLM2-135M and 0.13 [0.03, 0.38] on
  Qwen2.5-Coder-1.5B; how much on the two others is not known.
- Qwen2.5-Coder-1.5B is the first model that can be asked about itself: `yes-no` loses nothing to the light LoRA and
  keeps its order (0.79), though that order is not that of `behaviour` (0.11).

Keep the dose light. These figures are for plain answers; code and short statements take more at the same rate
([lab-notes.md](lab-notes.md#on-a-gpu)).

**Human by default?** Only partly, and six to ten items say little of it. Asked for what it would say of itself, the
Assistant of the base model, Gemma-3-270M, stands two thirds of the way from a plain tool to people (feelings 0.65
[0.58, 0.71], body 0.64 [0.40, 0.86]). Of the three instruct models, two stand above a plain tool in one thing each:
SmolLM2-135M in its body (0.70 [0.52, 1.05]) and Qwen2.5-Coder-1.5B in its feelings (0.42 [0.02, 1.29]), both by
statements. Elsewhere the interval reaches a plain tool, or the model does not tell tools from people. As probabilities,
no Assistant of these four surely gives human answers more often than a plain tool; Qwen2.5-Coder-0.5B's gives them less
often in what it does with a body (−0.10 [−0.23, −0.01]).

**What is not there.** `sampled` was tried once: SmolLM2-135M under eight personas (two traits, four items), judged by
Qwen2.5-Coder-1.5B behind `transformers serve`, in 13 minutes on two cores. All 80 verdicts could be read, and all were
0, of warm and of cold answers alike: so small a judge is none, and `measure` says so. `lab` is without `answers` and
`statements`: its items are all of what somebody does, so the first are its `behaviour` and of the second there are
none. Qwen2.5-Coder-1.5B has 8 personas and 8 traits of the library's 32 and 16.

**Coherence gate.** `measure` of a trained model also measures the model that it was trained from (named by the
checkpoint, or by `--untrained`). If the trained model has less than half of that model's coherence (one bit a token),
its profile is not to be read, and the command says so. The bar was chosen before any model was held to it.

**Outside the Assistant's turn.** `measure M --outside` also says what `compare` says of a training: how far raw text
moved from the untrained model's, beside the Assistant's answers; how much of the shift of the Assistant's traits other
speakers took on; how often a coin in the user's turn falls as the Assistant would like, before and after; and how many
answers are nobody's. These ask in their own ways, whatever the instrument. Where there is no untrained model, only the
coin and the answers of nobody are told, of the one model. A served model cannot be asked.

To make it again, for one model: `python benchmarks/instruments.py MODEL --ship`, which reads 16 items of a trait
(`lab`: `--items 4`; Qwen2.5-Coder-1.5B: `--personas 8 --traits 8`).
"""
Figures = dict[
    str, dict[str, dict[str, list[tuple[str, float, float, float]]]]
]  # model, figure, instrument, (trait, …)


def write(figures: Path, page: Path) -> None:
    """The page, whole."""
    write_text(page, f"{HEAD}\n{tables(figures)}")


def tables(figures: Path) -> str:
    """Every model's tables, as Markdown."""
    columns = read_arrays(figures)
    found: Figures = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    names = ("model", "figure", "instrument", "trait", "value", "low", "high")
    for model, figure, name, *cell in zip(*(columns[c].tolist() for c in names), strict=True):
        found[model][figure][name].append(tuple(cell))
    return "\n".join(_model(model, found[model]) for model in found)


def _model(model: str, figures: dict) -> str:
    parts = [f"## {model}\n", _overview(figures), _traits(figures["reliability"])]
    return "\n".join([*parts, _human(figures)])


def _overview(figures: dict) -> str:
    """One line an instrument."""
    lines = ["| instrument | traits it shows | median reliability | split half | retest | agreement | light | heavy |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for name, cells in figures["reliability"].items():
        shown = sum(value >= RELIABLE for _, value, *_ in cells)
        middle = [_median(figures[f].get(name, [])) for f in ("reliability", "split half", "retest", "agreement")]
        faded = [_interval(figures.get(f"attenuation, {dose}", {}).get(name, [])) for dose in ("light", "heavy")]
        lines.append(f"| {name} | {shown} of {len(cells)} | {' | '.join(middle)} | {' | '.join(faded)} |")
    return "\n".join(lines) + "\n\n`light`, `heavy`: attenuation. Medians are over traits.\n"


def _traits(reliability: dict) -> str:
    """Reliability of every cell; those below the bar are struck out."""
    names = list(reliability)
    cells = {name: {trait: value for trait, value, *_ in found} for name, found in reliability.items()}
    lines = [f"| reliability | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for trait in dict.fromkeys(t for found in cells.values() for t in found):
        told = [_number(cells[n].get(trait, float("nan"))) for n in names]
        struck = [t if cells[n].get(trait, 0.0) >= RELIABLE else f"~~{t}~~" for n, t in zip(names, told, strict=True)]
        lines.append(f"| {trait} | {' | '.join(struck)} |")
    return "\n".join(lines) + "\n"


def _human(figures: dict) -> str:
    """How often the human answer is given, by whom, and where the Assistant stands between the two others."""
    columns = ["human rate", "human rate, less tools", "human rate, less people", "human share"]
    if not all(figures.get(column) for column in columns):
        return ""
    lines = ["| human answers | Assistant | less a plain tool | less people | human share |", "|---|---|---|---|---|"]
    for name in figures["human share"]:
        told = [{cell[0]: _interval([cell]) for cell in figures[column][name]} for column in columns]
        lines += [f"| {trait}, {name} | {' | '.join(cells[trait] for cells in told)} |" for trait in told[0]]
    return "\n".join(lines) + "\n"


def _median(cells: list) -> str:
    known = [value for _, value, *_ in cells if value == value]
    return _number(median(known) if known else float("nan")) if cells else ""


def _number(value: float) -> str:
    return f"{value:.2f}" if value == value else "unknown"


def _interval(cells: list) -> str:
    if not cells:
        return ""
    _, value, low, high = cells[0]
    return f"{value:.2f} [{low:.2f}, {high:.2f}]" if value == value else "unknown"
