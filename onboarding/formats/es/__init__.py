"""Spanish: as its readers write dates."""
