"""The path of paper trading, and what its answer looks like."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import Field
from starlette.requests import Request

from jobs.serving.api.access import HistoryReader, parts_of
from jobs.serving.api.parts import Parts, as_json
from jobs.serving.api.problems import documented
from jobs.serving.api.schemas import Body, Moment, Status

router = APIRouter(prefix="/v1", tags=["paper trading"])


class Position(Body):
    """What is held of a symbol; money in units of the currency."""

    symbol: str
    quantity: float = Field(description="above 0 bought, below 0 sold short")
    cost: float
    worth: float = Field(description="at the newest price that is known here, else what it cost")
    unrealised: float
    realised: float
    fees: float


class Mark(Body):
    """What the account was worth at a time."""

    event_time: Moment
    equity: float


class PaperFill(Body):
    """A part of an order that was traded."""

    event_time: Moment
    symbol: str
    quantity: float
    price: float
    fee: float


class PaperDenial(Body):
    """An order that the risk gate did not let out."""

    time: Moment
    symbol: str
    why: str


class PaperAnswer(Body):
    """The account; fills and denials newest first, marks oldest first."""

    status: Status
    why: str
    event_time: Moment | None
    paid_in: float
    cash: float
    realised: float = Field(description="before fees")
    fees: float
    equity: float
    profit: float
    drawdown: float = Field(description="below the highest that the account was worth")
    loss_limit: str = Field(description="the limit that was reached and stops new positions; empty when none is")
    positions: list[Position]
    marks: list[Mark]
    fills: list[PaperFill]
    denials: list[PaperDenial]
    denied: dict[str, int] = Field(description="how many orders, by reason")


@router.get("/paper", response_model=PaperAnswer, responses=documented())
def paper(request: Request, caller: HistoryReader) -> Response:
    """What `infra/tickflow paper` holds on this machine, what it is worth, and what its risk gate refused."""
    parts: Parts = parts_of(request)
    prices = {symbol: kept.record.price for symbol, kept in list(parts.cache.signals.items())}
    return as_json(parts.paper.look(prices))
