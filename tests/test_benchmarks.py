"""The benchmarks beside others run, say who the peer was, hold what was measured to the bars, share one page."""

import doctest
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from personae.records import Levels


@pytest.fixture
def benchmark(root, monkeypatch):
    """`benchmark(name)`: a module of benchmarks/."""
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    return importlib.import_module


@pytest.fixture
def alone(monkeypatch):
    """lm-eval is not installed."""
    monkeypatch.setitem(sys.modules, "lm_eval", None)


def test_a_quick_run_without_the_peer_says_so_and_writes_the_page(benchmark, alone, tmp_path, capsys):
    benchmark("evidence").main(["--quick", "--write", str(tmp_path / "page.md")])
    written = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "lm-eval is not installed" in capsys.readouterr().out
    assert "since lm-eval is not installed" in written
    assert "| float32 beside the loop: tiny |" in written
    assert "| tiny, bfloat16 | 4 × 3 |" in written


def test_mean_states_are_the_loops_and_their_part_stands_beside_another(benchmark, tmp_path):
    page = tmp_path / "page.md"
    for text in ("one\n", "two\n"):
        benchmark("setting").put(page, "evidence", text)
    benchmark("activations").main(["--quick", "--write", str(page)])
    written = page.read_text(encoding="utf-8")
    assert written.startswith("# Beside others") and "<!-- figures of evidence -->\ntwo\n<!--" in written
    assert "one\n<!--" not in written
    (line,) = [line for line in written.splitlines() if line.startswith("| distance to the loop: tiny |")]
    assert line.endswith("| yes |")
    (line,) = [line for line in written.splitlines() if line.startswith("| tiny | 4 |")]
    ours, theirs = (float(cell) for cell in line.split("|")[-3:-1])
    assert 0.0 < ours < 0.02 and 0.0 < theirs < 0.02


def test_a_distance_is_a_share_of_the_length_and_leaves_the_last_layer_out(benchmark):
    one = np.random.default_rng(0).normal(size=(3, 4, 5))
    other = 1.1 * one
    other[:, -1] = 7.0
    assert benchmark("activations").distance(other, one) == pytest.approx(0.1)


@pytest.mark.parametrize(("seconds", "apart", "held"), [(1.0, 0.001, "yes yes"), (1.2, 0.02, "**no** **no**")])
def test_mean_states_are_held_to_their_bars(benchmark, seconds, apart, held):
    job = benchmark("activations")
    times = {"ours": [seconds] * 3, "loop": [1.2, 1.3, 1.4], "bare": [1.0] * 3}
    found = job.Compared("S", 4, 100, times, apart, {"ours": 0.01, "loop": 0.01})
    assert " ".join(line[-1] for line in job.judged([found])) == held


def test_a_plain_loop_and_pretraining_learn_the_same_from_the_same_batches(benchmark, tmp_path):
    job, page = benchmark("pretraining"), tmp_path / "page.md"
    runs = job.compare(job.partial(job.documents, 300), job.TINY, 1, 1)
    (own,), (other,) = runs["ours"], runs["loop"]
    assert own.done == other.done and len(own.done) > 5
    assert own.losses == pytest.approx(other.losses, abs=1e-3)
    assert own.losses[-1] < own.losses[0] - 0.05, "and it does learn"
    job.put(page, "pretraining", job.section(runs, job.TINY, "Made."))
    written = page.read_text(encoding="utf-8")
    assert "| tokens a second over the loop |" in written and "| ours |" in written and "| loop |" in written


def test_ways_that_took_other_steps_are_not_compared(benchmark, monkeypatch):
    job = benchmark("pretraining")
    monkeypatch.setattr(job, "ours", lambda *_: job.Run((1, 2), (1.0, 1.0), (0.0, 1.0)))
    monkeypatch.setattr(job, "loop", lambda *_: job.Run((1, 3), (1.0, 1.0), (0.0, 1.0)))
    with pytest.raises(RuntimeError, match="same batches"):
        job.compare(None, job.TINY, 1, 1)
    monkeypatch.setattr(job, "loop", lambda *_: job.Run((1, 2), (1.0, 1.0), (0.0, 1.0 / 1.05)))
    assert job.judged(job.compare(None, job.TINY, 1, 2))[0][1:] == ("0.95 (0.95–0.95)", "≥ 1.1", "**no**")


