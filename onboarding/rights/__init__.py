"""People's rights: what we hold about a person or a business, as a file; and erasing it.

export     one JSON document with everything that is held
erasure    a person closes their account
closing    a business is closed: its shops, its members, then its data
replacing  names and addresses in texts and JSON
"""
