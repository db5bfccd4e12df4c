"""What a class's fields mean, read from the strings that stand below them."""

from __future__ import annotations

import ast
import inspect
import textwrap

SELF_EXPLAINING = "–"


def attribute_documents(found: type) -> dict[str, str]:
    """Name of each field to the text below it; a field without one explains itself."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(found))).body
    assert isinstance(definition, ast.ClassDef)
    documents: dict[str, str] = {}
    last = ""
    for node in definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            last = node.target.id
            documents[last] = SELF_EXPLAINING
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and last:
            documents[last], last = str(node.value.value).rstrip("."), ""
        else:
            last = ""
    return documents