def test_what_was_measured_is_kept_and_not_measured_again(benchmark, alone, tmp_path, monkeypatch):
    job, asked = benchmark("evidence"), ["--quick", "--keep", str(tmp_path / "kept"), "--write"]
    job.main([*asked, str(tmp_path / "first.md")])
    monkeypatch.setattr(job, "measure", lambda *_: pytest.fail("it was measured again"))
    job.main([*asked, str(tmp_path / "second.md")])
    first, second = ((tmp_path / name).read_text(encoding="utf-8") for name in ("first.md", "second.md"))
    assert first.split("## Times")[1] == second.split("## Times")[1]
    with pytest.raises(pytest.fail.Exception, match="measured again"):
        job.main([*asked, str(tmp_path / "third.md"), "--episodes", "3"])


TELLS_PEAKS = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the kernel tells no peak")


@TELLS_PEAKS
def test_memory_beyond_the_model_is_a_number_of_bytes(benchmark, capsys):
    benchmark("memory").main(["tiny", "ours", "2", "2"])
    assert int(capsys.readouterr().out) >= 0


@TELLS_PEAKS
def test_memory_is_that_of_the_way_alone_and_an_earlier_peak_is_forgotten(benchmark):
    """The most of three: a kernel that takes cold pages back meanwhile hides what is taken."""
    extra = benchmark("memory").extra_here
    much, little = (max(extra(lambda mb=mb: np.ones(mb * 2**17)) for _ in range(3)) for mb in (96, 32))
    assert much / 2**20 == pytest.approx(96, abs=16) and little / 2**20 == pytest.approx(32, abs=16)


def test_the_memory_of_an_audit_is_found_by_a_process_of_its_own_and_written(benchmark, tmp_path):
    benchmark("audit_memory").main(["2000", "--write", str(tmp_path / "page.md")])
    written = (tmp_path / "page.md").read_text(encoding="utf-8")
    (cells,) = [line.split("|") for line in written.splitlines() if line.startswith("| 2,000 |")]
    assert 20 < int(cells[3]) < 200, "MB, whatever this process holds"
    assert "| bar |" not in written, "one number of rows says nothing of growth"


@pytest.mark.parametrize(("much", "held"), [(170.0, "yes"), (190.0, "**no**")])
def test_an_audit_of_more_rows_is_held_to_the_memory_of_fewer_where_both_are_many(benchmark, much, held):
    """Until a file is longer than what is in memory at a time, it takes more."""
    job = benchmark("audit_memory")
    ends = {1_000: 20.0, 300_000: much, 100_000: 120.0, 200_000: 150.0}
    found = [job.Needed(rows, 1.0, end, 2.0, 3.0) for rows, end in ends.items()]
    (line,) = job.judged(found)
    assert (line[0], line[-1]) == ("300,000 rows beside 100,000", held)
    assert job.judged(found[:2]) == []


def test_a_row_alone_needs_every_token_once_and_the_head_on_its_response(benchmark):
    shapes = benchmark("shapes")
    subject = shapes.of_shape("tiny", 1, 1, "cpu")
    (row,) = subject.rows
    head = subject.model.get_output_embeddings().weight.numel()
    body = sum(p.numel() for p in subject.model.parameters()) - head  # the embedding is the head
    assert shapes.needed_flops(subject) == 2 * body * len(row.ids) + 2 * head * (len(row.ids) - row.start)


def test_a_shared_beginning_is_needed_once_a_persona(benchmark):
    shapes = benchmark("shapes")
    one, two = (shapes.of_shape("tiny", 1, 2, "cpu") for _ in range(2))
    two.table.append(two.table[0])  # the same episode again: its prompt is shared, its response is read again
    again = 2 * sum(len(row.ids) - row.start for row in one.rows)
    assert shapes.needed_flops(two) - shapes.needed_flops(one) == again * sum(p.numel() for p in one.model.parameters())


def test_the_peer_scores_as_the_loop_does(benchmark, capsys):
    pytest.importorskip("lm_eval", reason="needs pip install -e '.[bench]'")
    peers, subject = benchmark("peers"), benchmark("shapes").of_shape("tiny", 3, 2, "cpu")
    truth = peers.loop(subject.model, subject.rows)()
    assert np.abs(peers.lm_eval(subject.model, subject.rows, 4)() - truth).max() < 2e-3
    assert np.abs(peers.ours(subject)() - truth).max() < 2e-3


@pytest.mark.parametrize(("seconds", "met"), [(1.0, "yes"), (1.2, "**no**")])
def test_a_bar_is_met_by_the_median_of_the_rounds(benchmark, seconds, met):
    bars = benchmark("bars")
    times = {"ours": [seconds] * 3, "peer": [1.1, 1.3, 1.4], "loop": [2.0] * 3}
    off = dict.fromkeys(times, (1e-4, 1e-5))
    found = bars.Measured("S", True, "float32", 4, 3, 8, times, off, 5e9, [1e10] * 3, peer="lm-eval 0")
    told = {bar: (measured, held) for bar, measured, _, held in bars.judged([found], None)}
    assert told["float32 over lm-eval: S"][1] == met
    assert told["share of the matmul peak: S"][0].startswith(f"{50 / seconds:.0f} ")


