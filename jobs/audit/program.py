"""`infra/tickflow audit`: check that nothing was removed, changed or moved in the audit logs, and show them."""

from __future__ import annotations

import argparse
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.local.console import print_json
from jobs.audit.chain import AuditVerdict
from jobs.audit.entries import AuditEntry, AuditError
from jobs.audit.log import CONTROL_LOG, TRADING_LOG, AuditLog, audit_folder
from jobs.verb_result import add_verb

HELD, BROKEN, USAGE = 0, 1, 2


def main(arguments: list[str]) -> int:
    """Run the verb; 0 the chain holds, 1 it does not, 2 usage or environment."""
    chosen = _parser().parse_args(arguments)
    act: Callable[[argparse.Namespace], int] = chosen.act
    try:
        return act(chosen)
    except AuditError as error:
        print(f"tickflow audit: {error}", file=sys.stderr)
        return USAGE


def _verify(chosen: argparse.Namespace) -> int:
    logs = _logs(chosen)
    if not logs:
        raise AuditError(f"there is no audit log in {_folder(chosen)}; verbs that steer the job start one")
    verdicts = {name: log.verify() for name, log in logs.items()}
    missing = bool(chosen.holds) and not any(entry.hash == chosen.holds for log in logs.values() for entry in log.entries())
    held = all(verdict.holds for verdict in verdicts.values()) and not missing
    if chosen.json:
        found = {name: {**asdict(verdict), "holds": verdict.holds} for name, verdict in verdicts.items()}
        print_json({"holds": held, "logs": found, "missing_hash": chosen.holds if missing else ""})
    else:
        print("\n".join(_verdict_line(name, verdict) for name, verdict in verdicts.items()))
        if missing:
            print(f"no entry has the hash {chosen.holds}: the log was replaced, or the entry was removed")
    return HELD if held else BROKEN


def _verdict_line(name: str, verdict: AuditVerdict) -> str:
    torn = f"; {verdict.torn_bytes} bytes of an entry that was never acknowledged at the end" if verdict.torn_bytes else ""
    beyond = f"; {verdict.beyond_head} entries beyond the head, of a writer that died" if verdict.beyond_head else ""
    if verdict.holds:
        return f"{name}: {verdict.entries} entries hold, last hash {verdict.last_hash}{beyond}{torn}"
    return f"{name}: entry {verdict.first_bad} is bad: {verdict.problem}; {verdict.entries} before it hold{torn}"


def _show(chosen: argparse.Namespace) -> int:
    found: deque[AuditEntry] = deque(maxlen=chosen.last)
    for entry in AuditLog(_folder(chosen), chosen.log or CONTROL_LOG).entries():
        if not chosen.kind or entry.kind == chosen.kind:
            found.append(entry)
    if chosen.json:
        print_json({"entries": [asdict(entry) for entry in found]})
    else:
        print("\n".join(map(_entry_line, found)) or "no entries")
    return HELD


def _entry_line(entry: AuditEntry) -> str:
    moment = datetime.fromtimestamp(entry.time / 1e9, UTC).isoformat(timespec="milliseconds")
    who = entry.user if entry.by in ("", entry.user) else f"{entry.by} (as {entry.user})"
    return f"{entry.number:>6} {moment} {who} {entry.kind}: {entry.why} | {_words(entry.what)}"


def _words(what: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in what.items())


def _folder(chosen: argparse.Namespace) -> Path:
    return chosen.folder or audit_folder()


def _logs(chosen: argparse.Namespace) -> dict[str, AuditLog]:
    folder = _folder(chosen)
    names = sorted({path.stem for suffix in ("log", "head") for path in folder.glob(f"*.{suffix}")})
    return {name: AuditLog(folder, name) for name in names if chosen.log in ("", name)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="infra/tickflow audit", description="Who changed what, when and why, and whether that still stands."
    )
    verbs = parser.add_subparsers(required=True, metavar="verify|show")
    verify = _verb(verbs, "verify", _verify, "find the first entry that was removed, changed or moved")
    verify.add_argument("--holds", default="", metavar="HASH", help="a hash noted elsewhere, which an entry must still have")
    show = _verb(verbs, "show", _show, "print entries")
    show.add_argument("--kind", default="", help="only entries of this kind")
    show.add_argument("--last", type=int, default=50, metavar="N", help="how many from the end (default 50)")
    return parser


def _verb(verbs: Any, name: str, act: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
    parser = add_verb(verbs, name, act, words)
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="where the logs lie (default TICKFLOW_AUDIT, else .tickflow/audit)")
    parser.add_argument("--log", default="", choices=["", CONTROL_LOG, TRADING_LOG], help="which log (verify: all; show: control)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
