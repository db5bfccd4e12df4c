-- Question: What was said of one symbol, when, why, and by which model?
-- Columns: time, price, direction, confidence, status and code, expected return and sigma in basis points, reasons as JSON, model, place in the log.
-- Parameters: symbol = LIKE pattern; limit = rows.
SELECT
  event_time, symbol, price, direction_name, confidence, status_name, code_name, expected_return * 10000 AS expected_basis_points,
  sigma * 10000 AS sigma_basis_points, reasons, model_version, topic, kafka_partition, kafka_offset, event_index, signal_id
FROM signals_named
WHERE symbol LIKE '%' /* :symbol */
ORDER BY event_time DESC, event_number DESC, signal_id
LIMIT 100 /* :limit */;
