from __future__ import annotations

import pytest

from features.catalogue import catalogue
from features.errors import ConfigError
from retention.consent import CHANNELS
from retention.documents import shipped
from retention.measures import parse_measures, shipped_measures

FAMILIES = {feature.family for feature in catalogue()}
TEXT = shipped("measures.yaml")


def test_the_shipped_catalogue_is_sound_and_names_only_families_that_exist():
    measures = parse_measures(TEXT, where="configs/measures.yaml", families=FAMILIES)
    assert measures == shipped_measures()
    assert len(measures) >= 10
    assert {measure.channel for measure in measures} == set(CHANNELS)


@pytest.mark.parametrize("list_name", ["early_warning", "win_back"])
@pytest.mark.parametrize("segment", ["A", "B", "C"])
def test_every_segment_of_every_list_has_a_measure_for_any_reason(list_name, segment):
    fitting = [m for m in shipped_measures() if list_name in m.for_lists and segment in m.segments and not m.families]
    assert fitting


def test_titles_come_in_both_languages():
    visit = next(measure for measure in shipped_measures() if measure.name == "visit")
    assert (visit.title("de"), visit.title("en")) == ("Besuch durch den Betreuer", "Visit by the account manager")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("cost: 60", "cots: 60", r"unknown key measures\.0\.cots, did you mean cost\?"),
        ("cost: 60", "cost: -1", r"measures\.0\.cost: .*greater than or equal to 0, got -1"),
        (
            "assumed_effect: 0.15",
            "assumed_effect: 15",
            r"measures\.0\.assumed_effect: .*less than or equal to 1, got 15",
        ),
        ("channel: email", "channel: fax", r"measures\.8\.channel: .*'visit', 'phone', 'email' or 'letter', got 'fax'"),
        ("name: call\n", "name: visit\n", r"measure names must be unique, visit comes more than once"),
        ("segments: [A]", "segments: [A, A]", r"every entry may come once"),
        (
            "[contact_person]",
            "[contact_persn]",
            r"measure new_contact_person: .*contact_persn; did you mean contact_person\?",
        ),
        ("[contact_person]", "[weather]", r"no family of reasons is called weather; known: basket, "),
        ("measures:\n", "measure:\n", r"unknown key measure, did you mean measures\?"),
    ],
)
def test_a_wrong_catalogue_is_refused_in_one_line(before, after, message):
    assert before in TEXT
    with pytest.raises(ConfigError, match=rf"^own\.yaml: .*{message}") as caught:
        parse_measures(TEXT.replace(before, after, 1) if "assumed" in before else TEXT.replace(before, after),
                       where="own.yaml", families=FAMILIES)  # fmt: skip
    assert "\n" not in str(caught.value)
