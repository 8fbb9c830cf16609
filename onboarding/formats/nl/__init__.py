"""Dutch: as its readers write dates."""
