"""Terms used in the formulas
- t: the symbol's clock, the greatest event time of its accepted events. S: the whole second that t lies in.
- price in force at b: the newest price print with event time < b. A print is a trade that counts for the price, the close of a vendor
  bar, or, for a symbol that never traded, the mid price of its book.
- window of W: from a boundary b until t. b = floor(t - W) to the hop of the window: 1 s for W <= 10 s, 10 s for W <= 5 min, 1 min for
  1 h, 1 h for 24 h. So a window is at least W and at most W + one hop long, and its head is never behind.
- bought and sold: by the side that the feed names; where it names none, above the mid price just before the trade bought and below it
  sold (a usable best level given), else above the last trade price bought and below it sold, else as the last trade that changed it.
  Such a side remembers the best level and price change before it, which may be older than the window.
- prints of a day, and of a bar: its trade prices; mid prices only where no trade lies in it.
- the session's day: from the start that the newest SESSION tells (midnight of its calendar, or its open if that is earlier), else midnight
  UTC, until t.
- a warm-up of BOOK events: since the first that could be trusted; it begins anew when the book was quarantined or its feed was lost.
- a pair of 1-min returns: of the index and the symbol, ending within 10 s. Left out where that of the index lies beyond max(0.1 %, 10
  sigma), as misprints do; sigma: running 90 % quantile of its size, over 1.645, raised by 4.5 % by a greater one, lowered by 0.5 % else.
- minute bars: the non-empty bars of 1 minute in the order they closed; an empty minute is no bar.
- closed minutes: those whose end the watermark has passed, empty ones too; the price of one is the price in force at its end.
A feature is NaN and not valid until its warm-up is over, and whenever its formula has no finite value.
"""
