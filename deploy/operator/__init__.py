"""What an operator and an auditor do with the whole installation, in commands."""
