"""One round of the chaos suite, the length of a test: broken frames, a worker that fails, a TaskManager killed, and the same comes out.

`infra/tickflow test chaos` plays as many rounds as are wanted, with every kind of fault.
"""

from __future__ import annotations

import pytest

from infra.local.endpoints import Endpoints
from jobs.model_store import open_store
from tests.integration.chaos.cluster import behind_a_gate
from tests.integration.chaos.faults import Fault, FaultKind, Plan
from tests.integration.chaos.market import stored_model
from tests.integration.chaos.program import reproduction
from tests.integration.chaos.rounds import run_rounds

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
FAULTS = (
    Fault(FaultKind.FRAMES_CORRUPTED, 0.1, 0.0),
    Fault(FaultKind.WORKER_EXCEPTION, 0.3, 0.5),
    Fault(FaultKind.TASKMANAGER_KILLED, 0.7, 1.0),
)


def test_faults_change_nothing_that_comes_out(services: Endpoints) -> None:
    """Exactly once: no row is lost, none comes twice, every broken frame stands among the rejects, all bits are those of the quiet run."""
    with behind_a_gate(services, workers=1) as cluster:
        model = stored_model(open_store(f"{services.warehouse}/chaos-models", str(services.s3_endpoint)))
        ((plan, verdict),) = run_rounds(cluster, model, [Plan(1, 0, True, FAULTS)])
    assert verdict.held, reproduction(plan, verdict)
    assert verdict.repeated == 0
