-- Question: What ran, with which code and settings, and did it end?
-- Columns: start, end (NULL = still running or killed), verb, run, manifest, code, feature set, counts as JSON.
-- Parameters: verb = LIKE pattern; limit = rows.
SELECT
  MIN(started_at) AS started_at, MAX(finished_at) AS finished_at, verb, run_id, manifest_id, code_hash, feature_set,
  COALESCE(MAX(CASE WHEN finished_at IS NOT NULL THEN counts END), '{}') AS counts
FROM runs
WHERE verb LIKE '%' /* :verb */
GROUP BY verb, run_id, manifest_id, code_hash, feature_set
ORDER BY started_at DESC, run_id
LIMIT 100 /* :limit */;
