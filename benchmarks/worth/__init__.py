"""What a group of features is worth: tests ordered in time, the figures of every variant, and how they are told."""
