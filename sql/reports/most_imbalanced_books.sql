-- Question: Which books lean most to one side now?
-- Columns: symbol, time, imbalance of the best 5 levels (1 = only bids, -1 = only asks; of the best level where there are no 5), spread.
-- Parameters: limit = rows.
SELECT
  symbol, event_time, COALESCE(imbalance_5_levels, imbalance_level_1) AS imbalance, imbalance_level_1, spread_basis_points, price
FROM latest_features
WHERE COALESCE(imbalance_5_levels, imbalance_level_1) IS NOT NULL
ORDER BY ABS(COALESCE(imbalance_5_levels, imbalance_level_1)) DESC, symbol
LIMIT 20 /* :limit */;