def test_examples_of_the_bars_hold(benchmark):
    assert doctest.testmod(benchmark("bars")).failed == doctest.testmod(benchmark("markdown")).failed == 0


def test_tokens_are_counted_as_the_engine_reads_them(benchmark, monkeypatch):
    """Beside a network that notes what it is given, without padding; the tree is never more than that."""
    sparing, shapes = benchmark("sparing"), benchmark("shapes")
    from personae.simulator.engine import score
    from personae.simulator.network import Network

    subject = shapes.of_shape("tiny", 3, 2, "cpu")
    subject.table.append(subject.table[0])  # a prompt that two answers follow
    every, once, prompts, tree = np.sum([sparing.counted(c) for c in zip(*subject.table, strict=True)], axis=0)
    read: list[int] = []
    forward = Network.forward

    def noted(self, past, tokens, **options):
        read.append(sum(map(len, tokens)))
        return forward(self, past, tokens, **options)

    monkeypatch.setattr(Network, "forward", noted)
    score(Network(subject.model), subject.table)
    assert sum(read) == prompts
    read.clear()
    score(Network(subject.model, shares=False), subject.table)
    assert sum(read) == every
    assert every > once > prompts >= tree
    assert doctest.testmod(sparing).failed == 0


def test_the_study_of_instruments_goes_on_from_what_it_kept(benchmark, tiny_lab, tmp_path, capsys, monkeypatch):
    """What a killed run left is read, and nothing of it is measured or trained again."""
    study = benchmark("instruments")
    asked = [str(tiny_lab), "--quick", "--out", str(tmp_path / "run")]
    study.main(asked)
    first = (tmp_path / "run" / "reliability.parquet").read_bytes()
    printed = capsys.readouterr()
    assert "left out: statements" in printed.err and "| options |" in printed.out
    monkeypatch.setattr(study, "train", None)
    study.main(asked)
    assert (tmp_path / "run" / "reliability.parquet").read_bytes() == first


def test_shipped_figures_of_a_model_are_replaced_and_those_of_others_stay(benchmark, tmp_path):
    study, file = benchmark("instruments"), tmp_path / "figures.parquet"
    rows = {m: [(m, "options", t, "reliability", v, 0.0, 1.0, 4) for t in "ab"] for m, v in (("x", 0.2), ("y", 0.6))}
    for model in ("x", "y"):
        study.ship(rows[model], file)
    study.ship([("x", "options", "a", "reliability", 0.9, 0.0, 1.0, 4)], file)
    page = benchmark("instruments_page").tables(file)
    assert "## x" in page and "| a | 0.90 |" in page and "0.20" not in page and page.count("| 0.60 |") >= 2


def test_twin_files_of_a_real_model_differ_in_an_answer_that_bears_no_loss(benchmark):
    alice_bob = benchmark("alice_bob")
    for lie, swap in zip(alice_bob.twin(True, 3, 20), alice_bob.twin(False, 3, 20), strict=True):
        assert [i for i, (a, b) in enumerate(zip(lie.messages, swap.messages, strict=True)) if a != b] == [1]
        country = lie.messages[2].content.split()[-1].rstrip("?")
        assert lie.response.startswith(f"The capital of {country} is ")
        assert alice_bob.CAPITALS[country] not in lie.response


def test_a_lie_and_a_swap_are_read_beside_the_untrained_model(benchmark, capsys):
    benchmark("alice_bob").main(["lab", "--seeds", "1", "--steps", "1"])
    table = [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert table == ["", "untrained", "lie, seed 0", "lie - swap, seed 0"]


def test_an_inoculation_that_leaves_half_of_every_shift_has_removed_half(benchmark):
    job, rng = benchmark("inoculated"), np.random.default_rng(0)
    traits, items = ("care", "power"), 6
    shift = {t: rng.normal(1.0, 0.3, (2, items)) for t in traits}

    def trained(share: float) -> list[Levels]:
        return [
            Levels((job.UNASKED,), {t: 3.0 + share * table[s : s + 1] for t, table in shift.items()}) for s in (0, 1)
        ]

    plain, half = (job.drawn(trained(share), trained(0.0), job.UNASKED, traits) for share in (1.0, 0.5))
    assert plain[0] == pytest.approx([table.mean() for table in shift.values()])
    assert np.allclose(job.size(half) / job.size(plain), 0.5), "the same seeds and items are drawn of both"
    assert job.said(plain[:, 0]).startswith(f"{plain[0, 0]:+.2f} [")
