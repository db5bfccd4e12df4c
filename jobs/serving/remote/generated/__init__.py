"""Made from infra/schemas by `python -m infra.schemas.generate`. Do not edit."""
