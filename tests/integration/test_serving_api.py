"""The API against a real broker and a real Redis: what is pushed is read, what is stale or away is said, and strangers get nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from websockets.sync.client import connect as connect_socket
from websockets.typing import Origin

from infra.local.endpoints import Endpoints
from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from tests.support.online_records import START, abstained, feature_row, signal
from tests.support.served import RULE, Served, alert, answer_of, own_settings, served, store, stored_bar, wait_until
from udfs.codecs.news import encode_news
from udfs.records import NewsItem

LIVE = ("read",)


@pytest.fixture(scope="module")
def api(services: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = own_settings(services.kafka_bootstrap, services.redis_url)
    with served(settings, tmp_path_factory.mktemp("api")) as found:
        yield found


def test_what_is_pushed_is_read_and_an_older_record_changes_nothing(api: Served) -> None:
    with api.client() as client:
        api.send(signal("P1", 5), feature_row("P1", 5))
        wait_until(lambda: answer_of(client, "P1")["status"] == "live")
        found = client.get("/v1/signals/P1").json()
        assert (found["signal"]["signal_id"], found["signal"]["price"]) == ("id-P1-5", 100.0 + 5 / 7)
        assert found["event_time"] == "2013-05-31T11:33:25.000000000Z"
        api.send(signal("P1", 3), signal("P1", 6))
        wait_until(lambda: client.get("/v1/signals/P1").json()["signal"]["event_number"] == 6)
        api.send(signal("P1", 4), signal("P2", 1))
        wait_until(lambda: answer_of(client, "P2")["status"] == "live")
        assert client.get("/v1/signals/P1").json()["signal"]["event_number"] == 6
        assert client.get("/v1/features/P1").json()["features"]["values"] == {"0": 5.0, "1": None, "2": -1.5}
        assert set(client.get("/v1/book/P1").json()["book"]) >= {"spread", "imbalance_5_levels"}
        assert {"P1", "P2"} <= set(client.get("/v1/symbols").json()["symbols"])


def test_a_signal_without_a_score_has_nulls_and_its_reason(api: Served) -> None:
    with api.client() as client:
        api.send(abstained(signal("N1", 5)))
        wait_until(lambda: answer_of(client, "N1")["status"] == "live")
        found = answer_of(client, "N1")["signal"]
        assert (found["confidence"], found["probabilities"]["up"], found["status"], found["code"]) == (None, None, "abstained", "no_model")


def test_the_short_way_answers_as_the_long_one_and_leaves_the_rest_to_it(api: Served) -> None:
    """A further parameter makes a request go the long way; both give the same, and strangers and nonsense get the same refusals."""
    api.send(signal("W1", 5), abstained(signal("W2", 5)))
    with api.client() as client, api.stranger() as stranger:
        wait_until(lambda: answer_of(client, "W1")["status"] == answer_of(client, "W2")["status"] == "live")
        for wanted in ("W1,W2,W9", "W1%2CW2", "W2", ",".join(["W1"] * 200)):
            found = [client.get(f"/v1/signals?symbols={wanted}{more}") for more in ("", "&more=1")]
            assert [each.status_code for each in found] == [200, 200]
            assert [each.headers["content-type"] for each in found] == ["application/json"] * 2
            answers = [each.json()["answers"] for each in found]
            assert [{**each, "age_seconds": 0} for each in answers[0]] == [{**each, "age_seconds": 0} for each in answers[1]]
        for wanted in ("", "W1,", "W1,,W2", "W1;x", "a" * 65, ",".join(["W1"] * 201), "%00", "W1%252CW2"):
            assert client.get(f"/v1/signals?symbols={wanted}").status_code == 422
        assert stranger.get("/v1/signals?symbols=W1").json()["error"]["code"] == "no_valid_key"
        assert stranger.get("/v1/signals?symbols=W1", headers={"Authorization": "Basic x"}).status_code == 401
        with api.client("eve", ["write"]) as other:
            assert other.get("/v1/signals?symbols=W1").json()["error"]["code"] == "scope_missing"
        assert client.post("/v1/signals?symbols=W1").status_code == 405


def test_news_of_a_symbol_and_of_everything_is_read(api: Served) -> None:
    items = [NewsItem(f"n-{number}", START + number, START + number + 5, symbols, f"headline {number}", "long", "wire")
             for number, symbols in enumerate([("X1",), ("X2",), (), ("X1", "X2")])]  # fmt: skip
    producer = Producer({"bootstrap.servers": api.parts.settings.kafka.bootstrap_servers})
    for item in items:
        producer.produce(api.parts.settings.topics.news, encode_news(item))
    assert producer.flush(20) == 0
    with api.client() as client:
        wait_until(lambda: len(client.get("/v1/symbols/X1/news").json()["news"]) == 3)
        found = client.get("/v1/symbols/X1/news?limit=2").json()
        assert [each["news_id"] for each in found["news"]] == ["n-3", "n-2"]
        assert found["news"][0]["headline"] == "headline 3"
        assert [each["news_id"] for each in client.get("/v1/symbols/X3/news").json()["news"]] == ["n-2"]


def test_what_was_stored_before_is_read_from_the_online_store(api: Served) -> None:
    store(api.parts.settings, signal("R1", 9))
    with api.client() as client:
        assert client.get("/v1/signals/R1").json()["signal"]["event_number"] == 9


def test_what_is_old_is_a_fallback_that_says_so(api: Served) -> None:
    with api.client() as client:
        api.send(signal("O1", 1), signal("O2", 500))
        wait_until(lambda: answer_of(client, "O2")["signal"] is not None)
        found = answer_of(client, "O1")
        assert found["status"] == "fallback"
        assert "stale" in found["why"]
        assert found["signal"]["event_number"] == 1
        assert found["age_seconds"] >= 499


@pytest.mark.parametrize(
    "path",
    ["signals?symbols=A", "signals/A", "features/A", "book/A", "alerts", "symbols", "symbols/A/bars", "why/x", "watchlists", "watchlists/a",
     "rules", "freshness", "models", "control", "operations", "stream?symbols=A"],
)  # fmt: skip
def test_an_unauthorised_caller_gets_nothing(api: Served, path: str) -> None:
    """Without a key, with a made-up, an expired and a revoked one, and with a key whose scope is another."""
    expired = api.users.add_key("ann", ["read"], expires_at=1)[1]
    revoked, dead = api.users.add_key("ann", ["read"])
    assert api.users.revoke_key(revoked.key_id)
    made_up = ("", "Bearer", "Bearer tf_00000000_made-up", f"Basic {api.key()}", f"Bearer {'x' * 500}")
    with api.stranger() as client:
        for given in (*made_up, f"Bearer {expired}", f"Bearer {dead}"):
            found = client.get(f"/v1/{path}", headers={"Authorization": given} if given else {})
            assert (found.status_code, set(found.json())) == (401, {"error"})
    with api.client("ann", ["operate"]) as client:
        assert client.get(f"/v1/{path}").status_code == 403


def test_a_key_opens_what_its_scopes_say(api: Served) -> None:
    with api.client("ann", LIVE) as client:
        assert client.put("/v1/watchlists/mine", json={"symbols": ["A"]}).status_code == 403
        assert client.put("/v1/rules/mine", json=RULE).status_code == 403
        assert client.post("/v1/halt", json={"all": True, "reason": "just so"}).status_code == 403
    assert api.parts.control.current.snapshot.everything_halted is False


def test_watchlists_are_created_changed_and_deleted_and_are_nobody_elses(api: Served) -> None:
    with api.client("ann") as ann, api.client("bob") as bob:
        assert ann.put("/v1/watchlists/mine", json={"symbols": ["A", "B", "A"]}).json() == {"name": "mine", "symbols": ["A", "B"]}
        assert bob.get("/v1/watchlists/mine").status_code == 404
        assert bob.delete("/v1/watchlists/mine").status_code == 404
        assert bob.get("/v1/watchlists").json() == {"watchlists": []}
        ann.put("/v1/watchlists/mine", json={"symbols": ["C"]})
        assert ann.get("/v1/watchlists/mine").json()["symbols"] == ["C"]
        assert ann.delete("/v1/watchlists/mine").status_code == 204
        assert ann.get("/v1/watchlists/mine").status_code == 404


WRONG_RULES: list[dict[str, Any]] = [
    {"threshold": 0}, {"threshold": "NaN"}, {"symbols": []}, {"measure": "x"}, {"rearm_below": 5}, {"cool_down_seconds": -1},
]  # fmt: skip


def test_rules_reach_the_job_over_the_control_log_and_are_nobody_elses(api: Served) -> None:
    with api.client("ann") as ann, api.client("bob") as bob:
        version = ann.put("/v1/rules/moves", json=RULE).json()["version"]
        (mine,) = [rule for rule in ann.get("/v1/rules").json()["rules"] if rule["is_own"]]
        assert (mine["name"], mine["threshold"], mine["symbols"]) == ("moves", 0.02, ["A", "B"])
        assert [rule.rule_id for rule in api.parts.control.current.snapshot.rules_of("A")] == ["user.ann.moves"]
        assert not [rule for rule in bob.get("/v1/rules").json()["rules"] if "ann" in rule["rule_id"]]
        assert bob.delete("/v1/rules/moves").status_code == 404
        assert "ann" not in json.dumps(bob.get("/v1/control").json())
        assert ann.put("/v1/rules/moves", json=RULE | {"threshold": 0.03}).json()["version"] == version + 1
        assert ann.delete("/v1/rules/moves").json()["version"] == version + 2
        assert not api.parts.control.current.snapshot.rules_of("A")
        api.send(alert("A", 1, "user.ann.moves"), alert("A", 2), alert("A", 2))
        wait_until(lambda: len(ann.get("/v1/alerts").json()["alerts"]) == 2)
        assert [each["rule_id"] for each in bob.get("/v1/alerts").json()["alerts"]] == ["big-move"]


def test_halt_and_resume_are_written_with_who_and_why(api: Served) -> None:
    with api.client("olga", ["read", "operate"]) as client:
        assert client.post("/v1/halt", json={"symbols": ["H1"], "all": True, "reason": "both at once"}).status_code == 422
        assert client.post("/v1/halt", json={"reason": "of nothing"}).status_code == 422
        assert client.post("/v1/halt", json={"symbols": ["H1"], "reason": "  "}).status_code == 422
        client.post("/v1/halt", json={"symbols": ["H1"], "reason": "odd prices"}).raise_for_status()
        found = client.get("/v1/control").json()
        assert found["symbols"] == {"H1": "halted"}
        assert (found["entries"][0]["reason"], found["entries"][0]["author"][:4]) == ("odd prices", "olga")
        client.post("/v1/resume", json={"symbols": ["H1"], "reason": "fine again"}).raise_for_status()
        assert client.get("/v1/control").json()["symbols"] == {}


def test_stored_rows_come_by_pages(api: Served) -> None:
    """As the paging of `jobs.lake.paging` gives them; its laws are tried without a server."""
    catalog = open_catalog(api.lake)
    create_tables(catalog, api.lake.buckets)
    append_rows(catalog, NAMESPACE, "bars", [stored_bar("S1", minute, float(minute)) for minute in range(5)])
    with api.client() as client:
        asked = {"length_seconds": 60, "limit": 3}
        first = client.get("/v1/symbols/S1/bars", params=asked).json()
        assert [row["close"] for row in first["rows"]] == [4.0, 3.0, 2.0]
        second = client.get("/v1/symbols/S1/bars", params=asked | {"before": first["next"]}).json()
        assert ([row["close"] for row in second["rows"]], second["next"]) == ([1.0, 0.0], None)
        between = {"from": "2013-05-31T11:34:20Z", "to": "2013-05-31T11:36:20Z"}
        found = client.get("/v1/symbols/S1/bars", params=between).json()["rows"]
        assert [row["start_time"] for row in found] == ["2013-05-31T11:35:20.000000000Z", "2013-05-31T11:34:20.000000000Z"]
        assert client.get("/v1/symbols/S1/bars", params={"length_seconds": 300}).json()["status"] == "unknown"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("signals/no-such", 404),
        ("features/no-such", 404),
        ("signals", 422),
        ("signals?symbols=", 422),
        ("signals?symbols=" + ",".join(["A"] * 201), 422),
        ("signals/" + "A" * 65, 422),
        ("signals/%00", 422),
        ("signals/A%0AB", 422),
        ("signals/'%20or%201=1--", 422),
        ("signals/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404),
        ("symbols/A'%20OR%20'1'='1/bars", 422),
        ("symbols/A/bars?length_seconds=7", 422),
        ("symbols/A/bars?limit=1001", 422),
        ("symbols/A/bars?limit=0", 422),
        ("symbols/A/bars?before=nonsense", 422),
        ("symbols/A/bars?before=WyJ4IiwgMV0", 422),
        ("symbols/A/bars?from=yesterday", 422),
        ("symbols/A/bars?from=2026-01-01T00:00:00", 422),
        ("symbols/A/bars?from=9999-12-31T23:59:59-12:00", 200),
        ("why/no-such-signal", 404),
        ("why/../../x", 404),
        ("why/%27;drop%20table", 422),
        ("watchlists/%2e%2e", 422),
        ("nothing", 404),
    ],
)
def test_bad_input_has_its_answer(api: Served, path: str, status: int) -> None:
    """Named in one form, with the request's id, and without repeating what was sent."""
    with api.client() as client:
        found = client.get(f"/v1/{path}", headers={"X-Request-Id": "of-this-test"})
        assert found.status_code == status
        assert found.headers["x-request-id"] == "of-this-test"
        if status != 200:
            assert found.json()["error"]["request_id"] == "of-this-test"


