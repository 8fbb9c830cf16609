"""itembase: selfservice links and OAuth. Reference: the itembase connect API guide."""
