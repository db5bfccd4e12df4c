-- Question: What do the indicators say at each 1-minute bar, computed from the stored bars by the kernels of the live job?
-- Columns: symbol, start of the bar, close, RSI 14, SMA 20, EMA 12, MACD line, ATR 14; NULL until there are enough bars.
-- Parameters: symbol = LIKE pattern; length_seconds = 1, 60, 300 or 3600.
WITH history AS (
  SELECT
    symbol, start_time, `close`,
    ARRAY_AGG(`close`) OVER w AS closes, ARRAY_AGG(high) OVER w AS highs, ARRAY_AGG(low) OVER w AS lows
  FROM bars
  WHERE symbol LIKE '%' /* :symbol */ AND length_seconds = 60 /* :length_seconds */
  WINDOW w AS (PARTITION BY symbol ORDER BY start_time ROWS BETWEEN 199 PRECEDING AND CURRENT ROW)
)
SELECT
  symbol, start_time, `close`, RSI(closes, 14) AS rsi_14, SMA(closes, 20) AS sma_20, EMA(closes, 12) AS ema_12,
  MACD(closes, 12, 26) AS macd_line, ATR(highs, lows, closes, 14) AS atr_14
FROM history
ORDER BY symbol, start_time;
