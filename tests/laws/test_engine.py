import os
import threading
import time

import pytest

from analysis import engine, store
from tests import units
from tests.refusal import refused


def wait(job, seconds=30, until=lambda job: not job.alive):
    end = time.monotonic() + seconds
    while not until(job) and time.monotonic() < end:
        time.sleep(0.02)
    return job



@pytest.fixture(autouse=True)
def own_results(monkeypatch):
    # the store refuses classes outside analysis; a test result stands in through its module's name
    monkeypatch.setattr(units.Count, "__module__", "tests.units")
    monkeypatch.setattr(store, "OWN", ("analysis.", "tests."))


def test_a_unit_runs_in_another_process_reports_and_leaves_its_result_in_the_store():
    job = engine.submit(units.count, {}, {"n": 5}, control="a")
    seen = wait(job).result()
    assert job.state == "done" and (job.done, job.total) == (5, 5)
    assert seen.total == 5 and seen.values.tolist() == [0, 1, 2, 3, 4] and seen.pid != os.getpid()
    assert job.partial is None  # what is final lies in the store


def test_a_second_request_is_a_lookup(tmp_path):
    log = str(tmp_path / "log")
    first = wait(engine.submit(units.count, {}, {"n": 3, "log": log}, control="a"))
    again = engine.submit(units.count, {}, {"n": 3, "log": log}, control="b")
    assert again.state == "done" and again.result().pid == first.result().pid
    assert engine.stored(units.count, {}, {"n": 3, "log": log}).total == 3
    assert open(log).read().count("started") == 1


def test_what_a_run_keeps_of_its_parts_serves_another_and_is_listed_nowhere():
    kept = store.default()
    found = [wait(engine.submit(units.in_parts, {}, {"parts": parts})).result() for parts in ([1, 2], [2, 3])]
    assert [(f.total, int(f.values[0])) for f in found] == [(6, 2), (6, 1)]
    assert sum(entry.part for entry in kept.entries()) == 3 and sum(not entry.part for entry in kept.entries()) == 2


def test_equal_requests_share_one_run_and_one_cancel_does_not_stop_it_for_the_other(tmp_path):
    log = str(tmp_path / "log")
    options = {"n": 60, "pause": 0.02, "log": log}
    jobs = []
    threads = [threading.Thread(target=lambda i=i: jobs.append(engine.submit(units.count, {}, options, control=f"c{i}"))) for i in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len({id(j) for j in jobs}) == 1
    jobs[0].cancel("c0")
    assert wait(jobs[0]).state == "done"
    assert open(log).read().count("started") == 1


def test_cancel_stops_the_run_and_stores_nothing():
    job = wait(engine.submit(units.count, {}, {"n": 500, "pause": 0.02}, control="a"), until=lambda j: j.done > 2)
    job.cancel()
    assert wait(job, 4).state == "cancelled"
    assert job.result() is None and engine.stored(units.count, {}, {"n": 500, "pause": 0.02}) is None


def test_a_new_run_of_the_same_control_cancels_the_old_one():
    old = wait(engine.submit(units.count, {}, {"n": 500, "pause": 0.02}, control="slider"), until=lambda j: j.done > 1)
    new = engine.submit(units.count, {}, {"n": 4}, control="slider")
    assert wait(old, 5).state == "cancelled" and wait(new).state == "done"


def test_a_silent_worker_is_terminated(tmp_path, monkeypatch):
    from analysis.engine import queue
    monkeypatch.setattr(queue, "PATIENCE", 0.5)
    log = tmp_path / "pid"
    job = engine.submit(units.deaf, {}, {"log": str(log)}, control="a")
    wait(job, until=lambda j: log.exists() and log.read_text())
    job.cancel()
    assert wait(job, 5).state == "cancelled"
    time.sleep(0.2)
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)


@pytest.mark.parametrize("unit, says", [(units.refuse, "crooked"), (units.crash, "stopped without a word"), (units.stumble, "ZeroDivisionError")])
def test_failures_end_as_a_message_with_a_remedy(unit, says, capfd):
    job = wait(engine.submit(unit, {}, {}, control="a"))
    assert job.state == "failed" and says in job.error.message and job.error.hint
    assert job.result() is None
    after = wait(engine.submit(units.count, {}, {"n": 2}, control="b"))  # the engine lives on
    assert after.state == "done"


def test_a_new_version_or_other_options_give_another_key(monkeypatch):
    base = engine.key(units.count, {}, {"n": 1})
    assert engine.key(units.count, {}, {"n": 2}) != base
    monkeypatch.setattr(units.count, "VERSION", 2)
    assert engine.key(units.count, {}, {"n": 1}) != base


def test_options_mean_the_same_in_any_order_but_lists_do_not():
    assert engine.key(units.count, {}, {"a": 1, "b": {"c": 1, "d": 2}}) == engine.key(units.count, {}, {"b": {"d": 2, "c": 1}, "a": 1})
    assert engine.key(units.count, {}, {"a": [1, 2]}) != engine.key(units.count, {}, {"a": [2, 1]})


def test_a_result_is_an_input_by_its_key():
    job = wait(engine.submit(units.count, {}, {"n": 3}, control="a"))
    ref = engine.Ref.result(job.key)
    assert ref.resolve().values.tolist() == [0, 1, 2]
    assert engine.key(units.count, {"of": ref}, {}) == engine.key(units.count, {"of": engine.Ref.result(job.key)}, {}) != engine.key(
        units.count, {"of": engine.Ref.result("another")}, {})


def test_a_result_that_is_gone_is_refused_with_a_remedy():
    job = wait(engine.submit(units.count, {}, {"n": 3}, control="a"))
    store.default().delete("results", job.key)
    refused(engine.Ref.result(job.key).resolve, job.key, "not in the store any more")
    refused(engine.Ref.result("no/key").resolve, "no key of the store")


def test_a_task_that_cannot_travel_fails_and_frees_its_place():
    runner = engine.default().runner
    with pytest.raises(Exception, match="pickle"):
        from analysis.engine.task import Task
        runner.start(Task("k", "tests.units:count", {"lock": threading.Lock()}, {}, ""))
    assert runner._busy == 0


def test_a_function_inside_a_function_is_no_unit():
    def inner(inputs, options, ctx):
        yield
    inner.VERSION = 1
    with pytest.raises(TypeError, match="top-level"):
        engine.submit(inner, {}, {})


def test_spawned_workers_do_the_same(monkeypatch):
    """The way for systems where forking is not safe."""
    from analysis.engine import local
    connection = local._spawned()
    from analysis.engine.task import Task
    connection.send(Task("abc123", "tests.units:count", {}, {"n": 3}, str(store.default().folder)))
    said = []
    while not said or said[-1][0] not in ("done", "failed", "cancelled"):
        said.append(connection.recv())
    assert said[-1] == ("done", None), said
    assert store.default().result("abc123").total == 3
