-- Alerts as protobuf, key = symbol.
-- Parameters: kafka = bootstrap servers, group = consumer group, start = where reading starts.
CREATE TEMPORARY TABLE IF NOT EXISTS kafka_alerts (
  symbol STRING,
  payload BYTES,
  event_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
  topic STRING METADATA FROM 'topic' VIRTUAL,
  kafka_partition INT METADATA FROM 'partition' VIRTUAL,
  kafka_offset BIGINT METADATA FROM 'offset' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = 'alerts',
  'properties.bootstrap.servers' = 'localhost:9092' /* :kafka */,
  'properties.group.id' = 'tickflow-sql' /* :group */,
  'properties.linger.ms' = '1',
  'scan.startup.mode' = 'earliest-offset' /* :start */,
  'key.format' = 'raw',
  'key.fields' = 'symbol',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY',
  'sink.delivery-guarantee' = 'at-least-once'
);
