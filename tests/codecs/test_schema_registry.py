"""Schema ids from a registry, over real HTTP: registered once, then only looked up; credentials go to the registry and nowhere else."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from jobs.schema_registry import MESSAGE_OF_TOPIC, RegistryError, SchemaRegistry, ids_from_registry, schema_texts
from tests.support.registry_server import RegistryState, registry_server
from udfs.codecs.frame_columns import EMPTY, zeros_i64, zeros_u8
from udfs.codecs.frames import decode_frame, encode_frame
from udfs.codecs.wire import PINNED_IDS, prefix

SECRET = "s3cret-Pa55"


@pytest.fixture
def server() -> Iterator[RegistryState]:
    with registry_server() as state:
        yield state


def test_every_schema_is_registered_under_its_topic_and_its_id_is_used(server: RegistryState) -> None:
    ids = ids_from_registry(SchemaRegistry(server.url))
    assert set(server.subjects) == {f"{topic}-value" for topic in MESSAGE_OF_TOPIC}
    assert set(ids.written) == set(PINNED_IDS)
    assert all(server.ids[schema] == ids.written[message] for message, schema in schema_texts().items())
    framing = ids.framing("MarketFrame")
    columns = EMPTY._replace(
        kind=zeros_u8(1), flags=zeros_u8(1), event_time=zeros_i64(1), available_time=zeros_i64(1), sequence=zeros_i64(1)
    )
    data = encode_frame("A", "", "", 0, columns, framing=framing)
    assert data.startswith(prefix(ids.written["MarketFrame"]))
    assert decode_frame(data, framing).symbol == "A"


def test_what_is_registered_is_not_registered_again(server: RegistryState) -> None:
    """The second start writes nothing: a registry that we may only read is enough."""
    first = ids_from_registry(SchemaRegistry(server.url))
    server.requests.clear()
    assert ids_from_registry(SchemaRegistry(server.url)) == first
    assert [path for method, path, _ in server.requests if method == "POST" and path.endswith("/versions")] == []


def test_ids_of_earlier_versions_are_read_too(server: RegistryState) -> None:
    earlier = 'syntax = "proto3"; message MarketFrame { string symbol = 1; }'
    server.subjects["market.frames-value"] = [earlier]
    server.ids[earlier] = 17
    ids = ids_from_registry(SchemaRegistry(server.url))
    assert ids.also_read["MarketFrame"] == (17, ids.written["MarketFrame"])
    assert prefix(17) in ids.framing("MarketFrame").accepted


def test_a_topic_may_have_another_name(server: RegistryState) -> None:
    ids = ids_from_registry(SchemaRegistry(server.url + "/"), {"eu/ticks": "MarketFrame"})
    assert list(server.subjects) == ["eu/ticks-value"]
    assert list(ids.written) == ["MarketFrame"]


@pytest.mark.parametrize(
    ("registry", "header"),
    [
        ({"user": "tick", "password": SECRET}, "Basic dGljazpzM2NyZXQtUGE1NQ=="),
        ({"token": SECRET}, f"Bearer {SECRET}"),
    ],
)
def test_credentials_reach_the_registry_and_are_never_shown(server: RegistryState, registry: dict[str, str], header: str) -> None:
    server.authorization = header
    client = SchemaRegistry(server.url, **registry)  # type: ignore[arg-type]
    assert client.all_ids("unknown-value") == ()
    server.authorization = "another"
    with pytest.raises(RegistryError, match="401: Unauthorized") as caught:
        client.all_ids("unknown-value")
    for shown in (repr(client), str(client), str(caught.value), repr(caught.value)):
        assert SECRET not in shown
        assert header not in shown


def test_credentials_are_not_carried_along_a_redirect(server: RegistryState) -> None:
    with registry_server() as elsewhere:
        server.redirect_to = elsewhere.url
        with pytest.raises(RegistryError, match="answered 302"):
            SchemaRegistry(server.url, token=SECRET).all_ids("a-value")
        assert elsewhere.requests == []


def test_an_incompatible_schema_stops_the_start(server: RegistryState) -> None:
    server.refused.add("market.frames-value")
    with pytest.raises(RegistryError, match="409: Schema being registered is incompatible"):
        ids_from_registry(SchemaRegistry(server.url))


@pytest.mark.parametrize(
    ("answer", "said"),
    [(b"<html>", "no JSON"), (b'{"version": 1}', "holds no id"), (b'{"id": "seven"}', "holds no id"), (b"[]", "holds no id")],
)
def test_something_that_is_no_registry_is_named(server: RegistryState, answer: bytes, said: str) -> None:
    server.raw_answer = answer
    with pytest.raises(RegistryError, match=said):
        SchemaRegistry(server.url).id_of("a-value", "syntax")


def test_a_registry_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(RegistryError, match="is it running"):
        SchemaRegistry(f"http://127.0.0.1:{port}", timeout_seconds=2).all_ids("a-value")


@pytest.mark.parametrize("url", ["", "localhost:8081", "ftp://host", f"http://user:{SECRET}@host"])
def test_a_url_that_cannot_work_is_refused_at_once(url: str) -> None:
    with pytest.raises(RegistryError) as caught:
        SchemaRegistry(url)
    assert SECRET not in str(caught.value)
