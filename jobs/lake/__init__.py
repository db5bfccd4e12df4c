"""The lake: Iceberg tables that keep every frame, feature row, bar, signal, alert and reject. Definitions, catalog, and reading."""
