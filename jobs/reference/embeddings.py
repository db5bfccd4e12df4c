"""Symbols as vectors learnt from how they move together: `python -m jobs.reference.embeddings --bars FILE --out FILE`.

Skip-gram with symbols for words. A sentence is what stood out in one bar on one side: the symbols whose return, less the mean of all, is
in the upper or in the lower part. With negative sampling, skip-gram factorises the shifted positive pointwise mutual information of words
that share a sentence (Levy, Goldberg 2014, Neural Word Embedding as Implicit Matrix Factorization); the factors are found directly here,
so equal bars give equal vectors. Learnt offline, from bars that had closed by then; used for neighbours, not in the stream.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from udfs.errors import SourceError, TickflowError

Floats = npt.NDArray[np.float64]

STANDING_OUT = 0.3
"""Share of the symbols that stand out in a bar on each side."""
NEGATIVE_SAMPLES = 1.0
"""The shift of the mutual information is the logarithm of this."""
LEAST_BARS = 30


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Unit vectors, one a symbol."""

    symbols: tuple[str, ...]
    vectors: Floats
    """(symbols, dimensions)."""

    def neighbours(self, symbol: str, count: int) -> list[tuple[str, float]]:
        """The nearest others with the cosine of the angle, nearest first. Raises KeyError for a symbol that is not known."""
        if symbol not in self.symbols:
            raise KeyError(f"{symbol} is not among the {len(self.symbols)} symbols")
        place = self.symbols.index(symbol)
        cosines = self.vectors @ self.vectors[place]
        order = [other for other in np.argsort(-cosines, kind="stable").tolist() if other != place]
        return [(self.symbols[other], float(cosines[other])) for other in order[:count]]


def learn(symbols: tuple[str, ...], closes: Floats, dimensions: int) -> Embeddings:
    """From closes (bars, symbols), NaN where a symbol has none. Raises SourceError when there are too few to learn from."""
    if closes.shape[0] <= LEAST_BARS or len(symbols) < 3:
        raise SourceError(f"{closes.shape[0]} bars of {len(symbols)} symbols; expected more than {LEAST_BARS} of 3 or more")
    returns = np.diff(np.log(closes), axis=0)
    information = _mutual_information(_shared_sentences(returns))
    values, vectors = np.linalg.eigh(information)
    kept = np.argsort(-values, kind="stable")[: min(dimensions, len(symbols))]
    factors = vectors[:, kept] * np.sqrt(np.maximum(values[kept], 0.0))
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    return Embeddings(symbols, factors / np.where(lengths > 0.0, lengths, 1.0))


def _shared_sentences(returns: Floats) -> Floats:
    """(symbols, symbols) in how many sentences two symbols stand together; the diagonal: in how many one stands."""
    scale = np.nanstd(returns, axis=0)
    with np.errstate(all="ignore"):
        standard = returns / np.where(scale > 0.0, scale, np.nan)
        moves = standard - np.nanmean(standard, axis=1, keepdims=True)
        lower, upper = np.nanquantile(moves, [STANDING_OUT, 1.0 - STANDING_OUT], axis=1, keepdims=True)
    sides = np.concatenate([moves >= upper, moves <= lower]).astype(np.float64)
    shared: Floats = sides.T @ sides
    return shared


def _mutual_information(shared: Floats) -> Floats:
    """Shifted and positive, of pairs of different symbols."""
    single = np.diag(shared)
    pairs = shared - np.diag(single)
    total, sums = pairs.sum(), pairs.sum(axis=0)
    with np.errstate(all="ignore"):
        information = np.log(pairs * total / np.outer(sums, sums)) - np.log(NEGATIVE_SAMPLES)
    positive: Floats = np.where(np.isfinite(information), np.maximum(information, 0.0), 0.0)
    np.fill_diagonal(positive, positive.max(axis=1, initial=0.0))
    return positive


def read_closes(path: Path) -> tuple[tuple[str, ...], Floats]:
    """Closes (bars, symbols) from a Parquet file with symbol, start_time and close. Raises SourceError."""
    import pandas as pd

    try:
        frame = pd.read_parquet(path, columns=["symbol", "start_time", "close"])
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(f"{path}: {error}; expected a Parquet file of bars with symbol, start_time and close") from error
    wide = frame.pivot_table(index="start_time", columns="symbol", values="close", aggfunc="last").sort_index()
    return tuple(map(str, wide.columns)), wide.to_numpy(np.float64)


def write(embeddings: Embeddings, path: Path) -> None:
    """A Parquet file: symbol, vector."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    columns = {"symbol": list(embeddings.symbols), "vector": [vector.tolist() for vector in embeddings.vectors]}
    parquet.write_table(pa.table(columns), path)


def main(arguments: list[str]) -> int:
    """Learn, write, and print each symbol's nearest three. 0 done, 2 usage or input."""
    parser = argparse.ArgumentParser(prog="python -m jobs.reference.embeddings", description=__doc__)
    parser.add_argument("--bars", type=Path, required=True, metavar="FILE", help="Parquet file with symbol, start_time, close")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="Parquet file of symbol and vector")
    parser.add_argument("--dimensions", type=int, default=16, help="length of a vector (default 16)")
    options = parser.parse_args(arguments)
    try:
        embeddings = learn(*read_closes(options.bars), options.dimensions)
    except TickflowError as error:
        print(f"embeddings: {error}", file=sys.stderr)
        return 2
    write(embeddings, options.out)
    for symbol in embeddings.symbols:
        near = ", ".join(f"{name} {cosine:.2f}" for name, cosine in embeddings.neighbours(symbol, 3))
        print(f"{symbol}: {near}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
