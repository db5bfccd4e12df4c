-- How often the signals that could be acted on were right, by symbol, direction and model; only those whose horizon is over.
CREATE TEMPORARY VIEW IF NOT EXISTS hit_rates AS
SELECT
  symbol,
  direction_name,
  model_version,
  COUNT(*) AS signals,
  SUM(CASE WHEN is_hit THEN 1 ELSE 0 END) AS hits,
  AVG(CASE WHEN is_hit THEN CAST(1 AS DOUBLE) ELSE CAST(0 AS DOUBLE) END) AS hit_rate,
  AVG(confidence) AS mean_confidence,
  AVG(direction * realised_return) * 10000 AS mean_gain_basis_points
FROM signals_with_outcome
WHERE status_name = 'ok' AND is_hit IS NOT NULL
GROUP BY symbol, direction_name, model_version;
