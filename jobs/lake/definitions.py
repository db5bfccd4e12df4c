"""What each table of the lake holds, column by column."""

from __future__ import annotations

from jobs.lake.tables import Column, Kind, TableDefinition

_SYMBOL = Column("symbol", Kind.TEXT, "the symbol that the row is about")
_IDENTITY = (
    _SYMBOL,
    Column("event_time", Kind.TIME, "when the event happened, cut to milliseconds"),
    Column("event_time_ns", Kind.LONG, "when the event happened, nanoseconds since 1970"),
    Column("available_time_ns", Kind.LONG, "when everything used was available, nanoseconds since 1970"),
    Column("event_number", Kind.LONG, "count of the symbol's accepted events; with the symbol it names the row"),
)
_POSITION = (
    Column("topic", Kind.TEXT, "Kafka topic that the event came from"),
    Column("kafka_partition", Kind.INTEGER, "partition of that topic"),
    Column("kafka_offset", Kind.LONG, "offset of the frame in that partition"),
)
_EVENT_POSITION = (*_POSITION, Column("event_index", Kind.INTEGER, "place of the event in its frame, from 0"))
_CONTROL_VERSION = Column("control_version", Kind.LONG, "last control event in force")
_MANIFEST = Column("manifest_id", Kind.TEXT, "code and settings that made the row; see runs")

MARKET_FRAMES = TableDefinition(
    "market_frames",
    "every frame as it came, with its place in the log; what a replay reads",
    (
        _SYMBOL,
        Column("event_time", Kind.TIME, "Kafka CreateTime: when the frame's last event happened"),
        *_POSITION,
        Column("frame", Kind.BYTES, "the message, schema framing included"),
        Column("frame_hash", Kind.TEXT, "SHA-256 of the message (read as Latin-1, written as UTF-8): a frame that was changed is found"),
    ),
)

FEATURES = TableDefinition(
    "features",
    "one row of features after an event of a symbol",
    (
        *_IDENTITY,
        Column("feature_set", Kind.TEXT, "hash of the ordered feature names and definitions"),
        Column("feature_values", Kind.FLOATS, "values in the order of the feature set, NaN where not valid"),
        Column("feature_valid", Kind.BYTES, "one bit a feature, lowest bit first: 0 while warming up, missing or stale"),
        Column("price", Kind.DOUBLE, "mid price, or last price where there is no book; NaN before the first"),
        Column("bar_closed", Kind.BOOLEAN, "whether the event closed a bar"),
        _CONTROL_VERSION,
        *_EVENT_POSITION,
        _MANIFEST,
    ),
)

BARS = TableDefinition(
    "bars",
    "closed bars of 1 s, 1 min, 5 min and 1 h",
    (
        _SYMBOL,
        Column("start_time", Kind.TIME, "first moment of the bar"),
        Column("start_time_ns", Kind.LONG, "first moment of the bar, nanoseconds since 1970"),
        Column("length_seconds", Kind.INTEGER, "length of the bar"),
        Column("open", Kind.DOUBLE, "price of the first trade"),
        Column("high", Kind.DOUBLE, "highest price"),
        Column("low", Kind.DOUBLE, "lowest price"),
        Column("close", Kind.DOUBLE, "price of the last trade"),
        Column("volume", Kind.DOUBLE, "sum of sizes"),
        Column("notional", Kind.DOUBLE, "sum of price times size of the trades that count for the price"),
        Column("trades", Kind.LONG, "number of trades"),
        Column("signed_volume", Kind.DOUBLE, "bought less sold, by the aggressor"),
        Column("available_time_ns", Kind.LONG, "when the bar was closed, nanoseconds since 1970"),
        *_EVENT_POSITION,
        _MANIFEST,
    ),
    time_column="start_time",
)

