-- Question: What would it have cost to follow the signals by trading evenly with the volume of the next 5 minutes?
-- Columns: symbol, direction, signals, mean and worst slippage in basis points: how much worse than the signal's price the volume-weighted
--   average price of the 5 minutes after it was (negative = better). Signals without a trade in those minutes are left out.
-- Parameters: symbol = LIKE pattern.
WITH moments AS (
  SELECT
    symbol, event_time_ns AS moment_ns, 0 AS place, COALESCE(CAST(vwap_5_minutes AS DOUBLE), CAST(-1 AS DOUBLE)) AS known_vwap,
    CAST(NULL AS DOUBLE) AS signal_price, CAST(NULL AS INT) AS direction
  FROM features_named
  UNION ALL
  SELECT symbol, event_time_ns + CAST(300000000000 AS BIGINT), 1, CAST(NULL AS DOUBLE), price, direction
  FROM signals_named
  WHERE status_name = 'ok' AND direction <> 0 AND price > 0
),
filled AS (
  SELECT
    symbol, moment_ns, place, signal_price, direction,
    LAST_VALUE(known_vwap) OVER (
      PARTITION BY symbol ORDER BY moment_ns, place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS vwap_after,
    MAX(CASE WHEN place = 0 THEN moment_ns END) OVER (PARTITION BY symbol) AS known_until_ns
  FROM moments
),
slippages AS (
  SELECT symbol, direction, direction * (vwap_after / signal_price - 1) * 10000 AS slippage
  FROM filled
  WHERE place = 1 AND moment_ns <= known_until_ns AND vwap_after > 0
)
SELECT
  symbol, CASE direction WHEN 1 THEN 'up' ELSE 'down' END AS direction_name, COUNT(*) AS signals,
  AVG(slippage) AS mean_slippage_basis_points, MAX(slippage) AS worst_slippage_basis_points
FROM slippages
WHERE symbol LIKE '%' /* :symbol */
GROUP BY symbol, direction
ORDER BY symbol, direction_name;
