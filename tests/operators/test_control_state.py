"""What is in force at each entry of the control log: by its last word on each subject, for ever the same for each version."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.model_store import fetch_model
from tests.support.control_memory import (
    breaker_entry,
    fetch_from,
    halt_entry,
    model_entry,
    reduce_entry,
    remove_entry,
    resume_entry,
    rule_entry,
    shed_entry,
)
from tests.support.strategies import control_events, damaged
from tests.support.trained_model import trained_model
from udfs.codecs.control import encode_control
from udfs.errors import ModelUnavailable, Reason
from udfs.operators.control_state import ControlState
from udfs.records import AlertRule, Measure, ModelReference, ShedLevel, TradingState

EXAMPLES = settings(deadline=None)
SYMBOLS = ("A", "B", "C")
RULE = AlertRule("r", Measure.CONFIDENCE, 0.9, 0.5, 0, ())
_groups = st.lists(st.sampled_from(SYMBOLS), max_size=3, unique=True).map(tuple)
_switches = st.lists(st.tuples(st.booleans(), _groups), max_size=12)


def state_of(*entries: bytes) -> ControlState:
    state = ControlState(fetch_from({"model": trained_model().data}))
    for entry in entries:
        state.read(entry)
    return state


@EXAMPLES
@given(_switches)
def test_the_last_word_about_a_symbol_decides_whether_it_is_halted(switches: list[tuple[bool, tuple[str, ...]]]) -> None:
    state = state_of(*(halt_entry(*symbols) if halts else resume_entry(*symbols) for halts, symbols in switches))
    for version in range(len(switches) + 1):
        for symbol in SYMBOLS:
            words = [halts for halts, symbols in switches[:version] if not symbols or symbol in symbols]
            assert state.at(version).is_halted(symbol) == (words[-1] if words else False)


ENTRY_OF = {TradingState.ACTIVE: resume_entry, TradingState.REDUCING: reduce_entry, TradingState.HALTED: halt_entry}


@EXAMPLES
@given(st.lists(st.tuples(st.sampled_from(TradingState), _groups), max_size=12))
def test_the_last_word_about_a_symbol_decides_what_is_allowed(words: list[tuple[TradingState, tuple[str, ...]]]) -> None:
    state = state_of(*(ENTRY_OF[said](*symbols) for said, symbols in words))
    for version in range(len(words) + 1):
        for symbol in SYMBOLS:
            concerned = [said for said, symbols in words[:version] if not symbols or symbol in symbols]
            assert state.at(version).trading_state(symbol) == (concerned[-1] if concerned else TradingState.ACTIVE)


_words = st.tuples(st.sampled_from(TradingState), st.one_of(_groups, st.sampled_from(("crash", "lag"))))


@EXAMPLES
@given(st.lists(_words, max_size=12))
def test_the_stricter_of_people_and_breakers_counts(words: list[tuple[TradingState, tuple[str, ...] | str]]) -> None:
    """Each has the last word of its own; only who lets everything go closes the breakers."""
    state = state_of(*(breaker_entry(to, said) if isinstance(to, str) else ENTRY_OF[said](*to) for said, to in words))
    people, breakers = dict.fromkeys(SYMBOLS, TradingState.ACTIVE), dict[str, TradingState]()
    for version, (said, to) in enumerate(words, 1):
        if isinstance(to, str):
            breakers[to] = said
        else:
            people |= dict.fromkeys(to or SYMBOLS, said)
            breakers = {} if not to and said is TradingState.ACTIVE else breakers
        for symbol in SYMBOLS:
            assert state.at(version).trading_state(symbol) == max(people[symbol], *breakers.values(), TradingState.ACTIVE)
            assert state.at(version).allowed_by_people(symbol) == people[symbol]


def test_how_much_is_shed_is_the_last_word() -> None:
    state = state_of(shed_entry(ShedLevel.REASONS), halt_entry(), resume_entry(), shed_entry(ShedLevel.NOTHING))
    assert [state.at(version).shed_level for version in range(5)] == [0, 2, 2, 2, 0]


_rules = st.builds(
    lambda name, threshold, symbols: AlertRule(name, Measure.PRICE_MOVE, threshold, threshold / 2, 0, symbols),
    st.sampled_from(("x", "y", "z")),
    st.sampled_from((0.1, 0.2)),
    _groups,
)


@EXAMPLES
@given(st.lists(st.one_of(_rules, st.sampled_from(("x", "y", "z"))), max_size=12))
def test_a_rules_last_entry_is_in_force_until_it_is_removed(changes: list[AlertRule | str]) -> None:
    state = state_of(*(remove_entry(change) if isinstance(change, str) else rule_entry(change) for change in changes))
    expected: dict[str, AlertRule] = {}
    for version, change in enumerate(changes, start=1):
        expected.pop(change if isinstance(change, str) else change.rule_id, None)
        if not isinstance(change, str):
            expected[change.rule_id] = change
        assert state.at(version).rules == tuple(expected.values())
    for symbol in SYMBOLS:
        watching = tuple(rule for rule in expected.values() if not rule.symbols or symbol in rule.symbols)
        assert state.at(state.version).rules_of(symbol) == watching


@EXAMPLES
@given(
    st.lists(
        st.one_of(control_events().map(encode_control), damaged(control_events().map(encode_control)), st.binary(max_size=30)), max_size=8
    )
)
def test_no_entry_raises_and_a_refused_one_changes_nothing_but_the_version(entries: list[bytes]) -> None:
    state = ControlState(fetch_from({}))
    before = []
    for version, entry in enumerate(entries, start=1):
        before.append(state.at(version - 1))
        state.read(entry)
        assert state.at(version).version == version == state.version
    for refused in state.refused:
        former, after = state.at(refused.version - 1), state.at(refused.version)
        assert (former.rules, former.model, former.halted_symbols) == (after.rules, after.model, after.halted_symbols)
        assert refused.raw == entries[refused.version - 1]
        assert refused.detail
    assert [state.at(version) for version in range(len(entries))] == before


def test_a_model_is_loaded_and_stays_until_the_next() -> None:
    model = trained_model()
    good = model_entry(ModelReference("v", "model", model.sha256))
    state = state_of(good, halt_entry("A"), rule_entry(RULE))
    assert state.at(0).scorer is None
    assert {state.at(version).scorer.sha256 for version in (1, 2, 3)} == {model.sha256}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("uri", "sha256", "said"),
    [("elsewhere", "0" * 64, "no model at elsewhere"), ("model", hashlib.sha256(b"").hexdigest(), "sha256")],
)
def test_a_model_that_cannot_be_had_or_is_another_is_refused(uri: str, sha256: str, said: str) -> None:
    state = state_of(model_entry(ModelReference("v", "model", trained_model().sha256)), model_entry(ModelReference("w", uri, sha256)))
    assert [(refused.version, refused.reason) for refused in state.refused] == [(2, Reason.MODEL_REFUSED)]
    assert said in state.refused[0].detail
    assert state.at(2).scorer is state.at(1).scorer
    assert state.at(2).model == state.at(1).model


@pytest.mark.parametrize("uri", ["\0", "file://[", "s3://[bucket/key", ".", "file:///nowhere/model.onnx"])
def test_an_address_that_is_none_is_refused_like_a_model_that_is_not_there(uri: str) -> None:
    state = ControlState(fetch_model)
    state.read(model_entry(ModelReference("v", uri, "0" * 64)))
    assert [refused.reason for refused in state.refused] == [Reason.MODEL_REFUSED]


@pytest.mark.parametrize("error", [ConnectionError, ModelUnavailable])
def test_a_store_that_breaks_is_the_jobs_failure(error: type[Exception]) -> None:
    """Refused, the model would never come into force, while a replay with the store at hand would score with it."""
    answers = iter([error("store"), trained_model().data])

    def fetch(_: ModelReference) -> bytes:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    state = ControlState(fetch)
    entry = model_entry(ModelReference("v", "model", trained_model().sha256))
    with pytest.raises(error):
        state.read(entry)
    assert state.version == 0
    state.read(entry)
    assert state.at(1).scorer is not None


@contextmanager
def object_store(status: int | None, code: str = "") -> Iterator[str]:
    """The address of an object store that gives every request this answer; None: nobody listens there."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<Error><Code>{code}</Code></Error>".encode()
            self.send_response(int(status or 0))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        if status is None:
            server.shutdown()
            server.server_close()
        yield address
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "code", "is_refused"),
    [(404, "NoSuchKey", True), (403, "AccessDenied", True), (503, "SlowDown", False), (400, "ExpiredToken", False), (None, "", False)],
)
def test_an_outage_of_the_object_store_is_no_reason_to_refuse_a_model(
    status: int | None, code: str, is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    with object_store(status, code) as endpoint:
        state = ControlState(partial(fetch_model, s3_endpoint=endpoint))
        entry = model_entry(ModelReference("v", "s3://bucket/v/model.onnx", "0" * 64))
        with nullcontext() if is_refused else pytest.raises(ModelUnavailable):
            state.read(entry)
    assert state.version == (1 if is_refused else 0)
    assert [refused.reason for refused in state.refused] == ([Reason.MODEL_REFUSED] if is_refused else [])
