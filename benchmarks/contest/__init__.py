"""Models against the usual ways: the same customers, the same mornings, on every set there is."""
