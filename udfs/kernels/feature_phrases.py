"""Sources and warm-ups that several features share, in the words of the reference."""

from __future__ import annotations

AMIHUD = "Amihud 2002, Illiquidity and Stock Returns"
APPEL = "Appel 1979, moving average convergence divergence"
BANDS = "Bollinger 2001, Bollinger on Bollinger Bands"
CONT = "Cont, Kukanov, Stoikov 2014, The Price Impact of Order Book Events"
HAWKES = "Hawkes 1971, exponential kernel"
HUANG = "Huang, Stoll 1996, Dealer versus Auction Markets"
JUMPS = "Barndorff-Nielsen, Shephard 2004 and 2006"
KYLE = "Kyle 1985, Continuous Auctions and Insider Trading"
LANE = "Lane 1984, stochastics"
LEVELS = "Xu, Gould, Howison 2019, Multi-Level Order-Flow Imbalance in a Limit Order Book"
LOPEZ = "Lopez de Prado 2018, Advances in Financial Machine Learning, 5.5"
RV = "Andersen, Bollerslev 1998, realised volatility"
SIGN = "side of the feed, else Lee, Ready 1991 without delay"
SLOPE = "after Naes, Skjeltorp 2006, Order Book Characteristics and the Volume-Volatility Relation"
WILDER = "Wilder 1978, New Concepts in Technical Trading Systems"

DAY = "a print in the day"
FIRST_BOOK = "until both sides of the book are there; missing while it is quarantined or stale"
FIRST_TRADE = "until the first trade"
