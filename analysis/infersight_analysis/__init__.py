"""The analysis layer: answers the questions of an incident from the store alone, over DuckDB."""
