"""What numbers and names of the records mean, where the code that defines them has no room for it. Tests see to it that none is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from udfs.errors import Reason
from udfs.records import ControlKind, Measure, SignalCode, SignalStatus

REASONS: Final[Mapping[Reason, str]] = {
    Reason.ACCEPTED: "the event was used; never stored as a reject",
    Reason.LATE: "its event time lies further behind the symbol's clock than `kernel.out_of_order_milliseconds`",
    Reason.DUPLICATE: "the venue's number (trade id, update id) is not above the last one of its kind",
    Reason.NOT_A_NUMBER: "a price or size that must be there is NaN or infinite",
    Reason.PRICE_NOT_POSITIVE: "a price of zero or below",
    Reason.SIZE_NEGATIVE: "a size below zero",
    Reason.CROSSED_BOOK: "best bid above best ask; the symbol's book is in quarantine until it has been right for a while",
    Reason.SEQUENCE_GAP: "updates are missing before this one, so the book is not used until it is rebuilt",
    Reason.TIME_ABSURD: "before 1990, or further ahead of its available time than `kernel.maximum_clock_skew_milliseconds`",
    Reason.UNKNOWN_KIND: "an event kind that this version does not know",
    Reason.UNKNOWN_STATUS: "a trading status that this version does not know",
    Reason.LEVELS_UNSORTED: "book levels out of order or with holes; a bar whose high or low lies inside its open and close",
    Reason.CLOCK_SKEW: "event time ahead of available time by over 2 s more than is usual for the feed; the 8th that agrees is believed",
    Reason.SIZE_IMPOSSIBLE: "a size above 2^53, where not every whole number can be told any more",
    Reason.PRICE_JUMP: "a price further than 10 robust standard deviations and 1 % from the one before; the third that agrees is believed",
    Reason.FROZEN_QUOTE: "the same best level again, though trades went through elsewhere; the first one that differs is believed",
    Reason.LOCKED_BOOK: "best bid equal to best ask for a minute already; the book is in quarantine as if it were crossed",
    Reason.FACT_ABSURD: "a session, context, reference or adjustment whose numbers cannot be",
    Reason.EMPTY_NEWS: "a news item with nothing to read in it",
    Reason.MALFORMED_FRAME: "bytes that are no frame",
    Reason.UNKNOWN_SCHEMA: "a schema id or message index that is not a frame's",
    Reason.UNKNOWN_SYMBOL: "a symbol that is not in `universe`",
    Reason.SYMBOL_MISMATCH: "the symbol inside the frame is not the record's key",
    Reason.FRAME_TOO_LARGE: "a message beyond the broker's usual limit of 1 MiB",
    Reason.COLUMN_LENGTH: "columns of one frame that do not have the same number of events",
    Reason.MALFORMED_CONTROL: "bytes in the control log that are no control event; the entry changes nothing",
    Reason.INVALID_RULE: "an alert rule or another control event that cannot be applied; what was in force stays",
    Reason.MODEL_REFUSED: "a model whose hash, inputs or outputs do not match; the one in force stays",
    Reason.MALFORMED_INPUT_LINE: "a line or row of a source that the gateway could not read",
}

STATUSES: Final[Mapping[SignalStatus, str]] = {
    SignalStatus.OK: "may be acted on",
    SignalStatus.ABSTAINED: "nothing is claimed; the code says why",
    SignalStatus.HALTED: "trading is halted, the price runs away, or a person halted the symbol",
    SignalStatus.FALLBACK: "reserved for a simpler model that answers instead",
    SignalStatus.REDUCING: "sound, but a person allows positions of the symbol to become smaller only",
}

CODES: Final[Mapping[SignalCode, str]] = {
    SignalCode.NONE: "status ok",
    SignalCode.NO_MODEL: "no model has been released yet",
    SignalCode.WARMING_UP: "fewer of the model's inputs are valid than `scoring.minimum_valid_share`",
    SignalCode.LOW_CONFIDENCE: "calibrated probability below `scoring.minimum_confidence`",
    SignalCode.BOOK_QUARANTINED: "the book was crossed or has gaps",
    SignalCode.STALE_INPUT: "the book, or all that is known, is older than `kernel.stale_book_milliseconds`, or came that late",
    SignalCode.TRADING_HALTED: "the venue says that trading is halted, closed or ended",
    SignalCode.NOT_FINITE: "the model gave a value that is no number, or σ is not positive",
    SignalCode.HALTED_BY_CONTROL: "`infra/tickflow halt` is in force",
    SignalCode.OUT_OF_RANGE: "more inputs than `scoring.maximum_outside_share` lie far outside those that the model was trained on",
    SignalCode.FLASH_CRASH: "the price moved by over 10 robust σ and 0.5 % within a minute, and was not calm for long enough since",
    SignalCode.ONE_SIDED: "the model's signals for the symbol all had one direction for three times `scoring.one_sided_minutes`",
    SignalCode.MODEL_EXPIRED: "the newest row that the model was trained on is older than `scoring.model_expiry_days`",
    SignalCode.REDUCE_ONLY: "`infra/tickflow halt --reduce-only` or a breaker of `infra/tickflow monitor` is in force",
    SignalCode.BREAKER_OPEN: "a breaker of `infra/tickflow monitor` halted everything; the control log says which and why",
}

CONTROL_KINDS: Final[Mapping[ControlKind, str]] = {
    ControlKind.MODEL: "puts a model into force",
    ControlKind.ALERT_RULE: "adds a rule, or changes the one with that id",
    ControlKind.REMOVE_ALERT_RULE: "takes a rule out of force",
    ControlKind.HALT: "stops signals for symbols, or for all",
    ControlKind.RESUME: "lets them flow again",
    ControlKind.NEWS_MODEL: "puts a model that reads news into force",
    ControlKind.REDUCE: "lets signals serve only to make positions smaller",
    ControlKind.BREAKER: "opens or closes a breaker for everything, by a program that watches",
    ControlKind.SHED: "leaves the least valuable work out under too much load, or takes it up again",
    ControlKind.CHALLENGER: "lets a model be scored beside the stream and compared with the one in force, or no more",
}

MEASURES: Final[Mapping[Measure, str]] = {
    Measure.PREDICTED_VOLATILITY: "the model's σ over its horizon",
    Measure.PRICE_MOVE: "log return of 5 minutes",
    Measure.CONFIDENCE: "calibrated probability of the direction",
    Measure.IMBALANCE: "of the best 5 levels of the book",
}

ENVIRONMENT: Final[Mapping[str, str]] = {
    "TICKFLOW_KAFKA_USERNAME": "login of the broker; with `kafka.sasl_mechanism`",
    "TICKFLOW_KAFKA_PASSWORD": "its password; never stored",
    "TICKFLOW_SCHEMA_REGISTRY_USERNAME": "login of the schema registry",
    "TICKFLOW_SCHEMA_REGISTRY_PASSWORD": "its password",
    "TICKFLOW_SCHEMA_REGISTRY_TOKEN": "bearer token, instead of user and password",
    "TICKFLOW_LAKE_CATALOG": "who keeps the list of tables: `sqlite` (default), `jdbc`, `rest` or `glue`",
    "TICKFLOW_LAKE_WAREHOUSE": "where the tables' files lie: a folder or `s3://bucket/path` (default `.tickflow/data/lake/warehouse`)",
    "TICKFLOW_LAKE_URI": "file of the SQLite catalog, `jdbc:postgresql://host/db`, or address of the REST catalog; empty for Glue",
    "TICKFLOW_LAKE_USER": "login of a JDBC catalog",
    "TICKFLOW_LAKE_PASSWORD": "its password",
    "TICKFLOW_LAKE_TOKEN": "bearer token of a REST catalog",
    "TICKFLOW_LAKE_S3_ENDPOINT": "object store other than Amazon's",
    "TICKFLOW_LAKE_S3_REGION": "region of the object store and of Glue (default `AWS_REGION`, else `us-east-1`)",
    "TICKFLOW_LAKE_BUCKETS": "buckets of symbols a day in each table (default 4); fixed when a table is made",
    "AWS_ACCESS_KEY_ID": "key of the object store; Flink's processes need it as well",
    "AWS_SECRET_ACCESS_KEY": "its secret",
    "AWS_SESSION_TOKEN": "with temporary keys",
    "AWS_REGION": "region, where `TICKFLOW_LAKE_S3_REGION` is not set",
    "TICKFLOW_NOTIFY_SMTP_PASSWORD": "password of the mail server of `infra/tickflow notify`",
    "TICKFLOW_MODELS": "folder or `s3://…` of models (default: beside the warehouse)",
    "TICKFLOW_AUDIT": "folder of the audit logs (default `.tickflow/audit`); every program that steers one job should write to the same",
    "TICKFLOW_NEURAL_PYTHON": "an interpreter with JAX to train networks with, such as one for an accelerator",
    "TICKFLOW_JAVA_HOME": "another Java 17 than the one that is installed with the packages",
    "TICKFLOW_MAVEN_REPOSITORY": "mirror from which jars are fetched",
    "XDG_CACHE_HOME": "folder in which downloads are kept for all checkouts of a user (default `~/.cache`)",
    "UV_CACHE_DIR": "cache of Python packages, where it is not to lie there",
}
"""Variables beside those of the settings: secrets, the lake, this machine."""