SIGNALS = TableDefinition(
    "signals",
    "what the model says of each feature row that it scored",
    (
        Column("signal_id", Kind.TEXT, "depends on the feature row and the model alone"),
        *_IDENTITY,
        Column("horizon_ns", Kind.LONG, "nanoseconds over which direction and return are predicted"),
        Column("price", Kind.DOUBLE, "price that the prediction starts from"),
        Column("direction", Kind.INTEGER, "-1 down, 0 neutral, 1 up"),
        Column("confidence", Kind.DOUBLE, "calibrated probability of the direction; NaN when nothing was scored"),
        Column("probability_down", Kind.DOUBLE, "calibrated probability of down"),
        Column("probability_neutral", Kind.DOUBLE, "calibrated probability of neutral"),
        Column("probability_up", Kind.DOUBLE, "calibrated probability of up"),
        Column("expected_return", Kind.DOUBLE, "expected log return over the horizon"),
        Column("sigma", Kind.DOUBLE, "standard deviation of that log return"),
        Column("reasons", Kind.TEXT, "JSON list of {feature, contribution, words}"),
        Column("status", Kind.INTEGER, "1 ok, 2 abstained, 3 halted, 4 fallback, 5 reducing"),
        Column("code", Kind.INTEGER, "why it has this status, 0 with ok"),
        Column("model_version", Kind.TEXT, "name of the model"),
        Column("model_hash", Kind.TEXT, "sha256 of the model"),
        Column("feature_hash", Kind.TEXT, "hash of the feature vector that was scored"),
        _CONTROL_VERSION,
        *_EVENT_POSITION,
        _MANIFEST,
    ),
)

SHADOW_SCORES = TableDefinition(
    "shadow_scores",
    "what challengers say of the rows that the champion scored, by `infra/tickflow challengers look`; never a signal",
    (
        *_IDENTITY,
        Column("alias", Kind.TEXT, "name of the challenger in the control log"),
        Column("model_version", Kind.TEXT, "name of the model"),
        Column("model_hash", Kind.TEXT, "sha256 of the model"),
        Column("horizon_ns", Kind.LONG, "nanoseconds over which direction and return are predicted"),
        Column("probability_down", Kind.DOUBLE, "calibrated probability of down"),
        Column("probability_neutral", Kind.DOUBLE, "calibrated probability of neutral"),
        Column("probability_up", Kind.DOUBLE, "calibrated probability of up"),
        Column("expected_return", Kind.DOUBLE, "expected log return over the horizon"),
        Column("sigma", Kind.DOUBLE, "standard deviation of that log return"),
        Column("feature_hash", Kind.TEXT, "hash of the feature vector that was scored: that of the signal of the same row"),
        _CONTROL_VERSION,
    ),
)

ALERTS = TableDefinition(
    "alerts",
    "rules that fired",
    (
        Column("alert_id", Kind.TEXT, "depends on the rule and the feature row alone"),
        Column("rule_id", Kind.TEXT, "the rule"),
        *_IDENTITY,
        Column("measure", Kind.TEXT, "what the rule watches"),
        Column("threshold", Kind.DOUBLE, "at which the rule fires"),
        Column("value", Kind.DOUBLE, "what was measured"),
        Column("signal_id", Kind.TEXT, "signal of the same row, empty when none was made"),
        *_EVENT_POSITION,
        _MANIFEST,
    ),
)

REJECTS = TableDefinition(
    "rejects",
    "input that was not used: late, duplicate, broken",
    (
        _SYMBOL,
        Column("event_time", Kind.TIME, "when it happened; 1970-01-01 where that cannot be read or is absurd"),
        Column("event_time_ns", Kind.LONG, "as it was read, 0 where it could not be"),
        Column("available_time_ns", Kind.LONG, "when the gateway had it, 0 where that cannot be read"),
        Column("reason", Kind.INTEGER, "code of the reason"),
        Column("reason_name", Kind.TEXT, "name of the reason, lower case"),
        Column("detail", Kind.TEXT, "what was found"),
        Column("raw", Kind.BYTES, "the whole message when it could not be decoded, else the one event as a frame of one"),
        *_EVENT_POSITION,
        _MANIFEST,
    ),
)

