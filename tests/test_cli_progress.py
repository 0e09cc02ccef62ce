"""Progress: plain lines now and then, the cost of long work said beforehand, a bar on a terminal, or silence."""

import io
import re
import sys

import pytest

from personae.cli.face import Face, Stopped, bare
from personae.cli.progress import EVERY, length, progress


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def lines_of(total, seconds_each, before=0.0, **options):
    """What is said of `total` steps of so many seconds, which begin `before` seconds after the work was announced."""
    clock, said = Clock(), []
    each = seconds_each if callable(seconds_each) else lambda _: seconds_each
    with progress("scoring", "rows", said.append, clock=clock, **options) as told:
        clock.now += before
        told(0, total)
        for done in range(1, total + 1):
            clock.now += each(done)
            told(done, total)
    return said


def left(line):
    """Minutes that a line says are left."""
    found = re.search(r"(?:(\d+) h )?(?:(\d+) min)?(?: ?(\d+) s)? left", line)
    return 60 * int(found[1] or 0) + int(found[2] or 0) + int(found[3] or 0) / 60


def test_short_work_says_nothing():
    assert lines_of(5, 0.5) == []


def test_work_of_more_than_a_minute_is_announced_once_with_its_length():
    said = lines_of(100, 1.0)
    assert said[0] == "scoring: about 1 min 40 s for 100 rows"
    assert sum("about" in line for line in said) == 1


def test_a_plain_line_comes_no_oftener_than_every_ten_seconds_and_tells_what_is_left():
    said = [line for line in lines_of(100, 1.0) if "about" not in line]
    assert 1 <= len(said) <= 100 / EVERY
    assert said[0] == "scoring: 10 of 100 rows, 1 min 30 s left"


def test_the_clock_starts_with_the_work_and_not_with_what_came_before_it():
    said = lines_of(100, 1.0, before=3600.0)
    assert said[:2] == ["scoring: about 1 min 40 s for 100 rows", "scoring: 5 of 100 rows, 1 min 35 s left"]


def test_nothing_is_estimated_before_a_hundredth_of_the_work_is_done():
    said = lines_of(100_000, 0.1)
    assert said[0] == "scoring: about 2 h 46 min for 100000 rows"
    assert lines_of(1000, 60.0)[1] == "scoring: 10 of 1000 rows, 16 h 30 min left"


def test_a_slow_first_step_is_in_no_estimate_of_what_is_left():
    said = lines_of(1000, lambda done: 300.0 if done == 1 else 1.0)
    assert said[:2] == ["scoring: about 21 min 39 s for 1000 rows", "scoring: 10 of 1000 rows, 16 min 30 s left"]


def test_several_slow_steps_are_forgotten_as_soon_as_a_quarter_of_the_time_is_behind_them():
    said = lines_of(1000, lambda done: 30.0 if done < 5 else 1.0)
    late = [line for line in said if re.match("scoring: [5-9]. of", line)]
    assert late and all(left(line) < 16.0 for line in late)


def test_work_that_becomes_slower_is_told_so_before_it_ends():
    said = lines_of(100, lambda done: 1.0 if done <= 20 else 10.0)
    (half,) = (line for line in said if line.startswith("scoring: 50 "))
    assert left(half) == pytest.approx(500 / 60, abs=0.02)


def test_quiet_work_says_nothing_however_long():
    assert lines_of(100, 10.0, quiet=True) == []


def test_a_terminal_gets_a_bar_that_leaves_nothing_behind(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress("scoring", "rows", lambda _: None) as told:
        for done in range(1, 4):
            told(done, 3)
    assert "scoring" in screen.getvalue()


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (3660, "1 h 1 min")])
def test_lengths_are_in_the_two_units_that_matter(seconds, words):
    assert length(seconds) == words


def test_ctrl_c_becomes_one_line_that_names_the_folder(tmp_path):
    with pytest.raises(Stopped, match="the same command goes on") as stopped, Face() as face:
        face.keeps(tmp_path)
        raise KeyboardInterrupt
    assert str(tmp_path) in str(stopped.value) and stopped.value.exit_status == 1


def test_ctrl_c_before_anything_is_kept_promises_nothing():
    with pytest.raises(Stopped, match=r"^stopped; nothing was kept$"), Face():
        raise KeyboardInterrupt


def test_other_errors_pass_through():
    with pytest.raises(ValueError, match="x"), Face():
        raise ValueError("x")


def test_a_quiet_face_says_nothing_and_still_gives_the_result(capsys):
    with Face(quiet=True) as face:
        face.say("working")
        face.result({"a": 1}, "text")
    assert capsys.readouterr() == ("text\n", "")


def test_a_result_keeps_its_layout_and_cannot_act_on_the_terminal():
    assert bare("a  b\x1b[31m\n\n  c\x1b]0;title\x07") == "a  b\n\n  c"
