"""The worker's client, against workers that behave well and badly."""

import os
import threading
import time
from pathlib import Path

import pytest
from qgis.core import QgsProcessingException


def job(tmp_path):
    return {"FOLDER": str(tmp_path / "site"), "SIZE": 64}


def test_progress_and_messages_are_forwarded(run, worker, feedback, tmp_path):
    fractions = []
    feedback.progressChanged.connect(fractions.append)
    worker("""
say(type="progress", fraction=0.25, message="a quarter")
say(type="info", message="so many classes")
say(type="warning", message="a class is small")
say(type="progress", fraction=0.5, message="")
finish(folder="/a/site")
""")
    assert run("createdemosite", job(tmp_path)) == {"FOLDER": "/a/site"}
    assert feedback.said == [
        ("progress", "a quarter"),
        ("info", "so many classes"),
        ("warning", "a class is small"),
    ]
    assert fractions == [25, 50]


def test_messages_come_while_the_worker_works(run, worker, feedback, tmp_path):
    times = []
    feedback.pushInfo = lambda text: times.append(time.monotonic())
    worker("""
say(type="info", message="first")
time.sleep(0.8)
say(type="info", message="second")
finish()
""")
    run("createdemosite", job(tmp_path))
    assert times[1] - times[0] > 0.5


def test_texts_of_the_progress_do_not_flood_the_log(run, worker, feedback, tmp_path):
    worker("for i in range(500): say(type='progress', fraction=i / 500, message=str(i))\nfinish()")
    run("createdemosite", job(tmp_path))
    assert 1 <= len(feedback.said) < 10


def test_of_a_long_step_each_twentieth_is_told_and_every_new_step(run, worker, feedback, monkeypatch, tmp_path):
    from twinns.algorithms import worker as client

    monkeypatch.setattr(client, "_TEXT_SECONDS", 0.0)
    worker("""
for i in range(100): say(type='progress', fraction=i / 200, message=f'Epoch {i}')
for i in range(100): say(type='progress', fraction=0.5 + i / 200, message=f'Assessing {i}')
finish()
""")
    run("createdemosite", job(tmp_path))
    texts = [text for _, text in feedback.said]
    assert texts[:2] == ["Epoch 0", "Epoch 10"]
    assert "Assessing 0" in texts
    assert len(texts) == 20


def test_foreign_lines_are_skipped(run, worker, feedback, tmp_path):
    worker("""
print("I am a library")
print(json.dumps(["a", "list"]), json.dumps(3), sep="\\n")
say(type="info")
sys.stdout.buffer.write(b"\\xff\\xfe no UTF-8\\n")
finish(folder="x")
""")
    assert run("createdemosite", job(tmp_path)) == {"FOLDER": "x"}
    assert {kind for kind, _ in feedback.said} == {"debug"}
    assert ("debug", "I am a library") in feedback.said


def test_a_flood_on_standard_error_does_not_block(run, worker, tmp_path):
    worker("for _ in range(400): sys.stderr.write('x' * 10000 + '\\n')\nfinish(folder='x')")
    assert run("createdemosite", job(tmp_path)) == {"FOLDER": "x"}


def test_a_long_line_arrives_whole(run, worker, tmp_path):
    worker("finish(folder='x' * 300000)")
    assert run("createdemosite", job(tmp_path)) == {"FOLDER": "x" * 300000}


def test_text_beyond_ascii_goes_both_ways(run, worker, tmp_path):
    worker("finish(folder=request['parameters']['folder'])")
    folder = str(tmp_path / "Réunion 土地")
    assert run("createdemosite", {"FOLDER": folder, "SIZE": 64}) == {"FOLDER": folder}


def test_an_error_of_the_worker_is_raised_with_its_hint(run, worker, tmp_path):
    worker("say(type='error', kind='input', message='The folder is full.', hint='Empty it.')\nsys.exit(1)")
    with pytest.raises(QgsProcessingException, match=r"^The folder is full\.\nEmpty it\.$"):
        run("createdemosite", job(tmp_path))


def test_a_defect_leaves_its_traceback_in_the_log(run, worker, feedback, tmp_path):
    worker("""
print("Traceback: line 7", file=sys.stderr)
say(type='error', kind='internal', message='KeyError: 7', hint='Report it.')
sys.exit(1)
""")
    with pytest.raises(QgsProcessingException, match="KeyError: 7\nReport it"):
        run("createdemosite", job(tmp_path))
    assert ("debug", "Traceback: line 7") in feedback.said


