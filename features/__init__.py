"""Data in, features out: contract, sources, quality, time, ledgers, the catalogue of features and the matrix."""
