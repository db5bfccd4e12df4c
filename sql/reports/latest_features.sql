-- Question: What is known of each symbol now?
-- Columns: symbol, time of the newest row, its number, price, spread, imbalance, returns, RSI, volatility; NULL = not known yet.
-- Parameters: symbol = LIKE pattern.
SELECT
  symbol, event_time, event_number, price, spread_basis_points, imbalance_level_1, imbalance_5_levels,
  order_flow_per_depth_1_minute, return_1_minute, return_5_minutes, rsi_14, realised_volatility_5_minutes
FROM latest_features
WHERE symbol LIKE '%' /* :symbol */
ORDER BY symbol;
