from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from pyiceberg.catalog import Catalog

from jobs.lake.sql_session import SQL_FOLDER, SqlSession, client_script
from tests.sql.expected_answers import ANSWERS


@pytest.mark.integration
def test_reports_run_unchanged_in_flinks_own_client(catalog: Catalog, sql_session: SqlSession, tmp_path: Path) -> None:
    """One that reads views, and one that calls the kernels."""
    home = Path(os.environ.get("FLINK_HOME", "/nowhere"))
    if not list(home.glob("lib/flink-sql-gateway-*.jar")):
        pytest.skip(f"no flink-sql-gateway jar in {home / 'lib'}, without which sql-client.sh does not start")
    (tmp_path / "init.sql").write_text(client_script(sql_session))
    (tmp_path / "reports.sql").write_text("".join((SQL_FOLDER / "reports" / f"{name}.sql").read_text() for name in ASKED))
    command = [str(home / "bin" / "sql-client.sh"), "-i", str(tmp_path / "init.sql"), "-f", str(tmp_path / "reports.sql")]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=280, check=True).stdout
    assert "[ERROR]" not in printed
    for name in ASKED:
        assert f"{len(ANSWERS[name]())} rows in set" in printed


ASKED = ("hit_rate_by_confidence", "indicators_from_bars")
