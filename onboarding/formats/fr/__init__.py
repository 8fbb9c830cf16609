"""French: as its readers write dates."""
