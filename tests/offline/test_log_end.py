"""The end of a partition is asked for again while its leader is being chosen, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from jobs.log_end import log_end


class Answers:
    """A consumer that gives these answers in turn."""

    def __init__(self, *answers: int) -> None:
        self.left = list(answers)

    def get_watermark_offsets(self, *_: Any, **__: Any) -> tuple[int, int]:
        answer = self.left.pop(0)
        if answer < 0:
            raise KafkaException(KafkaError(-answer))
        return 0, answer


def test_a_leader_that_is_being_chosen_is_waited_for() -> None:
    assert log_end(Answers(-KafkaError.LEADER_NOT_AVAILABLE, -KafkaError.NOT_LEADER_FOR_PARTITION, 7), "t", 0, 5.0) == 7  # type: ignore[arg-type]


@pytest.mark.parametrize(("code", "seconds"), [(KafkaError.UNKNOWN_TOPIC_OR_PART, 5.0), (KafkaError.NOT_LEADER_FOR_PARTITION, -1.0)])
def test_other_errors_and_too_long_a_wait_are_raised(code: int, seconds: float) -> None:
    answers = Answers(-code, 7)
    with pytest.raises(KafkaException):
        log_end(answers, "t", 0, seconds)  # type: ignore[arg-type]
    assert answers.left == [7]
