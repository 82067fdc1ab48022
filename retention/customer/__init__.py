"""One customer on one page: what the figures say, why, what happened, what could be done and what must not."""
