-- Signals with what came of them: the price in force when their horizon ended, and whether the direction was right.
-- The outcome is NULL while the symbol's feature rows do not reach the end of the horizon. Up and down are right when the price moved that
-- way; neutral is right when it moved less than 0.43 sigma, which a third of a normal distribution does.
CREATE TEMPORARY VIEW IF NOT EXISTS signals_with_outcome AS
WITH moments AS (
  SELECT symbol, event_time_ns AS moment_ns, 0 AS place, price AS known_price, CAST(NULL AS STRING) AS ended_signal_id
  FROM features
  WHERE price > 0
  UNION ALL
  SELECT symbol, event_time_ns + horizon_ns, 1, CAST(NULL AS DOUBLE), signal_id
  FROM signals
),
prices_in_force AS (
  SELECT
    ended_signal_id,
    moment_ns,
    LAST_VALUE(known_price) OVER (
      PARTITION BY symbol ORDER BY moment_ns, place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS price_in_force,
    MAX(CASE WHEN place = 0 THEN moment_ns END) OVER (PARTITION BY symbol) AS known_until_ns
  FROM moments
),
outcomes AS (
  SELECT ended_signal_id, MIN(price_in_force) AS outcome_price
  FROM prices_in_force
  WHERE ended_signal_id IS NOT NULL AND moment_ns <= known_until_ns
  GROUP BY ended_signal_id
),
measured AS (
  SELECT s.*, o.outcome_price, CASE WHEN s.price > 0 THEN LN(o.outcome_price / s.price) END AS realised_return
  FROM signals_named AS s
  LEFT JOIN outcomes AS o ON s.signal_id = o.ended_signal_id
)
SELECT
  *,
  CASE
    WHEN realised_return IS NULL THEN NULL
    WHEN direction = 0 THEN ABS(realised_return) <= 0.43 * sigma
    ELSE direction * realised_return > 0
  END AS is_hit
FROM measured;
