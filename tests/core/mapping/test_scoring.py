"""A classifier goes through a block part by part, one thread at a time, and in smaller parts if memory runs out."""

import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.mapping.scoring import Scorer


class ResourceExhaustedError(Exception):
    """Of this name is what TensorFlow raises."""


@dataclass
class Classifier:
    """Scores each pixel by its own value; remembers the sides of what it saw."""

    most: int = 1000
    error: type = ResourceExhaustedError
    text: str = "OOM when allocating tensor"

    def __post_init__(self):
        self.sides, self.busy = [], threading.Lock()

    def scores(self, raw):
        assert self.busy.acquire(blocking=False), "two threads at once"
        try:
            inner = raw["sentinel2"][:, 2:-2, 2:-2, 0, 0]
            if max(inner.shape[1:]) > self.most:
                raise self.error(self.text)
            self.sides.append(max(inner.shape[1:]))
            time.sleep(0.001)
            return np.stack([inner, -inner], axis=-1).astype(np.float32)
        finally:
            self.busy.release()


VALUES = np.random.default_rng(0).integers(0, 100, (44, 74, 1, 1)).astype("int16")
ALL = np.ones((40, 70), bool)


def score(classifier, wanted=ALL, side=32, between=lambda: None, scorer=None):
    model = SimpleNamespace(manifest=SimpleNamespace(classes=(1, 2)), classifier=classifier)
    scorer = scorer or Scorer(model, side, compiled=False)
    return scorer.scores({"sentinel2": VALUES}, wanted, between).scores, scorer


def test_each_pixel_gets_its_score_whatever_the_parts():
    for side in (7, 16, 256):
        np.testing.assert_array_equal(score(Classifier(), side=side)[0][..., 0], VALUES[2:-2, 2:-2, 0, 0])


def test_parts_without_a_wanted_pixel_are_left_out():
    wanted = np.zeros((40, 70), bool)
    wanted[3, 40] = True
    classifier = Classifier()
    scores, _ = score(classifier, wanted)
    assert len(classifier.sides) == 1
    assert scores[3, 40, 0] == VALUES[5, 42, 0, 0]


@pytest.mark.parametrize(
    ("error", "text"),
    [(ResourceExhaustedError, "OOM"), (MemoryError, ""), (RuntimeError, "RESOURCE_EXHAUSTED: Out of memory")],
)
def test_parts_are_halved_for_good_when_memory_runs_out(error, text):
    classifier = Classifier(most=9, error=error, text=text)
    scores, scorer = score(classifier)
    np.testing.assert_array_equal(scores[..., 0], VALUES[2:-2, 2:-2, 0, 0])
    assert max(classifier.sides) == scorer.limit == 8
    score(classifier, scorer=scorer)
    assert max(classifier.sides) == 8


def test_halved_parts_are_prepared_for():
    prepared = []
    classifier = Classifier(most=9)
    classifier.compile_for = prepared.append
    model = SimpleNamespace(manifest=SimpleNamespace(classes=(1, 2)), classifier=classifier)
    score(classifier, scorer=Scorer(model, 32, compiled=True))
    assert prepared == [32, 16, 8]


def test_memory_that_never_suffices_is_an_error():
    with pytest.raises(InputError, match="memory of the device does not suffice for 4 x 4 pixels: OOM"):
        score(Classifier(most=1))


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    with pytest.raises(ZeroDivisionError):
        score(Classifier(most=1, error=ZeroDivisionError))


def test_a_cancelled_job_stops_between_parts():
    def stop():
        raise Cancelled

    with pytest.raises(Cancelled):
        score(Classifier(), between=stop)


def test_threads_take_turns_at_the_device():
    classifier = Classifier()
    _, scorer = score(classifier)
    threads = [threading.Thread(target=score, args=(classifier,), kwargs={"scorer": scorer}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(classifier.sides) == 5 * 6


def test_the_time_of_a_block_is_without_waiting_for_others():
    classifier, found = Classifier(), []
    _, scorer = score(classifier)
    start = time.monotonic()

    def work():
        found.append(scorer.scores({"sentinel2": VALUES}, ALL, lambda: None).seconds)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < sum(found) <= time.monotonic() - start


@pytest.mark.parametrize(("every", "compared"), [(1, 70 * 300 // 256), (4, 64), (700, 30)])
def test_a_sample_of_the_mapped_pixels_is_compared_with_the_whole_classifier(every, compared):
    values = np.random.default_rng(0).integers(-100, 100, (304, 74, 1, 1)).astype("int16")
    wanted = np.arange(300 * 70).reshape(300, 70) % every == 0
    _, scorer = score(Classifier())
    inner = values[2:-2, 2:-2, 0, 0]
    scores = np.stack([inner, -inner], axis=-1).astype(np.float32)

    def compare(scores):
        return scorer.compare_sample({"sentinel2": values}, wanted, scores, lambda: None)

    assert compare(np.where(wanted[..., None], scores, 0)) == {"sampled": compared, "agreeing": compared}
    assert compare(-scores + 0.5)["agreeing"] < compared / 10, "0 alone has the first class either way"
    upper = np.where(np.arange(300)[:, None, None] < 150, scores, -scores + 0.5)
    assert compare(upper)["agreeing"] == pytest.approx(compared / 2, rel=0.4), "they come from all over"


def test_a_worker_of_a_cluster_can_choose_its_device_before_keras_is_imported():
    program = "import sys, twinns_qgis.mapping.plan; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
