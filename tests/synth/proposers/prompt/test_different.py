"""The different program of a prompt behaves differently from the parent, if any program does."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from hl_dsl.synth.candidates.archive import Archive, ScoredParameters
from hl_dsl.synth.proposers.text.feedback import different_structure

STRUCTURES = st.lists(
    st.tuples(st.integers(0, 50), st.sampled_from([None, "left", "right"]), st.integers(1, 9)), min_size=4, max_size=12
)


def checked(key, size):
    return SimpleNamespace(structure=key, flow=SimpleNamespace(nodes=range(size), parameters=[]))


@given(STRUCTURES)
def test_different_structure_differs_in_behaviour_or_size(found):
    archive = Archive()
    for number, (score, behaviour, size) in enumerate(found):
        archive.add(ScoredParameters(number, {}, float(score)), checked(f"s{number}", size), behaviour)
    parent, *others = archive.ranked()
    assert archive.behaviours == {f"s{number}": behaviour for number, (_, behaviour, _) in enumerate(found)}
    chosen = different_structure(parent, others, archive.behaviours)
    own = archive.behaviours[parent.key]
    unlike = [
        one for one in others if None not in (own, archive.behaviours[one.key]) and archive.behaviours[one.key] != own
    ]
    if unlike:
        assert chosen is unlike[0], "the best with another behaviour"
    else:
        assert abs(chosen.size - parent.size) == max(abs(one.size - parent.size) for one in others[:8])


def test_behaviour_is_that_of_the_best_version():
    archive = Archive()
    archive.add(ScoredParameters(0, {}, 1.0), checked("s", 3), "left")
    archive.add(ScoredParameters(1, {}, 5.0), checked("s", 3), "right")
    archive.add(ScoredParameters(2, {}, 2.0), checked("s", 3), "still")
    assert archive.behaviours == {"s": "right"}
