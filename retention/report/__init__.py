"""The report of one run: a single self-contained HTML page in German or English."""
