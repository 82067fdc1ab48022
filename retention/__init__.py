"""Probability in, action out: segments, reasons, lists, consent, measures, plan, report and export."""