def test_bodies_that_are_too_large_or_nonsense_are_refused(api: Served) -> None:
    with api.client() as client:
        large = b'{"symbols": ["' + b"A" * 70_000 + b'"]}'
        for content in (large, iter([large[:40_000], large[40_000:]])):
            found = client.put("/v1/watchlists/a", content=content, headers={"Content-Type": "application/json"})
            assert found.status_code == 413
        for content in (b"{", b"[]", b'{"symbols": []}', b'{"symbols": ["A"], "user": "bob"}', b'{"symbols": ["a b"]}', b"\xff\xfe"):
            found = client.put("/v1/watchlists/a", content=content, headers={"Content-Type": "application/json"})
            assert found.status_code in (400, 422)
        for words in WRONG_RULES:
            assert client.put("/v1/rules/a", json=RULE | words).status_code == 422
        assert client.put("/v1/rules/a.b", json=RULE).status_code == 422
        assert client.get("/v1/watchlists").json() == {"watchlists": []}


def test_the_access_log_holds_no_secret(api: Served) -> None:
    with api.client() as client:
        client.get("/v1/signals", params={"symbols": "A", "key": api.key()}, headers={"X-Request-Id": "look-for-me"})
    entries = [entry for entry in api.log if entry["request_id"] == "look-for-me"]
    assert [(entry["path"], entry["status"], entry["method"]) for entry in entries] == [("/v1/signals", 200, "GET")]
    assert api.key() not in json.dumps(api.log)
    assert entries[0]["key"] == api.key().split("_")[1]
    assert api.key().encode() not in b"".join(file.read_bytes() for file in Path(api.parts.serve.users.parent).glob("users.db*"))


def test_other_origins_are_told_nothing(api: Served) -> None:
    with api.stranger() as client:
        asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
        found = client.options("/v1/signals", headers=asked)
    assert not [name for name in found.headers if name.startswith("access-control")]
    with pytest.raises(Exception, match="403"):
        connect_socket(f"{api.url.replace('http', 'ws')}/v1/live", origin=Origin("https://elsewhere.example"))
