"""Where a peer's program finds its broker, its topics and its state: in the variables that the benchmark sets."""

from __future__ import annotations

import os

BROKERS = os.environ.get("PEER_BROKERS", "")
TICKS = os.environ.get("PEER_TICKS", "")
ROWS = os.environ.get("PEER_ROWS", "")
GROUP = os.environ.get("PEER_GROUP", "")
STATE = os.environ.get("PEER_STATE", "")
SNAPSHOT_SECONDS = 10
"""Between two snapshots of the state, as in Tickflow's profile for a cluster."""
