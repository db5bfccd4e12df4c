"""A job that writes the process in which its Python code ran, and where it found the shipped code, into the file it is given."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pyflink.common import Types
from pyflink.datastream import MapFunction, StreamExecutionEnvironment


class Witness(MapFunction):
    """Writes to a file what a worker sees."""

    def __init__(self, target: str, fails: bool) -> None:
        self.target = target
        self.fails = fails

    def map(self, value: int) -> int:
        import udfs.records

        if self.fails:
            raise ValueError("this record is meant to fail")
        Path(self.target).write_text(f"{os.getpid()} {udfs.records.__file__}")
        return value


def main(target: str, fails: bool) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    numbers = env.from_collection([1], type_info=Types.INT())
    numbers.map(Witness(target, fails), output_type=Types.INT()).uid("witness").print()
    env.execute("process number")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "fail")
