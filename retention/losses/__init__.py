"""Learning from lost customers: why they left (told or inferred), who, when, at what cost, and how to ask them."""
