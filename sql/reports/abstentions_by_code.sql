-- Question: How often was nothing claimed, and why?
-- Columns: status, code, rows, share of all rows, symbols, last time.
-- Parameters: symbol = LIKE pattern.
SELECT
  status_name, code_name, COUNT(*) AS signals, CAST(COUNT(*) AS DOUBLE) / SUM(COUNT(*)) OVER () AS share,
  COUNT(DISTINCT symbol) AS symbols, MAX(event_time) AS last_time
FROM signals_named
WHERE symbol LIKE '%' /* :symbol */
GROUP BY status_name, code_name
ORDER BY signals DESC, status_name, code_name;
