"""`infra/tickflow test` leaves nothing out."""

from __future__ import annotations

from infra.local import paths
from infra.local.testing import PROGRAMS, halves, program


def test_each_folder_of_tests_is_in_one_half() -> None:
    with_services, others = halves()
    folders = {f"tests/{file.relative_to(paths.ROOT / 'tests').parts[0]}" for file in (paths.ROOT / "tests").rglob("test_*.py")}
    assert set(with_services) | set(others) == folders
    assert not set(with_services) & set(others)
    assert "tests/integration" in with_services
    assert "tests/kernels" in others
    assert all((paths.ROOT / folder).is_dir() for folder in folders)


def test_a_named_suite_is_a_program_and_anything_else_goes_to_pytest() -> None:
    assert program(["chaos", "--rounds", "2"]) == [PROGRAMS["chaos"], "--rounds", "2"]
    assert program(["tests/offline", "-x"]) == ["pytest", "tests/offline", "-x"]
