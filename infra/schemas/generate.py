"""Writes the Python code of the schemas: `python -m infra.schemas.generate`. Needs the development package `grpcio-tools`.

That of the topics goes to `udfs/codecs/generated`, that of the API over gRPC to `jobs/serving/remote/generated`. With
`--descriptors FILE` it also writes the schemas as one binary file: the golden descriptors that compatibility is tested against.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

SCHEMAS = Path(__file__).resolve().parent
GENERATED = SCHEMAS.parents[1] / "udfs" / "codecs" / "generated"
SERVING, SERVING_GENERATED = SCHEMAS / "serving", SCHEMAS.parents[1] / "jobs" / "serving" / "remote" / "generated"
PACKAGE_FOLDER = "tickflow/v1"
"""Folder under which the files are known to protobuf, so that no other library's `signal.proto` is taken for ours."""
SERVING_FOLDER = "tickflow/serving/v1"
UNTYPED_MAPPING, TYPED_MAPPING = "_Mapping]", "_Mapping[str, object]]"
"""The compiler leaves the type of a nested message's fields out of its stubs; strict type checks need it."""
PACKAGE_DOCSTRING = '"""Made from infra/schemas by `python -m infra.schemas.generate`. Do not edit."""\n'


def schema_files(schemas: Path = SCHEMAS) -> list[Path]:
    """The schemas of a folder in the order of their names; those of the topics have one message a file."""
    return sorted(schemas.glob("*.proto"))


def generate(folder: Path, schemas: Path = SCHEMAS, package: str = PACKAGE_FOLDER) -> None:
    """Write the modules and their type stubs into `folder`. Raises RuntimeError when the compiler refuses a schema."""
    with tempfile.TemporaryDirectory() as scratch:
        _run([f"--python_out={scratch}", f"--pyi_out={scratch}"], schemas, package)
        for produced in sorted((Path(scratch) / package).iterdir()):
            text = produced.read_text(encoding="utf-8")
            (folder / produced.name).write_text(text.replace(UNTYPED_MAPPING, TYPED_MAPPING), encoding="utf-8")
    (folder / "__init__.py").write_text(PACKAGE_DOCSTRING, encoding="utf-8")


def write_descriptors(path: Path) -> None:
    """Write the schemas as one binary `FileDescriptorSet`. Raises RuntimeError when the compiler refuses a schema."""
    _run([f"--descriptor_set_out={path}"], SCHEMAS, PACKAGE_FOLDER)


def _run(outputs: list[str], schemas: Path, package: str) -> None:
    import grpc_tools  # type: ignore[import-untyped]
    from grpc_tools import protoc

    known = Path(grpc_tools.__file__).parent / "_proto"
    names = [f"{package}/{path.name}" for path in schema_files(schemas)]
    if protoc.main(["protoc", f"--proto_path={package}={schemas}", f"--proto_path={known}", *outputs, *names]) != 0:
        raise RuntimeError(f"the schemas in {schemas} do not compile: see the compiler's messages above")


def main(arguments: list[str]) -> int:
    """Regenerate the code in place. Returns 0."""
    parser = argparse.ArgumentParser(prog="python -m infra.schemas.generate", description="Generate Python code from the schemas.")
    parser.add_argument("--descriptors", type=Path, metavar="FILE", help="also write the binary descriptors to FILE")
    options = parser.parse_args(arguments)
    generate(GENERATED)
    generate(SERVING_GENERATED, SERVING, SERVING_FOLDER)
    if options.descriptors:
        write_descriptors(options.descriptors)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
