"""The rivals of Treue's features: the same numbers by pandas, Polars and DuckDB, on one made-up company."""
