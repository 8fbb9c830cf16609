"""German: as its readers write dates."""
