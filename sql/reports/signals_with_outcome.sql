-- Question: What came of the signals after their horizon of 5 minutes?
-- Columns: symbol, time, direction, confidence, expected and realised log return in basis points, price then and at the end, right or not.
-- Parameters: symbol = LIKE pattern; horizon_minutes = horizon of the signals; limit = rows.
SELECT
  symbol, event_time, direction_name, confidence, expected_return * 10000 AS expected_basis_points,
  realised_return * 10000 AS realised_basis_points, price, outcome_price, is_hit, signal_id
FROM signals_with_outcome
WHERE symbol LIKE '%' /* :symbol */ AND status_name = 'ok' AND horizon_ns = 5 /* :horizon_minutes */ * CAST(60000000000 AS BIGINT)
ORDER BY event_time DESC, symbol, signal_id
LIMIT 1000 /* :limit */;
