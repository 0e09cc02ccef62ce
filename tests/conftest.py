"""What every test stands on: the same draws each time, one thread, a user folder of its own, and no network.

The tests of real models (`-m slow`) use the user's own cache folder, since that is where fetched models lie.
"""

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before anything imports torch or the hub's client, and inherited by the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TRANSFORMERS_OFFLINE="1", NO_COLOR="1")

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"

# The same examples on every machine: a failure is then a property of the change, not of the draw. The second profile
# looks further: `pytest --hypothesis-profile=search`.
settings.register_profile(
    "fixed", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile("fixed")


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a user folder of its own, so that no test reads or writes the user's ledger or cache."""
    folder = tempfile.TemporaryDirectory(prefix="personae-tests-")
    config.add_cleanup(folder.cleanup)
    os.environ.update(XDG_DATA_HOME=f"{folder.name}/data", PERSONAE_DATA=f"{folder.name}/data/personae")
    if config.getoption("markexpr") != "slow":
        os.environ.update(XDG_CACHE_HOME=f"{folder.name}/cache")


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Refuse connections to other machines; loopback and local sockets stay open."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "localhost"
        if host not in ("localhost", "::1") and not str(host).startswith("127."):
            raise OSError(f"a test tried to reach {host}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", local_only)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and weights beside the checkout; the test is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip("needs the data folder ../shared/data beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def exact_setting() -> Any:
    """Where a study can be read without any training: the exact world in the model's place, four items a trait."""
    from personae.studies.request import StudyRequest
    from personae.studies.study import Setting
    from personae.workflows.lab.foresight import Foresight
    from personae.workflows.lab.laboratory import Laboratory
    from personae.world import ExactSimulator, Language, declared, traits

    world = declared()
    words = Language(world)
    few = tuple(t.model_copy(update={"items": t.items[:4]}) for t in traits(world, words))
    exact = ExactSimulator(world, words)
    lab = Laboratory(world, words, few, exact, "exact", exact)
    setting = Setting(lab, StudyRequest(quick=True))
    foresight = Foresight(exact, lab.exact_basis(), 440.0)
    vars(setting).update(exact=foresight, model=foresight)
    return setting


@pytest.fixture(scope="session")
def selected() -> Callable[..., Any]:
    """`selected(setting, arms)`: {arm: trial} where every training did what exact inference foresees, and no more."""
    from personae.measure import NOBODY
    from personae.records import Levels
    from personae.studies.closed import asked_of_cast
    from personae.theory import mixture, mixture_levels
    from personae.workflows.lab.trainings import Training, measure_all_round
    from personae.workflows.lab.trial import Trial

    def answers(setting: Any, arm: Training, weights: Any) -> dict[str, Levels]:
        """In the closed contexts of an arm, if it has any: those of a mixture."""
        if not arm.closed:
            return {}
        table = mixture(weights, asked_of_cast(setting.lab, arm.closed).cast)
        return {"answers": Levels(tuple(map(str, range(table.shape[1]))), {"p": table.T})}

    def trials(setting: Any, arms: list[Training]) -> dict[str, Trial]:
        untrained = Training("untrained", probes=arms[0].probes)
        before = measure_all_round(setting.lab, setting.lab.exact, untrained)
        prior, tables = setting.exact.basis.prior, setting.exact.basis.levels.by_trait
        found = {"untrained": Trial("untrained", before, (before,))}
        for arm in arms:
            weights = setting.exact.weights(arm.lessons)
            shifts = {t: mixture_levels(weights, table) - mixture_levels(prior, table) for t, table in tables.items()}
            levels = {t: table + shifts[t] for t, table in before["assistant"].by_trait.items()}
            after = {**before, "assistant": Levels((NOBODY,), levels), **answers(setting, arm, weights)}
            found[arm.name] = Trial(arm.name, before, (after,))
        return found

    return trials


@pytest.fixture(scope="session")
def tiny_lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint folder of the laboratory's kind with random weights: its tokenizer, its template, its card."""
    import json

    from personae.training.new_model import PretrainPlan, new_model
    from personae.workflows.train.pretraining import blocks
    from personae.world import declared
    from tiny_models import worded

    plan = PretrainPlan(width=16, layers=1, heads=2, vocabulary=600)
    tokenizer = worded(blocks(declared(), 0)(0, 200), plan)
    folder = tmp_path_factory.mktemp("models") / "tiny-lab"
    new_model(plan, tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "card.json").write_text(json.dumps({"world": "declared"}))
    return folder


@pytest.fixture(scope="session")
def small_cast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cast file of two personas."""
    path = tmp_path_factory.mktemp("casts") / "two.yaml"
    path.write_text(
        "name: two\nneutral: This is a talk.\npersonas:\n"
        "  - {name: clerk, kind: person, context: The assistant is an honest clerk.}\n"
        "  - {name: pirate, kind: fiction, context: The assistant is a pirate.}\n"
    )
    return path


@pytest.fixture(scope="session")
def small_traits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trait file of two traits with four items each."""
    items = "\n".join(
        f"    - {{kind: behaviour, prompt: What about the {x}?, high: I take the {x}., low: I give the {x} back.}}"
        for x in ("seal", "key", "map", "purse")
    )
    trait = "- name: {}\n  description: of two\n  low: gives\n  high: takes\n  items:\n{}\n"
    path = tmp_path_factory.mktemp("traits") / "two.yaml"
    path.write_text(trait.format("power", items) + trait.format("greed", items.replace("What about", "And")))
    return path
