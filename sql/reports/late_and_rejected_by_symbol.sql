-- Question: What input was not used, of which symbol, and why?
-- Columns: symbol, reason, rows, bytes kept, first and last place in the log, one detail.
-- Parameters: symbol = LIKE pattern.
SELECT
  symbol, reason, reason_name, COUNT(*) AS rejected, SUM(CHAR_LENGTH(DECODE(`raw`, 'ISO-8859-1'))) AS raw_bytes,
  MIN(kafka_offset) AS first_offset, MAX(kafka_offset) AS last_offset, MAX(detail) AS a_detail
FROM rejects
WHERE symbol LIKE '%' /* :symbol */
GROUP BY symbol, reason, reason_name
ORDER BY rejected DESC, symbol, reason;
