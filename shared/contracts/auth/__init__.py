"""What auth promises to others. No entry holds an address, a name or a secret."""
