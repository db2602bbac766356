"""What forecasting promises to others."""
