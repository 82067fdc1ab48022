"""What the forecast of margins and the value of a customer are worth beside the usual formulas."""
