"""English: in international use, as in `moments`."""
