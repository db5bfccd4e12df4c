-- The newest feature row of each symbol, with a column for each feature.
CREATE TEMPORARY VIEW IF NOT EXISTS latest_features AS
SELECT *
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY symbol ORDER BY event_time_ns DESC, event_number DESC) AS recency
  FROM features_named
)
WHERE recency = 1;
