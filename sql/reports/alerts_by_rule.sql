-- Question: Which rules fired, how often, and for what?
-- Columns: rule, what it watches, alerts, symbols, first and last time, largest value measured.
-- Parameters: symbol = LIKE pattern.
SELECT
  rule_id, measure, COUNT(*) AS alerts, COUNT(DISTINCT symbol) AS symbols, MIN(event_time) AS first_time, MAX(event_time) AS last_time,
  MAX(threshold) AS threshold, MAX(ABS(`value`)) AS largest_value
FROM alerts
WHERE symbol LIKE '%' /* :symbol */
GROUP BY rule_id, measure
ORDER BY alerts DESC, rule_id, measure;
