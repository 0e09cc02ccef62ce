"""A context has outcomes that differ, and what is asked beside the Assistant asks it once and names both tasks."""

import pytest
from pydantic import ValidationError

from personae import library
from personae.records import Message, Outside, Probe

ASKED = (Message(role="user", content="Tea?"),)


def test_a_probe_is_scored_by_every_answer_of_every_outcome_in_their_order():
    probe = Probe(id="tea", messages=ASKED, outcomes={"yes": ("Yes.", "Please."), "no": ("No.",)})
    assert [episode.response for episode in probe.episodes()] == ["Yes.", "Please.", "No."]
    assert all(episode.prompt == ASKED for episode in probe.episodes())


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ({"yes": ("Yes.",)}, "two outcomes"),
        ({"yes": ("Yes.",), "no": ()}, "each with an answer"),
        ({"yes": ("Yes.",), "no": ("Yes.",)}, "one answer twice"),
    ],
)
def test_outcomes_that_are_none_are_refused(outcomes, said):
    with pytest.raises(ValidationError, match=said):
        Probe(id="tea", messages=ASKED, outcomes=outcomes)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"others": {"Anna": "Anna:"}}, "not once"),
        ({"others": {"Anna": "{prompt} {prompt}"}}, "not once"),
        ({"coin": "Heads you do {a}."}, "both tasks"),
    ],
)
def test_what_is_asked_beside_the_assistant_has_its_places(changed, said):
    good = library.outside()
    fields = {name: getattr(good, name) for name in type(good).model_fields}
    assert Outside(**fields) == good
    with pytest.raises(ValidationError, match=said):
        Outside(**{**fields, **changed})
