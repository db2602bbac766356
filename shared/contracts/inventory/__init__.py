"""What inventory promises to others."""
