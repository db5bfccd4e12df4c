"""Python jobs on the embedded Flink cluster: they run inside the TaskManager, from the shipped zip, and say why they failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local import flink, processes, shipping
from infra.local import services as local_services
from infra.local.endpoints import Endpoints

JOB = Path(__file__).resolve().parents[1] / "support" / "process_number_job.py"


def submit(services: Endpoints, program: Path, *arguments: str, **options: str) -> str:
    code = shipping.build_zip()
    return flink.submit(program, arguments, services.flink_rest_url, code, services.flink_configuration, options=options)


def test_python_runs_inside_the_taskmanager(services: Endpoints, tmp_path: Path) -> None:
    job = submit(services, JOB, str(tmp_path / "witness"), "work")
    flink.wait_for_state(services.flink_rest_url, job, "FINISHED", 120)
    process, module = (tmp_path / "witness").read_text().split(" ", 1)
    taskmanagers = [
        program for program in processes.load(services.data_directory / "run" / "processes.json") if "taskmanager" in program.name
    ]
    assert [program.pid for program in taskmanagers] == [int(process)]
    assert Path(module).is_relative_to(services.data_directory)


def test_a_failed_job_names_its_cause(services: Endpoints, tmp_path: Path) -> None:
    job = submit(services, JOB, str(tmp_path / "witness"), "fail", **{"restart-strategy.type": "none"})
    with pytest.raises(flink.JobFailed, match="this record is meant to fail"):
        flink.wait_for_state(services.flink_rest_url, job, "FINISHED", 120)
    flink.cancel(services.flink_rest_url, job)  # ended already: nothing to do, no error


def test_a_program_that_does_not_start_shows_its_output(services: Endpoints, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no such setting')")
    with pytest.raises(flink.JobFailed, match="no such setting"):
        submit(services, broken)


def test_changed_code_gets_fresh_workers(services: Endpoints) -> None:
    """Old modules would stay in a TaskManager's memory; the same code keeps it."""

    def workers() -> list[int]:
        record = processes.load(services.data_directory / "run" / "processes.json")
        return [program.pid for program in record if local_services.is_worker(program)]

    first = workers()
    local_services.prepare_workers(services, Path("tickflow-one.zip"))
    local_services.prepare_workers(services, Path("tickflow-one.zip"))
    assert workers() == first
    local_services.prepare_workers(services, Path("tickflow-two.zip"))
    assert len(workers()) == 1
    assert workers() != first
