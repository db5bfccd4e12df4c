-- Question: Which symbols move most now?
-- Columns: rank, symbol, time, realised volatility over 5 minutes, 1 hour and 24 hours in basis points (not annualised).
-- Parameters: limit = rows.
SELECT
  RANK() OVER (ORDER BY realised_volatility_5_minutes DESC) AS place,
  symbol, event_time,
  realised_volatility_5_minutes * 10000 AS volatility_5_minutes,
  realised_volatility_1_hour * 10000 AS volatility_1_hour,
  realised_volatility_24_hours * 10000 AS volatility_24_hours
FROM latest_features
WHERE realised_volatility_5_minutes IS NOT NULL
ORDER BY place, symbol
LIMIT 20 /* :limit */;