def test_a_worker_killed_by_signal_9_reads_as_memory_run_out(run, worker, tmp_path):
    worker("say(type='progress', fraction=0.3, message='working')\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(QgsProcessingException, match=r"killed \(signal 9\).*memory"):
        run("createdemosite", job(tmp_path))


def test_a_worker_killed_from_outside_while_it_works_is_reported(run, worker, feedback, running, tmp_path):
    """As when the system's memory runs out in the midst of training."""
    path = worker("say(type='info', message=str(os.getpid()))\ntime.sleep(60)")
    feedback.pushInfo = lambda text: os.kill(int(text), 9)
    start = time.monotonic()
    with pytest.raises(QgsProcessingException, match="signal 9"):
        run("createdemosite", job(tmp_path))
    assert time.monotonic() - start < 2
    assert not running(path)


def test_a_crash_names_its_signal_and_the_last_words(run, worker, tmp_path):
    worker("print('segment 12', file=sys.stderr, flush=True)\nos.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(QgsProcessingException, match=r"SIGSEGV(.|\n)*segment 12"):
        run("createdemosite", job(tmp_path))


def test_an_end_without_result_is_an_error(run, worker, tmp_path):
    worker("say(type='info', message='hello')\nsys.exit('I give up')")
    with pytest.raises(QgsProcessingException, match=r"without a result \(exit status 1\)(.|\n)*I give up"):
        run("createdemosite", job(tmp_path))


def test_a_worker_that_obeys_is_cancelled_and_its_words_are_kept(run, worker, feedback, running, tmp_path):
    path = worker("""
assert "cancel" in sys.stdin.readline()
time.sleep(0.5)
say(type="info", message="keeping epoch 3")
say(type="error", kind="cancelled", message="Cancelled. Epoch 3 is in a.twinns.", hint="")
sys.exit(1)
""")
    timer = threading.Timer(0.5, feedback.cancel)
    timer.start()
    start = time.monotonic()
    with pytest.raises(QgsProcessingException, match=r"Epoch 3 is in a\.twinns"):
        run("createdemosite", job(tmp_path))
    timer.join()
    assert time.monotonic() - start < 0.5 + 2
    assert ("info", "keeping epoch 3") in feedback.said
    assert not running(path)


def test_a_worker_that_ignores_the_cancel_line_is_killed_within_two_seconds(run, worker, feedback, running, tmp_path):
    path = worker("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: print('busy', flush=True)")
    cancelled = []
    timer = threading.Timer(0.5, lambda: (cancelled.append(time.monotonic()), feedback.cancel()))
    timer.start()
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        run("createdemosite", job(tmp_path))
    assert time.monotonic() - cancelled[0] < 2
    assert not running(path)


SAVES = """
assert "cancel" in sys.stdin.readline()
for _ in range(LINES):
    say(type="saving", message="Keeping what is finished")
    time.sleep(0.5)
say(type="error", kind="cancelled", message="Cancelled. All is kept.", hint="")
sys.exit(1)
"""


def test_a_cancelled_worker_is_waited_for_as_long_as_it_says_that_it_saves(run, worker, feedback, tmp_path):
    worker(SAVES.replace("LINES", "8"))
    timer = threading.Timer(0.5, feedback.cancel)
    timer.start()
    with pytest.raises(QgsProcessingException, match="All is kept"):
        run("createdemosite", job(tmp_path))
    assert ("progress", "Keeping what is finished") in feedback.said


def test_a_worker_that_saves_for_ever_is_ended(run, worker, feedback, running, monkeypatch, tmp_path):
    from twinns.algorithms import worker as client

    monkeypatch.setattr(client, "_SAVING_SECONDS", 3.0)
    path = worker(SAVES.replace("LINES", "1000"))
    timer = threading.Timer(0.5, feedback.cancel)
    timer.start()
    start = time.monotonic()
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        run("createdemosite", job(tmp_path))
    assert 2.5 < time.monotonic() - start < 6
    assert not running(path)


def test_an_exception_in_qgis_leaves_no_process(run, worker, feedback, running, tmp_path):
    path = worker("say(type='info', message='hello')\ntime.sleep(60)")

    def fail(text):
        assert running(path)
        raise RuntimeError(text)

    feedback.pushInfo = fail
    with pytest.raises(QgsProcessingException, match="RuntimeError: hello"):
        run("createdemosite", job(tmp_path))
    assert not running(path)


def test_a_worker_that_hangs_after_its_result_is_ended(run, worker, monkeypatch, running, tmp_path):
    from twinns.algorithms import worker as client

    monkeypatch.setattr(client, "_END_SECONDS", 0.5)
    path = worker("say(type='result', outputs={'folder': 'x'})\ntime.sleep(60)")
    assert run("createdemosite", job(tmp_path)) == {"FOLDER": "x"}
    assert not running(path)


def test_the_working_folder_is_empty_private_and_removed(run, worker, tmp_path):
    worker("finish(folder=[os.getcwd(), os.listdir(), oct(os.stat('.').st_mode & 0o777)])")
    folder, content, mode = run("createdemosite", job(tmp_path))["FOLDER"]
    assert (content, mode) == ([], "0o700")
    assert not Path(folder).exists()


def test_the_environment_of_qgis_stays_outside(run, worker, monkeypatch, tmp_path):
    monkeypatch.setenv("PROJ_LIB", "/of/qgis")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/of/qgis")
    before = dict(os.environ)
    worker("finish(folder=dict(os.environ))")
    seen = run("createdemosite", job(tmp_path))["FOLDER"]
    assert not {"PROJ_LIB", "LD_LIBRARY_PATH"} & seen.keys()
    assert (Path(seen["PYTHONPATH"]) / "twinns_qgis/__main__.py").is_file()
    assert {key: value for key, value in os.environ.items() if key != "TWINNS_PYTHON"} == {
        key: value for key, value in before.items() if key != "TWINNS_PYTHON"
    }
