-- Signals with their direction, status and code in words.
CREATE TEMPORARY VIEW IF NOT EXISTS signals_named AS
SELECT
  *,
  CASE direction WHEN -1 THEN 'down' WHEN 0 THEN 'neutral' WHEN 1 THEN 'up' END AS direction_name,
  CASE status WHEN 1 THEN 'ok' WHEN 2 THEN 'abstained' WHEN 3 THEN 'halted' WHEN 4 THEN 'fallback' WHEN 5 THEN 'reducing' END AS status_name,
  CASE code
    WHEN 0 THEN 'none'
    WHEN 1 THEN 'no_model'
    WHEN 2 THEN 'warming_up'
    WHEN 3 THEN 'low_confidence'
    WHEN 4 THEN 'book_quarantined'
    WHEN 5 THEN 'stale_input'
    WHEN 6 THEN 'trading_halted'
    WHEN 7 THEN 'not_finite'
    WHEN 8 THEN 'halted_by_control'
    WHEN 9 THEN 'out_of_range'
    WHEN 10 THEN 'flash_crash'
    WHEN 11 THEN 'one_sided'
    WHEN 12 THEN 'model_expired'
    WHEN 13 THEN 'reduce_only'
    WHEN 14 THEN 'breaker_open'
  END AS code_name
FROM signals;
