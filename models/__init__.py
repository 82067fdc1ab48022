"""Matrix in, probability out: candidates, training, calibration, explanation, value and the registry."""
