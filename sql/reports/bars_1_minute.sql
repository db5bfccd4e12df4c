-- Question: What were the 1-minute bars?
-- Columns: symbol, start of the bar (UTC), open, high, low, close, volume, trades, share of the volume that was bought less sold.
-- Parameters: symbol = LIKE pattern; length_seconds = 1, 60, 300 or 3600.
SELECT
  symbol, start_time, `open`, high, low, `close`, volume, trades,
  CASE WHEN volume > 0 THEN signed_volume / volume END AS trade_imbalance
FROM bars
WHERE symbol LIKE '%' /* :symbol */ AND length_seconds = 60 /* :length_seconds */
ORDER BY symbol, start_time;
