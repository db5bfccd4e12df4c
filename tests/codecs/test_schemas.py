"""Schemas: stored and sent bytes stay readable. Golden descriptors catch incompatible changes; the generated code is the schemas'."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet

from infra.schemas import generate
from tests.support.schema_compatibility import breaks
from udfs.codecs.generated.control_event_pb2 import ControlEvent
from udfs.codecs.generated.signal_pb2 import Signal
from udfs.codecs.wire import PINNED_IDS
from udfs.records import ControlKind, Direction, Measure, SignalCode, SignalStatus, TradingState

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "schemas.binpb"
"""Written by `python -m infra.schemas.generate --descriptors FILE`; renew it when something was added."""


def golden_descriptors() -> FileDescriptorSet:
    return FileDescriptorSet.FromString(GOLDEN.read_bytes())


def present_descriptors() -> FileDescriptorSet:
    """The schemas as the generated code has them."""
    files = FileDescriptorSet()
    for path in generate.schema_files():
        module = importlib.import_module(f"udfs.codecs.generated.{path.stem}_pb2")
        module.DESCRIPTOR.CopyToProto(files.file.add())
    return files


def file_of(files: FileDescriptorSet, name: str) -> FileDescriptorProto:
    return next(file for file in files.file if file.name.endswith(f"/{name}.proto"))


def test_no_incompatible_change() -> None:
    """If this fails: bytes in topics and tables can no longer be read. Add a field instead of changing one."""
    assert breaks(golden_descriptors(), present_descriptors()) == []


def test_the_golden_descriptors_hold_all_that_is_there() -> None:
    """What was added is protected from then on: renew tests/golden/schemas.binpb in the same change."""
    assert breaks(present_descriptors(), golden_descriptors()) == []


def renumber(files: FileDescriptorSet) -> None:
    file_of(files, "bar").message_type[0].field[3].number = 40


def retype(files: FileDescriptorSet) -> None:
    file_of(files, "bar").message_type[0].field[3].type = FieldDescriptorProto.TYPE_FLOAT


def relabel(files: FileDescriptorSet) -> None:
    file_of(files, "news_item").message_type[0].field[3].label = FieldDescriptorProto.LABEL_OPTIONAL


def rename(files: FileDescriptorSet) -> None:
    file_of(files, "alert").message_type[0].field[0].name = "id"


def remove(files: FileDescriptorSet) -> None:
    del file_of(files, "market_frame").message_type[0].field[14]


def reuse(files: FileDescriptorSet) -> None:
    fields = file_of(files, "market_frame").message_type[0].field
    del fields[14]
    fields.add(name="auctions", number=15, type=FieldDescriptorProto.TYPE_BYTES, label=FieldDescriptorProto.LABEL_OPTIONAL)


def remove_nested(files: FileDescriptorSet) -> None:
    del file_of(files, "control_event").message_type[0].nested_type[0]


def remove_message(files: FileDescriptorSet) -> None:
    del file_of(files, "rejected").message_type[:]


def renumber_value(files: FileDescriptorSet) -> None:
    file_of(files, "signal").message_type[0].enum_type[2].value[3].number = 33


def rename_package(files: FileDescriptorSet) -> None:
    file_of(files, "bar").package = "tickflow.v2"


def put_another_message_first(files: FileDescriptorSet) -> None:
    messages = file_of(files, "bar").message_type
    bar = type(messages[0])()
    bar.CopyFrom(messages[0])
    messages[0].Clear()
    messages[0].name = "Header"
    messages.append(bar)


CHANGES: list[Callable[[FileDescriptorSet], None]] = [
    renumber,
    retype,
    relabel,
    rename,
    remove,
    reuse,
    remove_nested,
    remove_message,
    renumber_value,
    rename_package,
    put_another_message_first,
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_check_finds_an_incompatible_change(change: Callable[[FileDescriptorSet], None]) -> None:
    planted = golden_descriptors()
    change(planted)
    assert breaks(golden_descriptors(), planted)


def test_the_check_lets_additions_pass() -> None:
    grown = golden_descriptors()
    bar = file_of(grown, "bar").message_type[0]
    bar.field.add(name="venue", number=90, type=FieldDescriptorProto.TYPE_STRING, label=FieldDescriptorProto.LABEL_OPTIONAL)
    bar.nested_type.add(name="Detail")
    bar.enum_type.append(EnumDescriptorProto(name="Origin"))
    grown.file.add(name="tickflow/v1/new.proto", package="tickflow.v1")
    assert breaks(golden_descriptors(), grown) == []


def test_the_generated_code_is_the_schemas(tmp_path: Path) -> None:
    pytest.importorskip(
        "grpc_tools", reason="SKIPPED: grpcio-tools is not installed, so the generated code is NOT compared with the schemas"
    )
    kinds = (
        (generate.GENERATED, generate.SCHEMAS, generate.PACKAGE_FOLDER),
        (generate.SERVING_GENERATED, generate.SERVING, generate.SERVING_FOLDER),
    )
    for folder, schemas, package in kinds:
        made = tmp_path / schemas.name
        made.mkdir()
        generate.generate(made, schemas, package)
        fresh = {path.name: path.read_text(encoding="utf-8") for path in made.iterdir()}
        committed = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()}
        assert fresh == committed, "run: python -m infra.schemas.generate"


def test_the_pinned_ids_are_one_table() -> None:
    """infra/schemas/ids.toml is what people read, `PINNED_IDS` what workers use; one id a message, none twice."""
    assert tomllib.loads((generate.SCHEMAS / "ids.toml").read_text(encoding="utf-8")) == PINNED_IDS
    assert len(set(PINNED_IDS.values())) == len(PINNED_IDS)


def test_every_schema_starts_with_the_message_that_it_is_named_for() -> None:
    first = [file.message_type[0].name for file in present_descriptors().file]
    assert sorted(first) == sorted(PINNED_IDS)
    assert all(len(file.message_type) == 1 for file in present_descriptors().file)


@pytest.mark.parametrize(
    ("members", "numbers"),
    [
        (Direction, Signal.Direction),
        (SignalStatus, Signal.Status),
        (SignalCode, Signal.Code),
        (ControlKind, ControlEvent.Kind),
        (Measure, ControlEvent.Measure),
        (TradingState, ControlEvent.State),
    ],
)
def test_enumerations_have_the_numbers_of_the_records(members: type[IntEnum], numbers: type[Signal.Direction]) -> None:
    """The schema has the record's members, and besides at most the unspecified 0 that protobuf wants."""
    on_wire = {name: number for name, number in numbers.items() if not name.endswith("_UNSPECIFIED")}
    assert on_wire == {member.name: member.value for member in members}
