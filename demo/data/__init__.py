"""The sales that the demo replays, and the script that cut them."""
