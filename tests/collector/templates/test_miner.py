"""The miner: which words of masked messages vary."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from infersight_collector.templates import ANY, Miner, template_id
from infersight_collector.templates.miner import MAX_WORDS

NAMES = ["ann", "bob", "cid", "dan", "eva"]
WORDS = [
    "loaded",
    "model",
    "for",
    "user",
    "ann",
    "bob",
    "cid",
    "dan",
    f"{ANY},",
    ANY,
    f"id={ANY}",
    "user=ann",
    "user=bob",
]
MESSAGES = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), min_size=1, max_size=40)


def matches(template: str, message: str) -> bool:
    """Whether a message can be had by writing one word or a part of one for each `<*>` of a template."""
    pattern = re.escape(template).replace(re.escape(ANY), r"\S+")
    return re.fullmatch(pattern, message) is not None


def test_a_message_alone_is_its_template() -> None:
    assert Miner().templates(["model loaded", f"took {ANY} ms"]) == ["model loaded", f"took {ANY} ms"]


def test_up_to_three_words_in_one_place_are_told_apart_and_four_are_a_variable() -> None:
    messages = [f"user {name} logged in" for name in NAMES]
    assert Miner().templates(messages[:3]) == messages[:3]
    assert set(Miner().templates(messages[:4])) == {f"user {ANY} logged in"}


def test_a_word_in_the_place_of_a_masked_value_is_a_value_too() -> None:
    assert set(Miner().templates([f"host {ANY} is up", "host localhost is up"])) == {f"host {ANY} is up"}


def test_what_all_words_of_a_variable_begin_with_stays() -> None:
    messages = [f"login of user={name} failed" for name in NAMES]
    assert set(Miner().templates(messages)) == {f"login of user={ANY} failed"}


def test_messages_that_share_few_words_are_no_template() -> None:
    messages = ["cat sat here", "dog ran away", "bird flew south", "fish swam north", "horse went home"]
    assert Miner().templates(messages) == messages


def test_messages_of_different_lengths_are_no_template() -> None:
    messages = ["model loaded", "model loaded again"]
    assert Miner().templates(messages) == messages


def test_a_message_of_nothing_but_values_takes_no_words_in() -> None:
    assert Miner().templates([ANY, "ready", f"{ANY}: {ANY}", "not ready"]) == [
        ANY,
        "ready",
        f"{ANY}: {ANY}",
        "not ready",
    ]


def test_templates_learned_at_different_times_become_one() -> None:
    miner = Miner()
    at_the_time = [template for name in NAMES for template in miner.templates([f"user {name} logged in"])]
    assert len(set(at_the_time)) == 4
    assert set(Miner().templates(at_the_time)) == {f"user {ANY} logged in"}


def test_the_template_of_a_long_message_ends_early() -> None:
    (template,) = Miner().templates([" ".join(["word"] * (MAX_WORDS + 10))])
    assert template.split() == ["word"] * MAX_WORDS + [ANY]


def test_the_cluster_used_longest_ago_is_forgotten() -> None:
    miner = Miner(max_clusters=2)
    miner.templates([f"user {name} logged in" for name in NAMES])
    miner.templates(["something else"])
    miner.templates(["user fay logged in"])
    miner.templates(["a third message altogether"])
    assert len(miner) == 2
    assert miner.templates(["user gil logged in"]) == [f"user {ANY} logged in"]
    miner.templates(["one", "two"])
    assert miner.templates(["user gil logged in"]) == ["user gil logged in"]


def test_every_message_of_one_call_has_a_template_though_there_is_room_for_one() -> None:
    messages = ["one", "two of it", "and three of it", "one"]
    assert Miner(max_clusters=1).templates(messages) == messages


def test_an_id_is_told_by_service_and_template_alone() -> None:
    assert template_id("api", f"user {ANY}") == "86531820136a4e02"
    ids = {template_id("api", "a"), template_id("api", "b"), template_id("web", "a"), template_id("", "apia")}
    assert len(ids) == 4


@given(MESSAGES)
def test_a_template_matches_each_of_its_messages(messages: list[str]) -> None:
    for message, template in zip(messages, Miner().templates(messages), strict=True):
        assert matches(template, message)


@given(st.permutations(NAMES), st.permutations(["read", "wrote"]))
def test_the_order_of_values_does_not_split_a_template(names: list[str], verbs: list[str]) -> None:
    messages = [f"user {name} {verb} the file" for verb in verbs for name in names]
    assert set(Miner().templates(messages)) == {f"user {ANY} read the file", f"user {ANY} wrote the file"}


@given(MESSAGES)
def test_the_same_messages_again_change_nothing(messages: list[str]) -> None:
    miner = Miner()
    first = miner.templates(messages)
    changes = miner.changes
    assert miner.templates(messages) == first
    assert miner.changes == changes


@given(MESSAGES, MESSAGES)
def test_words_become_variables_and_never_the_other_way_round(before: list[str], after: list[str]) -> None:
    miner = Miner()
    first = miner.templates(before)
    miner.templates(after)
    for old, new in zip(first, miner.templates(before), strict=True):
        assert matches(new, old)


@given(MESSAGES)
def test_what_was_learned_survives_as_json(messages: list[str]) -> None:
    miner = Miner()
    learned = miner.templates(messages)
    restored = Miner.from_state(json.loads(json.dumps(miner.state())))
    assert restored.state() == miner.state()
    for message, old, new in zip(messages, learned, restored.templates(messages), strict=True):
        assert matches(new, message)
        assert matches(new, old) or matches(old, new)
