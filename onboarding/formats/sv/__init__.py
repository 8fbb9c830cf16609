"""Swedish: as its readers write dates."""
