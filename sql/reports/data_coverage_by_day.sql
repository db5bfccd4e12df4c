-- Question: For which days is there data, and how much?
-- Columns: day (UTC), symbols, first and last event, frames, feature rows, signals, rejected input.
-- Parameters: symbol = LIKE pattern.
WITH stored AS (
  SELECT symbol, event_time, 1 AS frames, 0 AS feature_rows, 0 AS signals, 0 AS rejected FROM market_frames
  UNION ALL
  SELECT symbol, event_time, 0, 1, 0, 0 FROM features
  UNION ALL
  SELECT symbol, event_time, 0, 0, 1, 0 FROM signals
  UNION ALL
  SELECT symbol, event_time, 0, 0, 0, 1 FROM rejects
)
SELECT
  CAST(event_time AS DATE) AS data_day, COUNT(DISTINCT symbol) AS symbols, MIN(event_time) AS first_event, MAX(event_time) AS last_event,
  SUM(frames) AS frames, SUM(feature_rows) AS feature_rows, SUM(signals) AS signals, SUM(rejected) AS rejected
FROM stored
WHERE symbol LIKE '%' /* :symbol */
GROUP BY CAST(event_time AS DATE)
ORDER BY data_day;
