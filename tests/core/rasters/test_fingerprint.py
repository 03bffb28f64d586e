"""What blocks depend on, by name."""

import subprocess
import sys
from dataclasses import dataclass, field

from twinns_qgis.rasters.fingerprint import described, differences, hashed, states


@dataclass(frozen=True)
class Plan:
    where: str = field(compare=False)
    step: int
    contents: dict[str, str]


@dataclass(frozen=True)
class Inside:
    plan: Plan | None


def test_each_field_and_each_entry_of_a_mapping_counts_by_its_name():
    one, other = Plan("here", 1, {"model": "a", "series": "b"}), Plan("there", 2, {"model": "a", "series": "c"})
    assert differences(described(one), described(other)) == ["contents (series)", "step"]


def test_each_field_of_an_instance_within_counts_by_its_name():
    one, other = (Inside(Plan("here", step, {"model": model})) for step, model in ((1, "a"), (2, "b")))
    assert differences(described(one), described(other)) == ["plan (contents (model))", "plan (step)"]
    assert differences(described(one), described(Inside(None))) == ["plan", "plan (contents (model))", "plan (step)"]


def test_what_is_not_compared_does_not_count():
    assert described(Plan("here", 1, {})) == described(Plan("there", 1, {}))


def test_a_part_that_only_one_has_is_a_difference():
    assert differences({"a": "1"}, {"a": "1", "b": "2"}) == differences({"a": "1", "b": "2"}, {"a": "1"}) == ["b"]


def test_a_hash_is_the_same_in_every_process():
    program = "from twinns_qgis.rasters.fingerprint import hashed; print(hashed({'bits': frozenset('abcdefgh')}))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == hashed({"bits": frozenset("hgfedcba")})


def test_a_file_that_changed_has_another_state(tmp_path):
    (tmp_path / "a").write_text("one")
    before = states([tmp_path / "a"])
    (tmp_path / "a").write_text("three")
    assert list(before) == list(states([tmp_path / "a"])) == [str(tmp_path / "a")]
    assert before != states([tmp_path / "a"])
