"""The page of the instruments, `docs/instruments.md`, from the figures that ship."""

from collections import defaultdict
from pathlib import Path
from statistics import median

from personae.records.files import read_arrays, write_text
from personae.theory.reliability import RELIABLE

HEAD = """# Instruments: what a model can show, and how it is asked

`personae measure M --instrument NAME` asks about a trait in one of six ways. All give levels in nats, high pole over
low; levels of two instruments are in one unit and not on one scale.

| instrument | asks | cancels |
|---|---|---|
| `answers` (default) | every item: log-likelihood of high answers less that of low ones | |
| `behaviour` | the same, on what somebody does in a situation | |
| `statements` | the same, on what somebody says of himself | |
| `yes-no` | "would you answer like this?", of both poles | a liking for Yes |
| `options` | "A or B?", in both orders | a liking for a letter or a place |
| `sampled` | free answers, scored by a judge | |

A judge is any served model (`--judge http://host:8000/v1#name`), asked through Inspect (`pip install
'personae[judge]'`). What it did not score is counted and shown, and enters no mean.

A cell (model × trait × instrument) with a reliability below a half is marked "this model cannot show it". Reliability
is from variance components over the cast's personas. *Split half*: two random halves of the items, stepped up to the
whole. *Retest*: the same asked in a second wording. *Agreement*: with behaviour. The last three are correlations over
personas. *Human share*: where the Assistant stands between a plain tool (0) and people (1); "unknown" where the model
does not tell the two apart. *Attenuation*: the share of an instrument that a LoRA of 8 steps of 8 plain answers takes
away, at a rate of 2e-4 (light) and 1e-3 (heavy), over the traits that it shows. Intervals of 95 %: Fisher's for
correlations (personas taken as independent), else over draws of items or traits. One seed of training.

**Read retest and agreement beside reliability.** An instrument that a model does not understand can still tell its
personas apart, alike on every item, where items share their wording: the laboratory's model knows no English, and its
yes-no and options are that.

**Why `answers` is the default.** On none of four models of 135 M to 1.5 billion parameters does a light LoRA take
anything from behaviour and statements, and they keep their personas' order in a second wording (0.94 to 0.98).
`answers` is those two together, and shows more traits than either. Yes-no and options keep little of that order on the
three smaller models (0.10 to 0.61) and may lose much: options 0.50 [0.32, 0.75] on SmolLM2-135M, while the intervals of
the other losses there, up to 0.33, reach zero. At five times the rate both are gone on Qwen2.5-Coder-0.5B (1.13
[0.10, 1.94] and 0.92 [0.58, 1.35]), where nothing certain is lost of the others. Qwen2.5-Coder-1.5B is the first that
can be asked about itself: yes-no loses nothing and keeps its order (0.79), though that order is not behaviour's (0.11).
Keep the dose light: this is for plain answers, and code and short statements take more at the same rate
([lab-notes.md](lab-notes.md#on-a-gpu)).
At five times the rate behaviour has lost 0.34 [0.24, 0.42] on SmolLM2-135M and 0.13 [0.03, 0.38] on Qwen2.5-Coder-1.5B;
how much on the two others is not known.

**What is not there.** Qwen2.5-Coder-1.5B has 8 personas and 8 traits of the library's 32 and 16. SmolLM2-135M's
`answers` were measured by themselves, without their agreement with behaviour. A *negative* attenuation: the characters
stand further apart than before.

**Coherence gate.** `measure` of a trained model also measures the model that it was trained from (named by the
checkpoint, or by `--untrained`). Below half of its coherence, one bit a token, a profile is not to be read, and the
command says so. The bar is fixed: it was chosen before any model was held to it.

**Outside the Assistant's turn.** `measure M --outside` also says what `compare` says of a training: how far raw text
moved from the untrained model's, beside the Assistant's answers; how much of its traits' shift other speakers took
on; how often a coin in the user's turn falls as the Assistant would like, before and after; how many answers are
nobody's. These ask in their own ways, whatever the instrument. Of a model with no untrained one, the last two are told,
of it alone. A served model cannot be asked.

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
    return "\n".join([*parts, _human(figures.get("human share", {}))])


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


def _human(shares: dict) -> str:
    if not shares:
        return ""
    told = [f"{t} by {name} {_interval([cell])}" for name, found in shares.items() for cell in found for t in cell[:1]]
    return f"Human share: {'; '.join(told)}.\n"


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
