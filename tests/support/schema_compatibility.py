"""What an incompatible change to a schema is: a field or value of the golden descriptors that went, moved, or changed."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet


def breaks(golden: FileDescriptorSet, present: FileDescriptorSet) -> list[str]:
    """Each incompatible change from `golden` to `present`, in words. Adding messages, fields and values is compatible."""
    before, now = dict(_everything(golden)), dict(_everything(present))
    changed = [f"{name}: was {what}, is {now.get(name, 'gone')}" for name, what in before.items() if now.get(name) != what]
    return changed + list(_second_messages(golden, present))


def _second_messages(golden: FileDescriptorSet, present: FileDescriptorSet) -> Iterator[str]:
    """The message index on the wire is [0]: the first message of a file must stay the first."""
    first = {file.name: file.message_type[0].name for file in present.file if file.message_type}
    for file in golden.file:
        if first.get(file.name) != file.message_type[0].name:
            yield f"{file.name}: its first message was {file.message_type[0].name}, is {first.get(file.name, 'gone')}"


def _everything(files: FileDescriptorSet) -> Iterator[tuple[str, str]]:
    """(where, what) of each field and each enumeration value; a number is part of `where`, so a reused number is a change."""
    for file in files.file:
        for message in file.message_type:
            yield from _of_message(f"{file.name}:{file.package}.{message.name}", message)
        for enumeration in file.enum_type:
            yield from _of_enumeration(f"{file.name}:{file.package}.{enumeration.name}", enumeration)


def _of_message(where: str, message: DescriptorProto) -> Iterator[tuple[str, str]]:
    for field in message.field:
        yield f"{where} field {field.number}", _of_field(message, field)
    for nested in message.nested_type:
        yield from _of_message(f"{where}.{nested.name}", nested)
    for enumeration in message.enum_type:
        yield from _of_enumeration(f"{where}.{enumeration.name}", enumeration)


def _of_field(message: DescriptorProto, field: FieldDescriptorProto) -> str:
    label = FieldDescriptorProto.Label.Name(field.label)
    kind = FieldDescriptorProto.Type.Name(field.type)
    oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
    return " ".join(filter(None, (label, kind, field.type_name, field.name, oneof)))


def _of_enumeration(where: str, enumeration: EnumDescriptorProto) -> Iterator[tuple[str, str]]:
    for value in enumeration.value:
        yield f"{where} value {value.number}", value.name
