"""What the analyser found: figures for people, remarks, and problems that training must not begin with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jobs.training.dataset import NotEnoughData


class NonsenseData(NotEnoughData):
    """Rows that nothing honest can be trained from."""


@dataclass
class Findings:
    """Everything that was found."""

    figures: dict[str, Any] = field(default_factory=dict)
    """Name -> JSON value."""
    remarks: list[str] = field(default_factory=list)
    """Odd, but usable."""
    problems: list[str] = field(default_factory=list)
    """Not usable."""

    @property
    def usable(self) -> bool:
        """Whether training may begin."""
        return not self.problems

    def remark_if(self, true: bool, words: str) -> None:
        """Note something odd."""
        if true:
            self.remarks.append(words)

    def problem_if(self, true: bool, words: str) -> None:
        """Note something that stops."""
        if true:
            self.problems.append(words)

    def stop_on_nonsense(self) -> None:
        """Raises NonsenseData with every problem."""
        if self.problems:
            raise NonsenseData("the data makes no sense to train from:\n" + "\n".join(f"  {problem}" for problem in self.problems))

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {"usable": self.usable, "problems": self.problems, "remarks": self.remarks, **self.figures}
