"""What SCIM is, without input or output: its names, filters, changes, and what it says of itself.

Source: RFC 7643 (schemas) and RFC 7644 (protocol).
"""
