"""Who the vendor is, in one line. Reference: the page where its documentation begins."""
