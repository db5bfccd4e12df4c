-- Question: How fresh is each symbol, compared with the newest event of all?
-- Columns: symbol, last frame, feature row and signal, seconds that the symbol is behind the newest frame, seconds that its features are behind
--   its frames, mean and worst delay in milliseconds between an event and the moment when it was available.
-- Parameters: symbol = LIKE pattern.
WITH frames AS (
  SELECT symbol, MAX(event_time) AS last_frame FROM market_frames GROUP BY symbol
),
rows_of_features AS (
  SELECT
    symbol, MAX(event_time) AS last_feature_row, AVG(CAST(available_time_ns - event_time_ns AS DOUBLE)) / 1000000 AS mean_delay_milliseconds,
    CAST(MAX(available_time_ns - event_time_ns) AS DOUBLE) / 1000000 AS worst_delay_milliseconds
  FROM features
  GROUP BY symbol
),
last_signals AS (
  SELECT symbol, MAX(event_time) AS last_signal FROM signals GROUP BY symbol
)
SELECT
  f.symbol, f.last_frame, r.last_feature_row, s.last_signal,
  TIMESTAMPDIFF(SECOND, f.last_frame, MAX(f.last_frame) OVER ()) AS seconds_behind_newest,
  TIMESTAMPDIFF(SECOND, r.last_feature_row, f.last_frame) AS features_seconds_behind_frames,
  r.mean_delay_milliseconds, r.worst_delay_milliseconds
FROM frames AS f
LEFT JOIN rows_of_features AS r ON f.symbol = r.symbol
LEFT JOIN last_signals AS s ON f.symbol = s.symbol
WHERE f.symbol LIKE '%' /* :symbol */
ORDER BY seconds_behind_newest DESC, f.symbol;