RUNS = TableDefinition(
    "runs",
    "one row when a run starts and one when it ends",
    (
        Column("run_id", Kind.TEXT, "one execution"),
        _MANIFEST,
        Column("started_at", Kind.TIME, "wall clock at the start"),
        Column("finished_at", Kind.TIME, "wall clock at the end, null in the row written at the start", required=False),
        Column("verb", Kind.TEXT, "live, replay, demo, train …"),
        Column("settings", Kind.TEXT, "JSON of the settings, without secrets"),
        Column("code_hash", Kind.TEXT, "sha256 of the code that ran"),
        Column("feature_set", Kind.TEXT, "hash of the ordered feature names and definitions"),
        Column("counts", Kind.TEXT, "JSON of what was counted, empty object at the start"),
    ),
    time_column="started_at",
    bucketed=False,
)

CONTROL_EVENTS = TableDefinition(
    "control_events",
    "the control log: models, rules, halts, in the order in which they took effect",
    (
        Column("version", Kind.LONG, "number of the entry: its offset plus one"),
        Column("event_time", Kind.TIME, "when it was written, cut to milliseconds"),
        Column("event_time_ns", Kind.LONG, "the same, nanoseconds since 1970"),
        Column("kind", Kind.TEXT, "model, challenger, alert_rule, remove_alert_rule, halt, resume, news_model, reduce, breaker, shed"),
        Column("payload", Kind.BYTES, "the message, schema framing included"),
    ),
    bucketed=False,
)

CONSISTENCY = TableDefinition(
    "consistency",
    "one feature of one day: served values against those that its frames make, by `infra/tickflow consistency`",
    (
        Column("day", Kind.TIME, "midnight of the day of event time, UTC"),
        Column("checked_at", Kind.TIME, "wall clock of the check; all rows of one check have the same"),
        Column("served_from", Kind.TEXT, "lake: all rows of the day; online store: its newest row of each symbol"),
        Column("feature", Kind.TEXT, "name of the feature"),
        Column("rows_served", Kind.LONG, "rows that were served"),
        Column("rows_recomputed", Kind.LONG, "rows that the frames make"),
        Column("served", Kind.LONG, "valid values that were served"),
        Column("recomputed", Kind.LONG, "valid values that the frames make"),
        Column("mismatched", Kind.LONG, "values that are valid in both and differ in their bits"),
        Column("missing", Kind.LONG, "values that the frames make and that were not served"),
        Column("extra", Kind.LONG, "values that were served and that the frames do not make"),
        Column("mismatched_rate", Kind.DOUBLE, "mismatched as a share of all values that were served or should have been"),
        Column("missing_rate", Kind.DOUBLE, "missing, as such a share"),
        Column("extra_rate", Kind.DOUBLE, "extra, as such a share"),
        Column("feature_set", Kind.TEXT, "hash of the ordered feature names and definitions"),
        Column("manifest_id", Kind.TEXT, "code and settings that recomputed"),
    ),
    time_column="day",
    bucketed=False,
)

TRIALS = TableDefinition(
    "trials",
    "one way of trading that was tried, by `infra/tickflow backtest`: the best of many is not skill",
    (
        Column("trial_id", Kind.TEXT, "hash of what decides the result: the same trial made again has the same"),
        Column("made_at", Kind.TIME, "wall clock"),
        Column("verb", Kind.TEXT, "what made it"),
        Column("subject", Kind.TEXT, "versions of the models whose signals were traded"),
        Column("settings", Kind.TEXT, "JSON of latencies, costs, limits, range and symbols"),
        Column("periods", Kind.LONG, "number of gains that the Sharpe is of"),
        Column("sharpe", Kind.DOUBLE, "Sharpe of one period after costs"),
    ),
    time_column="made_at",
    bucketed=False,
)

_STREAMED = (MARKET_FRAMES, FEATURES, BARS, SIGNALS, ALERTS, REJECTS)
TABLES: tuple[TableDefinition, ...] = (*_STREAMED, RUNS, CONTROL_EVENTS, CONSISTENCY, TRIALS, SHADOW_SCORES)
TABLES_BY_NAME: dict[str, TableDefinition] = {table.name: table for table in TABLES}
