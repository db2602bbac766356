"""What the demo does, in its order: the shop and its two years, forecasts and orders, figures."""
