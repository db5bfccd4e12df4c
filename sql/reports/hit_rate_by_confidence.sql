-- Question: Is the confidence honest: of the signals that claim 70 %, are 70 % right?
-- Columns: lower edge of the bucket of confidence (0.1 wide), signals whose horizon is over, share that was right, mean confidence, gap.
-- Parameters: symbol = LIKE pattern.
SELECT
  FLOOR(confidence * 10) / 10 AS confidence_from,
  COUNT(*) AS signals,
  AVG(CASE WHEN is_hit THEN CAST(1 AS DOUBLE) ELSE CAST(0 AS DOUBLE) END) AS hit_rate,
  AVG(confidence) AS mean_confidence,
  AVG(CASE WHEN is_hit THEN CAST(1 AS DOUBLE) ELSE CAST(0 AS DOUBLE) END) - AVG(confidence) AS gap
FROM signals_with_outcome
WHERE symbol LIKE '%' /* :symbol */ AND is_hit IS NOT NULL AND confidence BETWEEN 0 AND 1
GROUP BY FLOOR(confidence * 10) / 10
ORDER BY confidence_from;
