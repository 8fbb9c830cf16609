"""How dates and times look where Django writes them itself: the admin's lists and forms."""
