"""When alerts go out: quiet hours, digests, repetition and rates, by laws; and what is wrong with a file of channels."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.serving.notifications import program
from jobs.serving.notifications.channels import Channel, Channels, Quiet, load_channels
from jobs.serving.notifications.outbox import Message, Outbox, grouped, message_key
from jobs.serving.notifications.senders import words
from jobs.serving.notifications.timing import LONGEST_PAUSE_SECONDS, due, end_of_quiet, pause_seconds
from tests.support.online_records import HERE, SECOND, START
from udfs.errors import InvalidSettings
from udfs.records import Alert

NOW = 1_800_000_000.0


def desk(**changes: Any) -> Channel:
    return Channel(name="desk", kind="webhook", url="http://localhost/", secret_variable="SECRET", **changes)


def alert(number: int, rule_id: str = "big-move", symbol: str = "A") -> Alert:
    at = START + number * SECOND
    return Alert(f"id-{number}", rule_id, symbol, at, at, number, "price_move", 0.01, 0.02, "", HERE, "manifest")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        ("2026-03-02T21:59:59", None),
        ("2026-03-02T22:00:00", "2026-03-03T07:00:00"),
        ("2026-03-03T06:59:59", "2026-03-03T07:00:00"),
        ("2026-03-03T07:00:00", None),
    ],
)
def test_quiet_hours_last_over_midnight(moment: str, ends: str | None) -> None:
    quiet = Quiet(begins=time(22), ends=time(7))
    assert end_of_quiet(quiet, at(moment)) == (None if ends is None else at(ends))


def test_quiet_hours_follow_the_zone_s_summer_time() -> None:
    quiet = Quiet(begins=time(22), ends=time(7), zone="Europe/Berlin")
    assert end_of_quiet(quiet, at("2026-03-28T23:00:00")) == at("2026-03-29T05:00:00")
    assert end_of_quiet(quiet, at("2026-03-27T23:00:00")) == at("2026-03-28T06:00:00")


@given(st.times(), st.times(), st.floats(0, 4e9))
def test_after_quiet_hours_it_is_not_quiet(begins: time, ends: time, moment: float) -> None:
    quiet = Quiet(begins=begins.replace(microsecond=0), ends=ends.replace(microsecond=0))
    end = end_of_quiet(quiet, moment)
    assert end is None or (moment < end <= moment + 86_400 and end_of_quiet(quiet, end) is None)
    assert due(desk(quiet=quiet), moment).at == (moment if end is None else end)


@given(
    st.lists(st.tuples(st.uuids().map(str), st.just("{}"), st.integers(0, 1)), max_size=30, unique_by=lambda each: each[0]),
    st.integers(-1, 12),
)
def test_every_alert_is_in_one_message_and_messages_fit_the_rate(found: list[tuple[str, str, int]], room: int) -> None:
    groups = grouped(found, room)
    held = Counter(alert_id for group in groups for alert_id, _ in group)
    assert len(groups) <= max(room, 0)
    assert held == (Counter(alert_id for alert_id, _, _ in found) if room > 0 else Counter())
    assert len({message_key([alert_id for alert_id, _ in group]) for group in groups}) == len(groups)


def test_pauses_grow_and_have_an_end() -> None:
    pauses = [pause_seconds(attempts) for attempts in range(1, 100)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1.0, LONGEST_PAUSE_SECONDS)


def test_a_digest_holds_what_came_within_its_time(tmp_path: Path) -> None:
    outbox, channel = Outbox(tmp_path / "o.db"), desk(digest_seconds=60)
    outbox.put([channel], [alert(1)], NOW)
    outbox.put([channel], [alert(2), alert(1)], NOW + 50)
    assert outbox.gather(channel, NOW + 59) == 0
    assert outbox.gather(channel, NOW + 60) == 1
    message = outbox.next("desk", NOW + 60)
    assert message is not None
    assert [each["alert_id"] for each in message.alerts] == ["id-1", "id-2"]


def test_the_same_again_is_left_out_for_a_while(tmp_path: Path) -> None:
    outbox, channel = Outbox(tmp_path / "o.db"), desk(same_within_seconds=10)
    outbox.put([channel], [alert(0), alert(9), alert(10), alert(11, symbol="B"), alert(19)], NOW)
    outbox.gather(channel, NOW)
    assert sorted(message.key for message in outbox.messages()) == ["id-0", "id-10", "id-11"]
    assert outbox.counts()["desk"]["alerts_left_out"] == 2


def test_more_than_the_rate_waits_and_goes_out_as_one(tmp_path: Path) -> None:
    outbox, channel = Outbox(tmp_path / "o.db"), desk(most_an_hour=3)
    outbox.put([channel], [alert(number) for number in range(10)], NOW)
    assert outbox.gather(channel, NOW) == 3
    outbox.put([channel], [alert(number) for number in range(10, 14)], NOW + 1)
    assert outbox.gather(channel, NOW + 3599) == 0
    assert outbox.gather(channel, NOW + 3601) == 3
    assert sorted(len(message.alerts) for message in outbox.messages()) == [1, 1, 1, 1, 2, 8]


def test_a_message_that_never_goes_is_kept_after_a_day(tmp_path: Path) -> None:
    outbox, channel, now = Outbox(tmp_path / "o.db"), desk(), NOW
    outbox.put([channel], [alert(1)], now)
    outbox.gather(channel, now)
    attempts = 0
    while (message := outbox.next("desk", now)) is not None:
        outbox.failed(message, "away", False, now)
        attempts += 1
        now += LONGEST_PAUSE_SECONDS
    assert 280 < attempts < 300
    assert [message.problem for message in outbox.messages("undeliverable")] == ["away"]


def test_what_went_out_long_ago_is_forgotten_and_nothing_else(tmp_path: Path) -> None:
    outbox, channel = Outbox(tmp_path / "o.db"), desk()
    outbox.put([channel], [alert(1), alert(2), alert(3)], NOW)
    outbox.gather(channel, NOW)
    for for_good in (None, True):
        message = outbox.next("desk", NOW)
        assert message is not None
        outbox.failed(message, "gone", True, NOW) if for_good else outbox.sent(message)
    assert [outbox.forget(NOW + days * 86_400) for days in (29, 31)] == [0, 1]
    assert outbox.counts() == {"desk": {"undeliverable": 1, "waiting": 1}}


def test_a_sender_that_breaks_does_not_silence_its_channel(tmp_path: Path) -> None:
    class Breaks:
        def __init__(self) -> None:
            self.keys: list[str] = []

        def send(self, message: Message) -> None:
            self.keys.append(message.key)
            if len(self.keys) == 1:
                raise UnicodeError("unforeseen")

    outbox, channel, sender = Outbox(tmp_path / "o.db"), desk(), Breaks()
    outbox.put([channel], [alert(1), alert(2)], 0.0)
    deliverer = program.Deliverer(outbox, {"desk": sender}, Channels(channel=(channel,)))
    assert [deliverer._step(channel) for _ in range(3)] == [True, True, False]
    assert sender.keys == ["id-1", "id-2"]
    assert outbox.counts()["desk"] == {"sent": 1, "waiting": 1}


def test_rules_of_users_are_told_to_them_alone() -> None:
    wanted = {name: [desk(user=name).wants(rule, "A") for rule in ("big", "user.ann.x", "user.bob.x")] for name in ("", "ann")}
    assert wanted == {"": [True, False, False], "ann": [True, True, False]}
    assert [desk(symbols=["A"]).wants("big", symbol) for symbol in "AB"] == [True, False]


def test_templates_are_filled_in_and_keep_to_their_line() -> None:
    values = {"symbol": "A\nB", "rule_id": "r", "measure": "m", "value": 0.5, "threshold": 0.1, "event_time": "t"}
    assert words(desk(), [values, values]) == "A B r: m 0.5 reached 0.1 at t\n" * 1 + "A B r: m 0.5 reached 0.1 at t"


GATEWAY = '[[channel]]\nname = "chat"\nkind = "gateway"\n'
GOOD = '[[channel]]\nname = "desk"\nkind = "webhook"\nurl = "http://localhost/"\nsecret_variable = "S"\n'


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", '[[channel]]\nname = "a"\n', GOOD.replace("http:", "file:"), GOOD.replace('secret_variable = "S"\n', ""),
        GOOD + 'template = "{password}"\n', GOOD + 'template = "{value:d}"\n', GOOD + 'template = "{symbol.__class__}"\n', GOOD + GOOD,
        GOOD + 'secret = "x"\n', GOOD + '[channel.quiet]\nbegins = 22:00:00\nends = 07:00:00\nzone = "Mars"\n',
        '[[channel]]\nname = "a"\nkind = "mail"\nto = ["a\\nb@c"]\n',
        GATEWAY, GATEWAY + 'url = "http://c/"\nbody = { text = "no place" }\n', GATEWAY + 'body = { text = "{message}" }\n',
        GATEWAY + 'url = "http://c/"\nbody = { text = "{message} {symbol}" }\n',
        GATEWAY + 'url = "ftp://c/"\nbody = { text = "{message}" }\n',
        GATEWAY + 'url = "http://c/"\nbody = { text = "{message:{x}}" }\n',
        GATEWAY + 'url = "http://c/"\nurl_variable = "U"\nbody = { text = "{message}" }\n',
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_before_anything_is_sent(tmp_path: Path, text: str) -> None:
    file = tmp_path / "channels.toml"
    file.write_text(text)
    with pytest.raises(InvalidSettings):
        load_channels(file)


def test_a_good_file_and_a_missing_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "channels.toml"
    file.write_text(GOOD + '[channel.quiet]\nbegins = 22:00:00\nends = 07:00:00\nzone = "Europe/London"\n[mail]\nhost = "mail"\n')
    channels = load_channels(file)
    monkeypatch.delenv("S", raising=False)
    with pytest.raises(InvalidSettings, match="S is not set"):
        program.senders_of(channels)


def test_one_program_sends_from_an_outbox(tmp_path: Path) -> None:
    first, second = Outbox(tmp_path / "o.db"), Outbox(tmp_path / "o.db")
    with first.alone(), pytest.raises(InvalidSettings), second.alone():
        pass
    with second.alone():
        pass


def test_the_verb_shows_what_could_not_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = ["--outbox", str(tmp_path / "o.db")]
    outbox, channel = Outbox(tmp_path / "o.db"), desk()
    outbox.put([channel], [alert(1)], NOW)
    outbox.gather(channel, NOW)
    message = outbox.next("desk", NOW)
    assert message is not None
    outbox.failed(message, "answered 410", True, NOW)
    assert program.main(["list", "--state", "undeliverable", *file]) == 0
    assert "answered 410" in capsys.readouterr().out
    assert program.main(["retry", "desk", *file]) == 0
    assert outbox.next("desk", NOW * 2) is not None


def test_the_channels_of_the_readme_are_good(tmp_path: Path) -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    (example,) = [part.split("```")[0] for part in readme.split("```toml\n")[1:] if part.startswith("[[channel]]")]
    file = tmp_path / "channels.toml"
    file.write_text(example)
    assert [channel.name for channel in load_channels(file).channel] == ["desk", "chat", "night"]
