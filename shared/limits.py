"""How large a request's body may be, at the gateway and in the service that it is for."""

SMALL_LIMIT_BYTES = 16_384  # What a person fills in to sign in, or an account needs.
BODY_LIMIT_BYTES = 262_144  # Of a route that names no `max_body_size` of its own.
UPLOAD_LIMIT_BYTES = 2_147_483_648  # Of one that takes a file as a stream.
BULK_LIMIT_BYTES = 16_777_216  # Of one that takes files, or thousands of lines.
